"""The older endpoints over real HTTP with the unmodified SDK: Pix payments, refunds, merchant orders, chargebacks."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.mpsim import snapshot
from ops.mpsim.simulator import Setup, Simulator
from tests.mpsim.conftest import OTHER_TOKEN, TOKEN, Harness, Inbox

REFERENCE = "bm-pix-1"


def until(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat(timespec="milliseconds")


def body(**changes: Any) -> dict[str, Any]:
    return {
        "transaction_amount": 47.5,
        "description": "BreadMate T042",
        "payment_method_id": "pix",
        "external_reference": REFERENCE,
        "date_of_expiration": until(minutes=31),
        "payer": {"email": "kiosk@example.com"},
    } | changes


def create(mp: Harness, key: str = "p-1", **changes: Any) -> dict[str, Any]:
    answer = mp.sdk.payment().create(body(**changes), mp.key(key))
    assert answer["status"] == 201, answer
    payment: dict[str, Any] = answer["response"]
    return payment


def order_of(mp: Harness, payment: dict[str, Any]) -> str:
    """The name by which the control API knows a payment."""
    with mp.sim.orders() as book:
        return next(order.id for order in book.orders.values() if order.payment_reference == str(payment["id"]))


def refusal(answer: dict[str, Any]) -> tuple[int, str, int]:
    told = answer["response"]
    assert told["status"] == answer["status"]
    return answer["status"], told["error"], told["cause"][0]["code"]


def test_pix_payment_has_the_documented_shape(mp: Harness) -> None:
    payment = create(mp)

    assert isinstance(payment["id"], int)
    assert (payment["status"], payment["status_detail"]) == ("pending", "pending_waiting_transfer")
    assert (payment["transaction_amount"], payment["transaction_amount_refunded"], payment["currency_id"]) == (
        47.5,
        0.0,
        "BRL",
    )
    data = payment["point_of_interaction"]["transaction_data"]
    assert data["qr_code"].startswith("000201")
    assert mp.sdk.payment().get(payment["id"])["response"] == payment


def test_same_key_is_the_same_payment(mp: Harness) -> None:
    wish = body()
    first = mp.sdk.payment().create(wish, mp.key("p-1"))
    again = mp.sdk.payment().create(wish, mp.key("p-1"))

    assert again == first
    assert len(mp.sim.book.orders) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"transaction_amount": "47.50"}, 4003),
        ({"transaction_amount": True}, 4003),
        ({"transaction_amount": 0}, 4037),
        ({"transaction_amount": 1.005}, 4037),
        ({"transaction_amount": 1e30}, 4037),
        ({"payment_method_id": "boleto"}, 4001),
        ({"payer": None}, 4006),
        ({"payer": {"email": "nobody"}}, 4050),
        ({"date_of_expiration": "tomorrow"}, 23),
        ({"date_of_expiration": "2026-13-45T00:00:00.000-03:00"}, 23),
    ],
)
def test_invalid_payment_is_refused_in_the_older_form(mp: Harness, changes: dict[str, Any], code: int) -> None:
    answer = mp.sdk.payment().create(body(**changes), mp.key("p-1"))

    assert refusal(answer) == (400, "bad_request", code)
    assert mp.sim.book.orders == {}


@pytest.mark.parametrize(("span", "status"), [(28, 400), (30, 201), (30 * 24 * 60, 201), (30 * 24 * 60 + 9, 400)])
def test_pix_lives_from_half_an_hour_to_thirty_days(mp: Harness, span: int, status: int) -> None:
    answer = mp.sdk.payment().create(body(date_of_expiration=until(minutes=span)), mp.key("p-1"))

    assert answer["status"] == status


def test_key_and_token_are_required_in_the_older_form(mp: Harness) -> None:
    def post(**headers: str) -> dict[str, Any]:
        told = mp.session.post(f"{mp.url}/v1/payments", data=b"{", headers=headers, timeout=5)
        return {"status": told.status_code, "response": told.json()}

    assert post()["response"]["error"] == "unauthorized"
    assert refusal(post(Authorization=f"Bearer {TOKEN}")) == (400, "bad_request", 4292)
    keyed = {"Authorization": f"Bearer {TOKEN}", "X-Idempotency-Key": "p"}
    assert refusal(post(**keyed)) == (400, "bad_request", 1)


def test_paid_payment_is_approved_and_given_back_in_parts(mp: Harness) -> None:
    payment = create(mp)
    mp.control(f"orders/{order_of(mp, payment)}/pay")
    paid = mp.sdk.payment().get(payment["id"])["response"]
    assert (paid["id"], paid["status"], paid["status_detail"]) == (payment["id"], "approved", "accredited")

    first = mp.sdk.refund().create(payment["id"], {"amount": 12.5}, mp.key("r-1"))
    part = mp.sdk.payment().get(payment["id"])["response"]
    too_much = mp.sdk.refund().create(payment["id"], {"amount": 35.01}, mp.key("r-2"))
    rest = mp.sdk.refund().create(payment["id"], None, mp.key("r-3"))
    over = mp.sdk.refund().create(payment["id"], None, mp.key("r-4"))

    assert (first["status"], first["response"]["amount"], first["response"]["status"]) == (201, 12.5, "approved")
    assert (part["status"], part["status_detail"], part["transaction_amount_refunded"]) == (
        "approved",
        "partially_refunded",
        12.5,
    )
    assert refusal(too_much) == (400, "bad_request", 4040)
    assert (rest["status"], rest["response"]["amount"]) == (201, 35.0)
    assert refusal(over) == (400, "bad_request", 2063)
    refunds = mp.sdk.refund().list_all(payment["id"])["response"]
    assert [refund["amount"] for refund in refunds] == [12.5, 35.0]
    assert mp.sdk.refund().get(payment["id"], refunds[0]["id"])["response"] == refunds[0]
    assert mp.sdk.payment().get(payment["id"])["response"]["status"] == "refunded"
    assert mp.ledger()["net"] == "0.00"


def test_partial_refund_of_a_payment_can_be_switched_off(mp: Harness) -> None:
    payment = create(mp)
    mp.control(f"orders/{order_of(mp, payment)}/pay")
    mp.control("settings", {"partial_refunds": False})

    assert refusal(mp.sdk.refund().create(payment["id"], {"amount": 1}, mp.key("r-1"))) == (400, "bad_request", 3024)


@pytest.mark.parametrize(("amount", "code"), [("1.00", 4041), (-1, 4040), (0, 4040)])
def test_senseless_refund_is_refused(mp: Harness, amount: object, code: int) -> None:
    payment = create(mp)
    mp.control(f"orders/{order_of(mp, payment)}/pay")

    assert refusal(mp.sdk.refund().create(payment["id"], {"amount": amount}, mp.key("r-1")))[2] == code


def test_pending_payment_is_cancelled_with_two_l(mp: Harness) -> None:
    payment = create(mp)

    cancelled = mp.sdk.payment().update(payment["id"], {"status": "cancelled"})
    again = mp.sdk.payment().update(payment["id"], {"status": "cancelled"})

    assert (cancelled["status"], cancelled["response"]["status"], cancelled["response"]["status_detail"]) == (
        200,
        "cancelled",
        "by_collector",
    )
    assert refusal(again) == (400, "bad_request", 2063)
    assert refusal(mp.sdk.payment().update(payment["id"], {"status": "canceled"}))[2] == 2063


def test_payment_expires_by_the_clock(mp: Harness) -> None:
    payment = create(mp)
    mp.control("clock", {"advance_s": 32 * 60})

    told = mp.sdk.payment().get(payment["id"])["response"]
    assert (told["status"], told["status_detail"]) == ("cancelled", "expired")


def test_search_finds_payments_by_reference_and_status(mp: Harness) -> None:
    payment = create(mp)
    create(mp, key="p-2", external_reference="bm-pix-2")

    def found(**filters: str) -> list[int]:
        answer = mp.sdk.payment().search(filters)["response"]
        assert answer["paging"]["total"] == len(answer["results"])
        return [one["id"] for one in answer["results"]]

    assert found(external_reference=REFERENCE) == [payment["id"]]
    assert (len(found(status="pending")), found(status="approved")) == (2, [])


def test_payment_is_no_order_and_an_order_a_payment_only_once_paid(mp: Harness) -> None:
    payment = create(mp)
    order = mp.create()

    assert mp.sdk.order().get(order_of(mp, payment))["status"] == 404
    assert len(mp.sdk.payment().search({})["response"]["results"]) == 1
    mp.control(f"orders/{order['id']}/pay")
    reference = mp.get(order["id"])["transactions"]["payments"][0]["reference_id"]
    told = mp.sdk.payment().get(reference)["response"]
    assert (told["status"], told["transaction_amount"], told["external_reference"]) == ("approved", 47.5, "bm-1")


@pytest.mark.parametrize("number", ["1", "99999999999"])
def test_unknown_payment_is_refused_in_the_older_form(mp: Harness, number: str) -> None:
    create(mp)

    assert refusal(mp.sdk.payment().get(number)) == (404, "not_found", 2000)


def test_sellers_do_not_see_each_others_payments(mp: Harness) -> None:
    payment = create(mp)
    headers = {"Authorization": f"Bearer {OTHER_TOKEN}"}

    assert mp.session.get(f"{mp.url}/v1/payments/{payment['id']}", headers=headers, timeout=5).status_code == 404
    assert mp.session.get(f"{mp.url}/v1/payments/search", headers=headers, timeout=5).json()["results"] == []


def test_merchant_orders_are_found_by_reference(mp: Harness) -> None:
    order = mp.create()
    mp.create("c-2", external_reference="bm-2")

    found = mp.sdk.merchant_order().search({"external_reference": "bm-1"})["response"]["elements"]

    [told] = found
    assert (told["external_reference"], told["status"], told["payments"]) == ("bm-1", "opened", [])
    mp.control(f"orders/{order['id']}/pay")
    paid = mp.sdk.merchant_order().get(told["id"])["response"]
    assert (paid["status"], paid["paid_amount"], paid["payments"][0]["status"]) == ("closed", 47.5, "approved")


def test_chargeback_is_told_and_found(mp: Harness, inbox: Inbox) -> None:
    mp.control("webhooks/policy", {"topics": ["order", "payment", "topic_chargebacks_wh"]})
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay")
    paid = {inbox.next().query["type"][0] for _ in range(2)}
    row = mp.control(f"orders/{order['id']}/chargeback")

    events = {event.query["type"][0]: event for event in (inbox.next(), inbox.next())}

    assert (paid, set(events)) == ({"order", "payment"}, {"payment", "topic_chargebacks_wh"})
    assert events["topic_chargebacks_wh"].query["data.id"] == [row["chargeback_id"]]
    told = json.loads(events["topic_chargebacks_wh"].body)["data"]
    assert told["payment_id"] == int(row["payment_id"])
    assert mp.get(order["id"])["status"] == "charged_back"
    chargeback = mp.sdk.chargeback().get(row["chargeback_id"])["response"]
    assert (chargeback["payments"], chargeback["amount"]) == ([int(row["payment_id"])], 47.5)
    assert mp.sdk.chargeback().search({"payment_id": row["payment_id"]})["response"]["results"] == [chargeback]
    assert mp.sdk.payment().get(row["payment_id"])["response"]["status"] == "charged_back"
    assert mp.sdk.chargeback().get("1")["status"] == 404


def test_payment_events_name_the_payment_and_no_more(mp: Harness, inbox: Inbox) -> None:
    mp.control("webhooks/policy", {"topics": ["order", "payment"]})
    payment = create(mp)
    mp.control(f"orders/{order_of(mp, payment)}/pay")

    event = inbox.next()

    assert (event.query["type"], event.query["data.id"]) == (["payment"], [str(payment["id"])])
    assert json.loads(event.body)["data"] == {"id": str(payment["id"])}
    assert inbox.arrived.empty()


@pytest.mark.parametrize(
    ("status", "becomes"),
    [("processed", "processed"), ("failed", "created"), ("expired", "expired"), ("canceled", "canceled")],
)
def test_event_endpoint_plays_the_buyer(mp: Harness, status: str, becomes: str) -> None:
    order = mp.create()
    headers = {"Authorization": f"Bearer {TOKEN}"}

    def play(wish: object) -> int:
        url = f"{mp.url}/v1/orders/{order['id']}/events"
        return mp.session.post(url, json=wish, headers=headers, timeout=5).status_code

    assert play({"status": status}) == 204
    assert mp.get(order["id"])["status"] == becomes
    assert (play({"status": "paid"}), play([])) == (400, 400)


def test_order_older_than_three_months_is_not_told(mp: Harness) -> None:
    order = mp.create()
    mp.control("clock", {"advance_s": 89 * 86400})
    assert mp.get(order["id"])["status"] == "expired"

    mp.control("clock", {"advance_s": 2 * 86400})
    assert mp.sdk.order().get(order["id"])["status"] == 404
    mp.control("settings", {"get_max_age_days": 0})
    assert mp.get(order["id"])["status"] == "expired"


def test_snapshot_keeps_payments_and_chargebacks(mp: Harness, tmp_path: Path) -> None:
    payment = create(mp)
    mp.control(f"orders/{order_of(mp, payment)}/pay")
    charged_back = mp.control(f"orders/{order_of(mp, payment)}/chargeback")
    snapshot.save(mp.sim, tmp_path / "world.json")

    other = Simulator(Setup())
    snapshot.load(other, tmp_path / "world.json")

    [order] = other.book.orders.values()
    assert (order.kind, order.status, order.chargeback_id) == ("pix", "charged_back", charged_back["chargeback_id"])

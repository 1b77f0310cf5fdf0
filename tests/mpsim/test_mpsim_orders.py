"""Orders over real HTTP with the unmodified SDK: create, get, search, cancel, expire, pay, refund."""

from typing import Any

import mercadopago
import pytest

from ops.mpsim import qr
from tests.mpsim.conftest import OTHER_TOKEN, TOKEN, Harness, code_of, order_body


def test_crc_is_ccitt_false() -> None:
    assert qr.crc16("123456789") == "29B1"


def test_qr_text_equals_the_reference() -> None:
    assert qr.br_code("fdf9ece0-6137-4e1e-a49d-94f55ec9eee2") == (
        "00020101021226940014br.gov.bcb.pix2572pix-qr.mercadopago.com/instore/o/v2/"
        "fdf9ece0-6137-4e1e-a49d-94f55ec9eee25204000053039865802BR5914BREADMATE DEMO6009SAO PAULO"
        "62070503***63042589"
    )


def test_created_order_has_the_documented_shape(mp: Harness) -> None:
    order = mp.create()

    ids = {"id": order.pop("id"), "payment": order["transactions"]["payments"][0].pop("id")}
    dates = {order.pop("created_date"), order.pop("last_updated_date")}
    text = order.pop("type_response")["qr_data"]
    assert [(ids["id"][:5], len(ids["id"])), (ids["payment"][:5], len(ids["payment"]))] == [
        ("ORD01", 29),
        ("PAY01", 29),
    ]
    assert len(dates) == 1
    assert text[-4:] == qr.crc16(text[:-4])
    assert order == {
        "type": "qr",
        "processing_mode": "automatic",
        "external_reference": "bm-1",
        "description": "BreadMate pedido T042",
        "total_amount": "47.50",
        "expiration_time": "PT5M",
        "country_code": "BRA",
        "user_id": "1403498245",
        "status": "created",
        "status_detail": "created",
        "currency": "BRL",
        "integration_data": {"application_id": "7364289770550796"},
        "transactions": {"payments": [{"amount": "47.50", "status": "created", "status_detail": "ready_to_process"}]},
        "config": {"qr": {"external_pos_id": "BMLOJA01TOTEM01", "mode": "dynamic"}},
    }


def test_static_order_has_no_qr_text(mp: Harness) -> None:
    order = mp.create(config={"qr": {"external_pos_id": "BMLOJA01TOTEM01"}})

    assert "type_response" not in order


def test_get_equals_the_created_order(mp: Harness) -> None:
    order = mp.create()

    assert mp.get(order["id"]) == order


def test_every_answer_has_its_own_request_id(mp: Harness) -> None:
    seen = set()
    for path in ("/users/me", "/v1/orders/nonsense", "/nowhere", "/_sim/health", "/"):
        seen.add(mp.session.get(mp.url + path, timeout=5).headers["x-request-id"])

    assert len(seen) == 5


def test_seller_is_known_by_token(mp: Harness) -> None:
    assert mp.sdk.user().get() == {
        "status": 200,
        "response": {"id": 1403498245, "site_id": "MLB", "nickname": "SIMSELLER"},
    }


@pytest.mark.parametrize(
    ("headers", "code"), [({}, "unauthorized"), ({"Authorization": "Bearer TEST-1"}, "invalid_credentials")]
)
def test_wrong_token_is_refused_before_anything_else(mp: Harness, headers: dict[str, str], code: str) -> None:
    answer = mp.session.post(f"{mp.url}/v1/orders", data=b"{nonsense", headers=headers, timeout=5)

    assert code_of({"status": answer.status_code, "response": answer.json()}) == (401, code)


def test_sellers_do_not_see_each_other(mp: Harness) -> None:
    order_id = mp.create("c-1")["id"]
    other = mercadopago.SDK(OTHER_TOKEN, http_client=mp.http)

    refusals = [code_of(other.order().get(order_id)), code_of(other.order().cancel(order_id))]
    own = other.order().create(order_body(), mp.key("c-1"))

    assert other.user().get()["response"]["id"] == 1403498246
    assert refusals == [(404, "order_not_found"), (404, "order_not_found")]
    assert (own["status"], own["response"]["id"] == order_id) == (201, False)
    assert mp.get(order_id)["status"] == "created"


def test_unknown_token_is_not_written_to_the_journal(mp: Harness) -> None:
    mp.session.get(f"{mp.url}/users/me", headers={"Authorization": "Bearer APP_USR-SOMETHING-REAL"}, timeout=5)
    mp.sdk.user().get()

    told = [entry["headers"]["authorization"] for entry in mp.journal("request")]
    assert told == ["Bearer (unknown)", f"Bearer {TOKEN}"]


def test_unknown_path_is_not_found(mp: Harness) -> None:
    answer = mp.session.get(f"{mp.url}/v1/preferences/1", timeout=5)

    assert answer.status_code == 404
    assert answer.json() == {"message": "/v1/preferences/1 not found", "error": "not_found", "status": 404, "cause": []}


def raw_create(mp: Harness, body: bytes, key: str | None = "c-1") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {TOKEN}"} | ({"X-Idempotency-Key": key} if key else {})
    answer = mp.session.post(f"{mp.url}/v1/orders", data=body, headers=headers, timeout=5)
    return code_of({"status": answer.status_code, "response": answer.json()})


def test_create_without_key_is_refused_before_its_json_is_read(mp: Harness) -> None:
    assert raw_create(mp, b"{nonsense", key=None) == (400, "empty_required_header")


def test_create_with_an_overlong_key_is_refused(mp: Harness) -> None:
    assert raw_create(mp, b"{}", key="k" * 129) == (400, "invalid_idempotency_key_length")


def test_broken_json_is_told(mp: Harness) -> None:
    assert raw_create(mp, b"{nonsense") == (400, "json_syntax_error")


QR = {"external_pos_id": "BMLOJA01TOTEM01", "mode": "dynamic"}


@pytest.mark.parametrize(
    ("changes", "code", "places"),
    [
        ({"notification_url": "https://x"}, "unsupported_properties", ["notification_url"]),
        ({"config": {"qr": QR | {"colour": "red"}}}, "unsupported_properties", ["config.qr.colour"]),
        ({"config": {"qr": {"mode": "dynamic"}}}, "required_properties", ["config.qr.external_pos_id"]),
        ({"transactions": {"payments": [{}]}}, "required_properties", ["transactions.payments[0].amount"]),
        ({"total_amount": 47.5}, "property_type", ["total_amount"]),
        ({"total_amount": "47.5"}, "property_type", ["total_amount"]),
        ({"total_amount": None}, "property_type", ["total_amount"]),
        ({"transactions": "none"}, "property_type", ["transactions"]),
        ({"type": "online"}, "property_value", ["type"]),
        ({"external_reference": "bm 1"}, "property_value", ["external_reference"]),
        ({"external_reference": "b" * 65}, "property_value", ["external_reference"]),
        ({"description": "d" * 151}, "property_value", ["description"]),
        (
            {"total_amount": "0.00", "transactions": {"payments": [{"amount": "0.00"}]}},
            "property_value",
            ["total_amount"],
        ),
        ({"total_amount": "47.51"}, "property_value", ["total_amount", "transactions.payments[0].amount"]),
        ({"transactions": {"payments": []}}, "property_value", ["transactions.payments"]),
        ({"config": {"qr": QR | {"mode": "moving"}}}, "property_value", ["config.qr.mode"]),
        ({"expiration_time": "PT29S"}, "property_value", ["expiration_time"]),
        ({"expiration_time": "PT3601H"}, "property_value", ["expiration_time"]),
        ({"expiration_time": "PT"}, "property_value", ["expiration_time"]),
        ({"items": [{"title": "Pão"}] * 11}, "property_value", ["items"]),
    ],
)
def test_invalid_order_is_refused_with_its_places(
    mp: Harness, changes: dict[str, Any], code: str, places: list[str]
) -> None:
    answer = mp.sdk.order().create(order_body(**changes), mp.key("c-1"))

    assert code_of(answer) == (400, code)
    assert answer["response"]["errors"][0]["details"] == places
    assert mp.ledger()["orders"] == 0


def test_faults_of_a_body_are_reported_in_order(mp: Harness) -> None:
    body = order_body(total_amount=1, external_reference="no good", config={"qr": {"external_pos_id": "NONE"}})
    del body["type"]
    body["strange"] = 1
    codes = []
    for mend in ({}, {"strange": None}, {"type": "qr"}, {"total_amount": "47.50"}, {"external_reference": "bm-1"}):
        body |= mend
        body = {name: value for name, value in body.items() if value is not None}
        codes.append(code_of(mp.sdk.order().create(body, mp.key("c-1"))))

    assert codes == [
        (400, "unsupported_properties"),
        (400, "required_properties"),
        (400, "property_type"),
        (400, "property_value"),
        (404, "pos_not_found"),
    ]


def test_number_amounts_are_accepted_only_when_lenient(mp: Harness) -> None:
    mp.control("settings", {"lenient_amounts": True})

    order = mp.create(total_amount=10.1, transactions={"payments": [{"amount": 10.10}]})

    assert order["total_amount"] == "10.10"


def test_external_reference_is_used_once(mp: Harness) -> None:
    mp.create("c-1")

    assert code_of(mp.sdk.order().create(order_body(), mp.key("c-2"))) == (400, "property_value")


@pytest.mark.parametrize(
    ("order_id", "refusal"),
    [("ORD1", (400, "invalid_path_param")), ("ORD" + "0" * 26, (404, "order_not_found"))],
)
def test_unknown_order_is_refused(mp: Harness, order_id: str, refusal: tuple[int, str]) -> None:
    mp.create()

    assert code_of(mp.sdk.order().get(order_id)) == refusal
    assert code_of(mp.sdk.order().cancel(order_id)) == refusal
    assert code_of(mp.sdk.order().refund(order_id)) == refusal


def test_paid_order_tells_of_its_money(mp: Harness) -> None:
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay", {"method": "account_money"})

    paid = mp.get(order["id"])

    payment = paid["transactions"]["payments"][0]
    assert int(payment.pop("reference_id")) > 0
    assert (paid["status"], paid["status_detail"], paid["total_paid_amount"]) == ("processed", "accredited", "47.50")
    assert paid["transactions"]["refunds"] == []
    assert payment == {
        "id": order["transactions"]["payments"][0]["id"],
        "amount": "47.50",
        "paid_amount": "47.50",
        "refunded_amount": "0.00",
        "status": "processed",
        "status_detail": "accredited",
        "payment_method": {"id": "account_money", "type": "account_money", "installments": 1},
    }


def test_buyer_may_pay_another_amount(mp: Harness) -> None:
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay", {"amount": "40.00"})

    assert mp.get(order["id"])["total_paid_amount"] == "40.00"
    assert mp.ledger() == {"orders": 1, "paid": "40.00", "refunded": "0.00", "net": "40.00"}


def test_order_is_paid_once(mp: Harness) -> None:
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay")
    mp.control(f"orders/{order['id']}/pay", expect=409)

    assert mp.ledger()["paid"] == "47.50"


def test_declined_order_can_still_be_paid(mp: Harness) -> None:
    order = mp.create()
    mp.control(f"orders/{order['id']}/decline")

    assert mp.get(order["id"])["status"] == "created"
    assert mp.control(f"orders/{order['id']}/pay")["status"] == "processed"


def test_order_expires_by_the_clock(mp: Harness) -> None:
    order = mp.create()
    mp.control("clock", {"advance_s": 290})
    before = mp.get(order["id"])["status"]
    mp.control("clock", {"advance_s": 10})

    expired = mp.get(order["id"])

    assert (before, expired["status"]) == ("created", "expired")
    assert expired["transactions"]["payments"][0]["status"] == "expired"
    assert mp.control(f"orders/{order['id']}/pay", expect=409)["errors"][0]["code"] == "order_not_payable"


@pytest.mark.parametrize("end", ["expire", "cancel"])
def test_late_payment_needs_force(mp: Harness, end: str) -> None:
    order = mp.create()
    if end == "expire":
        mp.control(f"orders/{order['id']}/expire")
    else:
        mp.sdk.order().cancel(order["id"])

    mp.control(f"orders/{order['id']}/pay", expect=409)
    mp.control(f"orders/{order['id']}/pay", {"force_after_expiry": True})

    assert mp.get(order["id"])["status"] == "processed"


def test_cancel_closes_a_created_order(mp: Harness) -> None:
    order = mp.create()

    answer = mp.sdk.order().cancel(order["id"])

    payment = answer["response"]["transactions"]["payments"][0]
    assert (answer["status"], answer["response"]["status"]) == (200, "canceled")
    assert payment["status_detail"] == "canceled_by_api"
    assert mp.get(order["id"]) == answer["response"]


@pytest.mark.parametrize("state", ["processed", "expired", "canceled", "refunded"])
def test_only_a_created_order_is_canceled(mp: Harness, state: str) -> None:
    order_id = mp.create()["id"]
    if state in ("processed", "refunded"):
        mp.control(f"orders/{order_id}/pay")
    if state == "refunded":
        mp.sdk.order().refund(order_id)
    if state == "expired":
        mp.control(f"orders/{order_id}/expire")
    if state == "canceled":
        mp.sdk.order().cancel(order_id)

    assert code_of(mp.sdk.order().cancel(order_id)) == (409, "order_already_canceled")
    assert mp.get(order_id)["status"] == state


def test_payment_in_progress_locks_the_order(mp: Harness) -> None:
    order_id = mp.create()["id"]
    mp.control(f"orders/{order_id}/pay", {"lock_ms": 400_000}, expect=202)

    assert code_of(mp.sdk.order().cancel(order_id)) == (409, "instore_order_locked_error")
    mp.control("clock", {"advance_s": 350})
    assert mp.get(order_id)["status"] == "created"  # past its expiry, but the payment holds it
    mp.control("clock", {"advance_s": 50})
    assert mp.get(order_id)["status"] == "processed"


def test_delayed_payment_comes_too_late_for_a_canceled_order(mp: Harness) -> None:
    order_id = mp.create()["id"]
    mp.control(f"orders/{order_id}/pay", {"delay_ms": 60_000}, expect=202)

    assert mp.sdk.order().cancel(order_id)["status"] == 200
    mp.control("clock", {"advance_s": 60})
    assert mp.get(order_id)["status"] == "canceled"


def test_auto_pay_pays_within_its_span(mp: Harness) -> None:
    mp.control("settings", {"auto_pay_s": [30, 80]})
    order_id = mp.create()["id"]

    mp.control("clock", {"advance_s": 20})
    before = mp.get(order_id)["status"]
    mp.control("clock", {"advance_s": 60})

    assert (before, mp.get(order_id)["status"]) == ("created", "processed")


def test_full_refund_gives_everything_back(mp: Harness) -> None:
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay")

    answer = mp.sdk.order().refund(order["id"])

    refund = answer["response"]["transactions"]["refunds"][0]
    assert (refund.pop("id")[:5], int(refund.pop("reference_id")) > 0) == ("REF01", True)
    assert refund == {
        "transaction_id": order["transactions"]["payments"][0]["id"],
        "amount": "47.50",
        "status": "processed",
    }
    assert (answer["status"], answer["response"]["status"]) == (201, "refunded")
    assert mp.get(order["id"])["transactions"]["payments"][0]["refunded_amount"] == "47.50"
    assert mp.ledger() == {"orders": 1, "paid": "47.50", "refunded": "47.50", "net": "0.00"}


def part(order: dict[str, Any], amount: str) -> dict[str, Any]:
    return {"transactions": [{"id": order["transactions"]["payments"][0]["id"], "amount": amount}]}


def test_partial_refunds_never_exceed_the_payment(mp: Harness) -> None:
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay")

    first = mp.sdk.order().refund(order["id"], part(order, "12.50"))["response"]
    second = mp.sdk.order().refund(order["id"], part(order, "30.00"))["response"]
    third = mp.sdk.order().refund(order["id"], part(order, "5.01"))
    last = mp.sdk.order().refund(order["id"], part(order, "5.00"))["response"]

    assert (first["status"], first["status_detail"]) == ("processed", "partially_refunded")
    assert [refund["amount"] for refund in second["transactions"]["refunds"]] == ["30.00"]
    assert code_of(third) == (400, "refund_amount_exceeds")
    assert last["status"] == "refunded"
    assert [refund["amount"] for refund in mp.get(order["id"])["transactions"]["refunds"]] == ["12.50", "30.00", "5.00"]


def test_partial_refunds_can_be_switched_off(mp: Harness) -> None:
    mp.control("settings", {"partial_refunds": False})
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay")

    assert code_of(mp.sdk.order().refund(order["id"], part(order, "12.50"))) == (400, "unsupported_partially_refunds")
    assert mp.sdk.order().refund(order["id"])["response"]["status"] == "refunded"


def test_refund_refusals(mp: Harness) -> None:
    order = mp.create()
    unpaid = mp.sdk.order().refund(order["id"])
    mp.control(f"orders/{order['id']}/pay")
    stranger = mp.sdk.order().refund(order["id"], {"transactions": [{"id": "PAY01X", "amount": "1.00"}]})
    mp.sdk.order().refund(order["id"])
    again = mp.sdk.order().refund(order["id"])

    assert [code_of(unpaid), code_of(stranger), code_of(again)] == [
        (409, "invalid_order_status"),
        (404, "transaction_not_found"),
        (409, "order_already_refunded"),
    ]


def test_asynchronous_refund_is_final_later(mp: Harness) -> None:
    mp.control("settings", {"refund_mode": "async", "refund_delay_s": 60})
    order_id = mp.create()["id"]
    mp.control(f"orders/{order_id}/pay")

    asked = mp.sdk.order().refund(order_id)["response"]
    meanwhile = mp.ledger()["refunded"]
    mp.control("clock", {"advance_s": 60})

    assert (asked["status"], asked["transactions"]["refunds"][0]["status"]) == ("processed", "processing")
    assert (meanwhile, mp.ledger()["refunded"]) == ("0.00", "47.50")
    assert mp.get(order_id)["status"] == "refunded"


def test_search_finds_an_order_by_reference(mp: Harness) -> None:
    mp.create("c-1", external_reference="bm-1")
    second = mp.create("c-2", external_reference="bm-2")
    dates = {"begin_date": "2020-01-01T00:00:00Z", "end_date": "2100-01-01T00:00:00.000-03:00"}

    one = mp.sdk.order().search(dates | {"external_reference": "bm-2"})["response"]
    page = mp.sdk.order().search(dates | {"page": "2", "page_size": "1"})["response"]
    none = mp.sdk.order().search({"begin_date": "2020-01-01T00:00:00Z", "end_date": "2020-01-02T00:00:00Z"})["response"]

    assert one == {"data": [second], "paging": {"total": 1, "total_pages": 1, "offset": 0, "limit": 20}}
    assert [order["external_reference"] for order in page["data"]] == ["bm-1"]
    assert none["data"] == []
    assert code_of(mp.sdk.order().search({"external_reference": "bm-2"})) == (400, "missing_required_params")


def test_store_and_pos_are_registered_once(mp: Harness) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    store = {"name": "Padaria", "external_id": "L1", "location": {"city_name": "São Paulo", "state_name": "São Paulo"}}
    pos = {"name": "Totem 01", "external_store_id": "L1", "external_id": "L1T1"}

    def post(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = mp.session.post(mp.url + path, json=body, headers=headers, timeout=5)
        return answer.status_code, answer.json()

    def refusal(body: dict[str, Any]) -> tuple[int, str]:
        status, told = post("/pos", body)
        return status, told["errors"][0]["code"]

    assert refusal(pos) == (400, "EXTERNAL_STORE_ID_NOT_MATCH")
    assert post("/users/1403498245/stores", store)[0] == 201
    assert refusal(pos | {"external_id": "L1-T1"}) == (400, "INVALID_EXTERNAL_ID")
    assert refusal(pos | {"external_id": "L" * 40}) == (400, "EXTERNAL_ID_TOO_LONG")
    created = post("/pos", pos)
    assert created[0] == 201
    assert refusal(pos) == (409, "point_of_sale_exists")
    found = mp.session.get(f"{mp.url}/pos", params={"external_id": "L1T1"}, headers=headers, timeout=5).json()
    assert found["results"] == [created[1]]
    assert mp.create(config={"qr": {"external_pos_id": "L1T1", "mode": "dynamic"}})["status"] == "created"

"""Webhooks: signatures against fixed vectors, bodies, policies, retries, resends and forgeries."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ops.mpsim import signature
from tests.mpsim.conftest import Harness, Inbox, Received

Eventually = Callable[[Callable[[], bool]], None]

SECRET = "breadmate-test-secret"
ORDER_ID = "ORD01JQ4S4KY8HWQ6NA5PXB65B3D3"
REQUEST_ID = "2066ca19-c6f1-498a-be75-1923005edd06"


@pytest.mark.parametrize(
    ("style", "data_id", "request_id", "ts", "v1"),
    [
        (
            "docs",
            ORDER_ID,
            REQUEST_ID,
            "1742505638683",
            "7b5e6ad66a8353b64fba3c8ff6e5078229d0abfb511a4f17c85a2af25812e09a",
        ),
        (
            "verbatim",
            ORDER_ID,
            REQUEST_ID,
            "1742505638683",
            "77705729b04f178d9fda249567cf1a056ba313845bc2af014e0292906373c17a",
        ),
        (
            "docs",
            "123456789",
            REQUEST_ID,
            "1704908010",
            "b0e870be16d114349b907c8aae37457078a987fb341a7d74b75229b8254b9586",
        ),
        ("docs", "", REQUEST_ID, "1742505638683", "0193a2f3f483c3d8a895e83625c1254e9c091bfce4e09fdf0a71f6f33afa161f"),
        ("docs", ORDER_ID, "", "1742505638683", "f8199dd70d2185c77926ac1873a77a1b559df1fb22aacde141f8f394bf942091"),
    ],
    ids=["A-docs", "B-verbatim", "C-seconds", "D-no-id", "E-no-request-id"],
)
def test_signature_equals_the_vectors(style: str, data_id: str, request_id: str, ts: str, v1: str) -> None:
    signed = signature.header(style, secret=SECRET, data_id=data_id, request_id=request_id, ts=ts)

    assert signed == f"ts={ts},v1={v1}"


def verified(event: Received, *, lower: bool, secret: str = SECRET) -> bool:
    """Check a received signature as a merchant does, from the query and the headers."""
    data_id = event.query["data.id"][0]
    ts, v1 = (pair.split("=")[1] for pair in event.headers["x-signature"].split(","))
    text = f"id:{data_id.lower() if lower else data_id};request-id:{event.headers['x-request-id']};ts:{ts};"
    return v1 == signature.digest(secret, text)


def body_of(event: Received) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event.body)
    return body


def told(event: Received) -> tuple[str, int]:
    body = body_of(event)
    return body["action"], body["data"]["version"]


def test_paid_order_is_announced(mp: Harness, inbox: Inbox) -> None:
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay")

    event = inbox.next()

    assert event.query == {"data.id": [order["id"]], "type": ["order"]}
    assert (event.headers["x-retry"], event.headers["x-socket-timeout"]) == ("0", "22000")
    assert (event.headers["user-agent"], event.headers["content-type"]) == (
        "restclient-node/4.15.3",
        "application/json",
    )
    assert len(event.headers["x-signature"].split(",")[0]) == len("ts=1742505638683")
    assert verified(event, lower=True)
    body = body_of(event)
    payment = body["data"]["transactions"]["payments"][0]
    reference = mp.get(order["id"])["transactions"]["payments"][0]["reference_id"]
    assert payment.pop("reference") == {"id": reference}
    assert len(body.pop("id")) == 32
    assert body.pop("date_created").endswith("Z")
    assert body == {
        "action": "order.processed",
        "api_version": "v1",
        "application_id": "7364289770550796",
        "live_mode": False,
        "type": "order",
        "user_id": "1403498245",
        "data": {
            "id": order["id"],
            "external_reference": "bm-1",
            "status": "processed",
            "status_detail": "accredited",
            "total_amount": "47.50",
            "total_paid_amount": "47.50",
            "type": "qr",
            "version": 2,
            "transactions": {
                "payments": [
                    {
                        "id": order["transactions"]["payments"][0]["id"],
                        "amount": "47.50",
                        "paid_amount": "47.50",
                        "status": "processed",
                        "status_detail": "accredited",
                        "payment_method": {"id": "pix", "type": "bank_transfer", "installments": 1},
                    }
                ]
            },
        },
    }


def test_verbatim_signature_in_seconds(mp: Harness, inbox: Inbox) -> None:
    mp.control("webhooks/policy", {"sign": "verbatim", "ts_unit": "s"})
    mp.control(f"orders/{mp.create()['id']}/pay")

    event = inbox.next()

    assert len(event.headers["x-signature"].split(",")[0]) == len("ts=1742505638")
    assert (verified(event, lower=False), verified(event, lower=True)) == (True, False)


@pytest.mark.parametrize("style", ["bad", "other_secret"])
def test_wrong_signatures_do_not_verify(mp: Harness, inbox: Inbox, style: str) -> None:
    mp.control("webhooks/policy", {"sign": style})
    mp.control(f"orders/{mp.create()['id']}/pay")

    event = inbox.next()

    assert (verified(event, lower=True), verified(event, lower=False)) == (False, False)
    assert verified(event, lower=True, secret="not-breadmate-test-secret") is (style == "other_secret")


def test_versions_rise_with_each_change(mp: Harness, inbox: Inbox) -> None:
    order_id = mp.create()["id"]
    mp.control(f"orders/{order_id}/expire")
    expired = inbox.next()
    mp.control(f"orders/{order_id}/pay", {"force_after_expiry": True})
    processed = inbox.next()
    mp.sdk.order().refund(order_id)
    refunded = inbox.next()

    assert [told(event) for event in (expired, processed, refunded)] == [
        ("order.expired", 2),
        ("order.processed", 3),
        ("order.refunded", 4),
    ]
    assert ["transactions" in body_of(event)["data"] for event in (expired, refunded)] == [False, False]


def test_clock_alone_brings_the_expired_event(mp: Harness, inbox: Inbox) -> None:
    mp.create()
    mp.control("clock", {"advance_s": 300})

    assert told(inbox.next()) == ("order.expired", 2)


def test_canceled_order_is_announced(mp: Harness, inbox: Inbox) -> None:
    mp.sdk.order().cancel(mp.create()["id"])

    assert told(inbox.next()) == ("order.canceled", 2)


@pytest.mark.parametrize(("partial_event", "heard"), [("none", 2), ("order.refunded", 3), ("order.processed", 3)])
def test_partial_refund_is_announced_as_told(mp: Harness, inbox: Inbox, partial_event: str, heard: int) -> None:
    mp.control("webhooks/policy", {"partial_event": partial_event})
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay")
    mp.control(f"orders/{order['id']}/refund_by_seller", {"amount": "10.00"})
    mp.control(f"orders/{order['id']}/refund_by_seller")

    events = sorted(told(inbox.next())[1] for _ in range(heard))

    assert events == ([2, 4] if partial_event == "none" else [2, 3, 4])


def test_refused_event_is_retried_on_the_clock(mp: Harness, inbox: Inbox, eventually: Eventually) -> None:
    inbox.answers.put(503)
    inbox.answers.put(404)
    mp.control(f"orders/{mp.create()['id']}/pay")
    events = [inbox.next()]
    for turn in (1, 2):
        eventually(lambda: len([entry for entry in mp.journal("webhook") if "status" in entry]) == len(events))
        mp.control("clock", {"advance_s": 900})
        events.append(inbox.next())
        assert events[-1].headers["x-retry"] == str(turn)

    eventually(lambda: [entry.get("status") for entry in mp.journal("webhook")] == [503, 404, 200])
    assert len({event.body for event in events}) == 1


def test_unreachable_receiver_is_told_in_the_journal(mp: Harness, eventually: Eventually) -> None:
    mp.control("webhooks/policy", {"url": "http://127.0.0.1:1/hook"})
    mp.control(f"orders/{mp.create()['id']}/pay")

    eventually(lambda: [entry.get("error") for entry in mp.journal("webhook")] == ["ConnectionRefusedError"])


def test_duplicates_have_their_own_request_ids(mp: Harness, inbox: Inbox) -> None:
    mp.control("webhooks/policy", {"duplicates": 4})
    mp.control(f"orders/{mp.create()['id']}/pay")

    events = [inbox.next() for _ in range(5)]

    assert len({event.body for event in events}) == 1
    assert len({event.headers["x-request-id"] for event in events}) == 5


def test_dropped_event_can_be_resent(mp: Harness, inbox: Inbox) -> None:
    mp.control("webhooks/policy", {"drop": 1})
    order_id = mp.create()["id"]
    mp.control(f"orders/{order_id}/pay")
    assert [entry["outcome"] for entry in mp.journal("webhook")] == ["dropped"]

    mp.control("webhooks/resend", {"order_id": order_id, "version": 2}, expect=202)

    assert told(inbox.next()) == ("order.processed", 2)
    mp.control("webhooks/resend", {"order_id": order_id, "version": 7}, expect=404)


def test_lifo_turns_the_order_round(mp: Harness, inbox: Inbox) -> None:
    mp.control("webhooks/policy", {"reorder": "lifo", "delay_ms": [0, 60_000]})
    order_id = mp.create()["id"]
    mp.control(f"orders/{order_id}/pay")
    mp.sdk.order().refund(order_id)
    mp.control("clock", {"advance_s": 60})

    assert [told(inbox.next()) for _ in range(2)] == [("order.refunded", 3), ("order.processed", 2)]


@pytest.mark.parametrize("sign", ["none", "bad", "docs"])
def test_forged_event_changes_nothing(mp: Harness, inbox: Inbox, sign: str) -> None:
    order = mp.create()

    mp.control("webhooks/forge", {"data_id": order["id"], "action": "order.processed", "sign": sign}, expect=202)

    event = inbox.next()
    assert (body_of(event)["action"], body_of(event)["data"]["status"]) == ("order.processed", "processed")
    assert ("x-signature" in event.headers) is (sign != "none")
    assert mp.get(order["id"]) == order


@pytest.mark.parametrize(
    "policy",
    [
        {"url": "ftp://x"},
        {"drop": 2},
        {"reorder": "no"},
        {"sign": "no"},
        {"delay_ms": [5]},
        {"delay_ms": ["a", "b"]},
        {"topics": ["nothing"]},
        {"topics": []},
        {"unknown": 1},
    ],
)
def test_senseless_policy_is_refused(mp: Harness, inbox: Inbox, policy: dict[str, Any]) -> None:
    mp.control("webhooks/policy", policy, expect=400)

    assert mp.session.get(f"{mp.url}/_sim/webhooks/policy", timeout=5).json()["url"] == inbox.url


def test_merchant_order_event_leads_to_the_order(mp: Harness, inbox: Inbox) -> None:
    mp.control("webhooks/policy", {"topics": ["topic_merchant_order_wh"]})
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay", {"amount": "40.00"})

    event = inbox.next()

    number = event.query["data.id"][0]
    told = mp.sdk.merchant_order().get(number)["response"]
    assert event.query["type"] == ["topic_merchant_order_wh"]
    assert (body_of(event)["id"], verified(event, lower=True)) == (number, True)
    assert [payment["transaction_amount"] for payment in told.pop("payments")] == [40.0]
    assert told == {
        "id": int(number),
        "status": "opened",
        "external_reference": "bm-1",
        "total_amount": 47.5,
        "paid_amount": 40.0,
        "refunded_amount": 0.0,
    }


def test_every_topic_of_the_policy_is_told(mp: Harness, inbox: Inbox) -> None:
    mp.control("webhooks/policy", {"topics": ["order", "topic_merchant_order_wh"]})
    mp.control(f"orders/{mp.create()['id']}/pay")

    assert {inbox.next().query["type"][0] for _ in range(2)} == {"order", "topic_merchant_order_wh"}

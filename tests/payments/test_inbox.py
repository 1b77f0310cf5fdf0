"""The webhook inbox: everything is kept once, nothing is believed, only what is ours is looked at."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apps.core.models import StoredEvent
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments import inbox
from apps.payments.models import Charge, WebhookEvent
from apps.payments.notifications import Outcome
from apps.payments.rules import Method, State
from apps.payments.services import advance_charge, claim_due, open_charge
from tests.factories import claim
from tests.fixtures import Screen
from tests.payments.conftest import Provider

PATH = "/api/v1/payments/webhook"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def charge(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> Charge:
    return open_charge(
        order_id=order.id, method=Method.MERCADO_PAGO_QR, by=kiosk.actor, claim=claim(kiosk.actor), at=now
    )


def notification(resource: str | None, version: int = 1) -> bytes:
    data = {"id": resource, "version": version}
    return orjson.dumps({"action": "order.processed", "type": "order", "data": data})


def post(body: bytes, query: str = "", **headers: str) -> HttpResponse:
    return Client().post(f"{PATH}{query}", body, "application/json", headers=headers)


def test_same_notification_is_kept_once(db: None) -> None:
    answers = [post(notification("ORD1"), "?data.id=ORD1&type=order") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    kept = WebhookEvent.objects.get()
    assert (kept.topic, kept.resource_id, kept.action) == ("order", "ORD1", "order.processed")
    assert bytes(kept.body) == notification("ORD1")
    assert (kept.copies, kept.charge, kept.outcome) == (3, None, Outcome.UNKNOWN)
    assert kept.processed_at is not None


def test_next_version_of_the_same_resource_is_another_notification(db: None) -> None:
    post(notification("ORD1", version=1))
    post(notification("ORD1", version=2))

    assert WebhookEvent.objects.count() == 2


def test_notification_makes_its_charge_due_and_calls_nobody_itself(
    provider: Provider, charge: Charge, order: Order, now: datetime
) -> None:
    provider.pay(charge.provider_order_id)
    post(notification(charge.provider_order_id))
    assert provider.calls == ["POST /v1/orders"]

    assert inbox.process(at=now) == 1
    assert provider.calls == ["POST /v1/orders"]
    assert claim_due(at=now) == [charge.id]
    advance_charge(charge_id=charge.id, at=now)

    order.refresh_from_db()
    assert (order.status, WebhookEvent.objects.get().outcome) == (Status.RECEIVED, "look")
    assert inbox.process(at=now) == 0


def test_body_that_says_paid_is_not_believed(provider: Provider, charge: Charge, order: Order, now: datetime) -> None:
    forged: dict[str, Any] = {
        "data": {"id": charge.provider_order_id, "status": "processed", "total_paid_amount": "47.50"}
    }
    post(orjson.dumps(forged), f"?data.id={charge.provider_order_id}&type=order")

    inbox.process(at=now)
    advance_charge(charge_id=charge.id, at=now)

    order.refresh_from_db()
    charge.refresh_from_db()
    assert (order.status, charge.state) == (Status.AWAITING_PAYMENT, State.PENDING)


@pytest.mark.parametrize("resource", ["ORD01UNKNOWN", "", None, "x" * 500])
def test_notification_of_something_unknown_costs_no_call(
    resource: str | None, provider: Provider, charge: Charge, now: datetime
) -> None:
    assert post(notification(resource)).status_code == 200

    inbox.process(at=now)

    assert WebhookEvent.objects.get().outcome == "unknown"
    assert claim_due(at=now) == []
    assert provider.calls == ["POST /v1/orders"]


def test_news_of_an_ended_charge_that_was_paid_nevertheless_is_looked_at(
    provider: Provider, charge: Charge, now: datetime
) -> None:
    provider.control(f"orders/{charge.provider_order_id}/expire")
    assert advance_charge(charge_id=charge.id, at=now + timedelta(seconds=20)).state == State.EXPIRED
    provider.pay(charge.provider_order_id, force_after_expiry=True)

    later = now + timedelta(seconds=30)
    post(notification(charge.provider_order_id))
    inbox.process(at=later)

    assert claim_due(at=later) == [charge.id]


MALFORMED = {
    "not JSON": b"{",
    "empty": b"",
    "array": b"[1, 2]",
    "null": b"null",
    "text": b'"order"',
    "data is a list": b'{"data": ["ORD1"]}',
    "id is an object": b'{"data": {"id": {"a": 1}}}',
    "NUL": b'{"type": "or\\u0000der", "data": {"id": "OR\\u0000D1"}}',
    "raw NUL": b"\x00\x00",
    "not UTF-8": b"\xff\xfe{}",
    "lone surrogate": b'{"data": {"id": "\\ud800"}}',
    "deep": b"[" * 5000,
    "huge number": b'{"data": {"id": ' + b"9" * 5000 + b"}}",
    "exactly 64 KiB": b'{"a": "' + b"x" * (64 * 1024 - 9) + b'"}',
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_body_is_taken_and_does_nothing(case: str, provider: Provider, charge: Charge, now: datetime) -> None:
    events = StoredEvent.objects.count()

    answer = post(MALFORMED[case])

    assert (answer.status_code, answer.content) == (200, b"{}")
    inbox.process(at=now)
    assert WebhookEvent.objects.get().outcome == "unknown"
    assert (claim_due(at=now), StoredEvent.objects.count()) == ([], events)
    assert provider.calls == ["POST /v1/orders"]


def test_more_than_64_kib_are_refused_and_not_kept(db: None) -> None:
    answer = post(b"x" * (64 * 1024 + 1))

    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("signature", ["ts=1,v1=é", "ts=1,v1=\u20ac".encode().decode("latin-1"), "x" * 4000, ""])
def test_strange_signature_header_does_no_harm(signature: str, db: None) -> None:
    assert post(notification("ORD1"), **{"X-Signature": signature}).status_code == 200

    assert WebhookEvent.objects.get().signature == ("invalid" if signature else "absent")


@pytest.mark.parametrize("query", ["?data.id=%FF%FE", "?data.id=" + "9" * 200, "?id=1&topic=" + "t" * 99])
def test_strange_query_does_no_harm(query: str, db: None) -> None:
    assert post(notification("ORD1"), query).status_code == 200
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_post_is_taken(method: str, db: None) -> None:
    assert getattr(Client(), method)(PATH).status_code == 405
    assert not WebhookEvent.objects.exists()

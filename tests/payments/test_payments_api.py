"""Payments through the API."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.models import IdempotencyKey
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments.models import Charge
from apps.payments.rules import State
from tests.factories import ProductFactory, place
from tests.fixtures import Reply, Screen
from tests.payments.conftest import CREATE, Provider


def start(kiosk: Screen, order: Order, key: str | None = None, method: str = "mercado_pago_qr") -> Reply:
    return kiosk.post("/payments", {"order": str(order.id), "method": method}, key=key or str(uuid4()))


def test_payment_is_answered_with_the_code_to_show(provider: Provider, order: Order, kiosk: Screen) -> None:
    reply = start(kiosk, order)

    charge = Charge.objects.get()
    assert reply.status == 201
    assert reply.body == {
        "id": str(charge.id),
        "order": str(order.id),
        "method": "mercado_pago_qr",
        "training": False,
        "status": "pending",
        "amount": "47.50",
        "refunded_amount": "0.00",
        "qr_data": charge.qr_data,
        "qr_svg": reply.body["qr_svg"],
        "expires_at": reply.body["expires_at"],
        "provider_reference": charge.provider_order_id,
    }
    assert reply.body["qr_svg"].startswith("<svg")
    assert kiosk.get(f"/payments/{charge.id}").body == reply.body | {"refunds": []}
    assert kiosk.get(f"/orders/{order.id}").body["payment"] == str(charge.id)


def test_repeat_gets_the_same_bytes_and_one_charge(provider: Provider, order: Order, kiosk: Screen) -> None:
    first = start(kiosk, order, "k")
    provider.pay(first.body["provider_reference"])
    kiosk.post(f"/payments/{first.body['id']}/check")

    again = start(kiosk, order, "k")

    assert (again.status, again.response.content) == (201, first.response.content)
    assert again.response["Idempotent-Replayed"] == "true"
    assert (Charge.objects.count(), provider.orders) == (1, 1)


def test_same_key_for_another_order_is_refused(provider: Provider, order: Order, kiosk: Screen) -> None:
    other = place(kiosk.device, ProductFactory())
    start(kiosk, order, "k")

    assert start(kiosk, other, "k").code == (422, "idempotency_key_reused")
    assert Charge.objects.get().order_id == order.id


def test_provider_away_is_answered_202_and_the_repeat_tells_how_it_stands(
    provider: Provider, order: Order, kiosk: Screen
) -> None:
    provider.fault(CREATE, do="status", status=503)
    queued = start(kiosk, order, "k")
    assert (queued.status, queued.body["status"], queued.body["qr_data"]) == (202, "queued", None)
    assert not IdempotencyKey.objects.filter(key="k").exists()

    healed = kiosk.post(f"/payments/{queued.body['id']}/check")
    again = start(kiosk, order, "k")

    assert (healed.body["status"], again.status) == ("pending", 201)
    assert again.body == healed.body
    assert (Charge.objects.count(), provider.orders) == (1, 1)


def test_guests_check_settles_the_payment(provider: Provider, order: Order, kiosk: Screen) -> None:
    opened = start(kiosk, order).body
    provider.pay(opened["provider_reference"])

    checked = kiosk.post(f"/payments/{opened['id']}/check")

    assert (checked.status, checked.body["status"], checked.body["qr_data"]) == (200, "approved", None)
    assert kiosk.get(f"/orders/{order.id}").body["status"] == "received"


def test_check_while_another_call_is_under_way_calls_nobody(provider: Provider, order: Order, kiosk: Screen) -> None:
    opened = start(kiosk, order).body
    Charge.objects.update(leased_until=timezone.now() + timedelta(seconds=14))

    reply = kiosk.post(f"/payments/{opened['id']}/check")

    assert (reply.status, reply.body["status"]) == (200, "pending")
    assert provider.calls == ["POST /v1/orders"]


def test_second_check_at_once_is_refused(provider: Provider, order: Order, kiosk: Screen) -> None:
    opened = start(kiosk, order).body
    kiosk.post(f"/payments/{opened['id']}/check")

    refused = kiosk.post(f"/payments/{opened['id']}/check")

    assert (refused.code, refused.response["Retry-After"]) == ((429, "throttled"), "3")
    assert provider.calls == ["POST /v1/orders", "GET /v1/orders"]


@pytest.mark.parametrize("state", [State.APPROVED, State.EXPIRED, State.FAILED])
def test_check_of_a_final_payment_calls_nobody(state: State, provider: Provider, order: Order, kiosk: Screen) -> None:
    opened = start(kiosk, order).body
    Charge.objects.update(state=state, settled_at=timezone.now(), pays_order=state == State.APPROVED)

    assert kiosk.post(f"/payments/{opened['id']}/check").body["status"] == state
    assert provider.calls == ["POST /v1/orders"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"order": "x", "method": "mercado_pago_qr"},
        {"order": "ORDER", "method": "cash"},
        {"order": "ORDER", "method": "mercado_pago_qr", "amount": "0.01"},
        [],
    ],
)
def test_malformed_payment_is_refused(body: object, provider: Provider, order: Order, kiosk: Screen) -> None:
    if isinstance(body, dict) and body.get("order") == "ORDER":
        body = body | {"order": str(order.id)}

    assert kiosk.post("/payments", body, key="k").code == (400, "invalid")
    assert not Charge.objects.exists()
    assert provider.calls == []


def test_payment_without_a_key_is_refused(order: Order, kiosk: Screen) -> None:
    reply = kiosk.post("/payments", {"order": str(order.id), "method": "mercado_pago_qr"})

    assert reply.code == (400, "invalid")
    assert reply.errors == [("Idempotency-Key", "required")]


def test_paid_order_is_not_charged_again(provider: Provider, order: Order, kiosk: Screen) -> None:
    opened = start(kiosk, order).body
    provider.pay(opened["provider_reference"])
    kiosk.post(f"/payments/{opened['id']}/check")

    assert start(kiosk, order).code == (409, "already_paid")
    assert Charge.objects.count() == 1
    order.refresh_from_db()
    assert order.status == Status.RECEIVED


def test_other_stores_kiosk_neither_charges_nor_sees(
    provider: Provider, order: Order, kiosk: Screen, stranger: Screen
) -> None:
    opened = start(kiosk, order).body

    assert start(stranger, order).code == (404, "not_found")
    assert stranger.get(f"/payments/{opened['id']}").code == (404, "not_found")
    assert stranger.post(f"/payments/{opened['id']}/check").code == (404, "not_found")
    assert provider.calls == ["POST /v1/orders"]

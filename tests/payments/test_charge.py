"""One charge from the QR code to the kitchen, at the simulated provider."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.core.models import StoredEvent
from apps.inventory.models import Reservation, StockLevel, StockMovement
from apps.orders.errors import AlreadyPaidError, OrderNotFoundError
from apps.orders.models import Order, Preparation
from apps.orders.rules import Status
from apps.payments.models import Charge
from apps.payments.rules import Method, State
from apps.payments.services import advance_charge, open_charge
from apps.stores.models import Store
from tests.factories import claim, order_in, place, stocked_product
from tests.fixtures import Screen, broken_rules
from tests.payments.conftest import Provider

LATER = timedelta(seconds=20)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def charge(order: Order, kiosk: Screen, at: datetime) -> Charge:
    return open_charge(
        order_id=order.id, method=Method.MERCADO_PAGO_QR, by=kiosk.actor, claim=claim(kiosk.actor), at=at
    )


def test_open_charge_has_the_providers_qr(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    opened = charge(order, kiosk, now)

    opened.refresh_from_db()
    order.refresh_from_db()
    told = provider.sim.journal.since(0)["entries"]
    assert (opened.state, opened.amount) == (State.PENDING, Decimal("47.50"))
    assert opened.qr_data.startswith("000201")
    assert opened.provider_order_id is not None
    assert (opened.next_check_at, opened.leased_until) == (now + timedelta(seconds=2), None)
    assert (order.payment_id, order.status) == (opened.id, Status.AWAITING_PAYMENT)
    assert len(told) == 1


def test_paid_charge_hands_the_order_to_the_kitchen(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now)
    provider.pay(opened.provider_order_id)
    StoredEvent.objects.all().delete()

    settled = advance_charge(charge_id=opened.id, at=now + LATER)

    order.refresh_from_db()
    assert (settled.state, settled.paid_amount, settled.settled_at) == ("approved", Decimal("47.50"), now + LATER)
    assert (order.status, order.paid_at, order.queue_at) == (Status.RECEIVED, now + LATER, now + LATER)
    assert order.expires_at is None
    line = order.lines.get()
    assert list(Preparation.objects.values_list("line_id", "station", "state")) == [(line.id, "chapa", "queued")]
    assert Reservation.objects.get().state == "taken"
    sale = StockMovement.objects.get(reason="sale")
    assert (sale.delta, sale.order_id, sale.actor_kind) == (-1, order.id, "provider")
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved) == (9, 0)
    told = {event.type: event for event in StoredEvent.objects.all()}
    assert sorted(told) == ["inventory.updated", "order.paid", "order.status_changed", "payment.processed"]
    assert told["payment.processed"].payload == {
        "payment": str(opened.id),
        "success": True,
        "transaction": opened.provider_order_id,
    }


def test_long_cart_is_paid_although_the_provider_takes_ten_items(
    provider: Provider, store: Store, kiosk: Screen, now: datetime
) -> None:
    order = place(kiosk.device, *(stocked_product(store, 5, price="3.25") for _ in range(12)))

    opened = charge(order, kiosk, now)
    provider.pay(opened.provider_order_id)
    advance_charge(charge_id=opened.id, at=now + LATER)

    order.refresh_from_db()
    assert (order.lines.count(), order.total, order.status) == (12, Decimal("39.00"), Status.RECEIVED)
    assert "items" not in provider.requests[0]["body"]
    assert broken_rules() == {}


def test_whole_life_of_a_paid_order_keeps_every_rule(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now)
    provider.pay(opened.provider_order_id)
    advance_charge(charge_id=opened.id, at=now + LATER)

    assert broken_rules() == {}
    assert provider.calls == ["POST /v1/orders", "GET /v1/orders"]


def test_unpaid_charge_is_asked_about_again_and_changes_nothing(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now)
    events = StoredEvent.objects.count()

    asked = advance_charge(charge_id=opened.id, at=now + LATER)
    often = advance_charge(charge_id=opened.id, at=now + timedelta(minutes=2))

    order.refresh_from_db()
    assert asked.state == often.state == State.PENDING
    assert often.next_check_at == now + timedelta(minutes=2, seconds=5)
    assert (order.status, StoredEvent.objects.count()) == (Status.AWAITING_PAYMENT, events)


def test_charge_somebody_is_at_is_left_alone(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    opened = charge(order, kiosk, now)
    Charge.objects.update(leased_until=now + timedelta(seconds=10))

    assert advance_charge(charge_id=opened.id, at=now) is None
    assert provider.calls == ["POST /v1/orders"]
    assert advance_charge(charge_id=opened.id, at=now + timedelta(seconds=10)) is not None


@pytest.mark.parametrize("status", [status for status in Status if status != Status.AWAITING_PAYMENT])
def test_only_an_order_that_waits_for_money_is_charged(
    status: Status, provider: Provider, kiosk: Screen, now: datetime
) -> None:
    with pytest.raises(AlreadyPaidError):
        charge(order_in(status, kiosk.device), kiosk, now)

    assert provider.calls == []
    assert not Charge.objects.exists()


def test_order_of_another_store_is_not_charged(
    provider: Provider, order: Order, stranger: Screen, now: datetime
) -> None:
    with pytest.raises(OrderNotFoundError):
        charge(order, stranger, now)

    assert provider.calls == []
    assert not Charge.objects.exists()


def test_refusal_of_the_provider_fails_the_charge_and_leaves_the_order_payable(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    type(order.store).objects.filter(id=order.store_id).update(code="ELSEWHERE")
    refused = charge(order, kiosk, now)
    assert (refused.state, refused.mismatch, refused.next_check_at) == ("failed", "404 pos_not_found", None)
    assert StoredEvent.objects.get(type="payment.processed").payload["success"] is False
    type(order.store).objects.filter(id=order.store_id).update(code="CENTRO")

    again = charge(order, kiosk, now)

    order.refresh_from_db()
    assert again.state == State.PENDING
    assert (order.status, order.payment_id) == (Status.AWAITING_PAYMENT, again.id)
    assert provider.orders == 1

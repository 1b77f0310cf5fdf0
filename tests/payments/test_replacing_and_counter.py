"""A new QR code instead of the old one, and paying at the counter."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.utils import timezone

from apps.core.actors import Role
from apps.core.facade import InvalidError
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments.errors import ChargeOpenError, NotAtCounterError, PaymentNotFoundError
from apps.payments.models import Charge
from apps.payments.rules import Method, State, Tender
from apps.payments.services import advance_charge, confirm_counter, open_charge
from apps.stores.models import Store
from tests.factories import StoreFactory, claim, staff
from tests.fixtures import Screen, broken_rules
from tests.payments.conftest import Provider

QR, COUNTER = Method.MERCADO_PAGO_QR, Method.COUNTER


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def charge(order: Order, kiosk: Screen, at: datetime, method: Method = QR) -> Charge:
    return open_charge(order_id=order.id, method=method, by=kiosk.actor, claim=claim(kiosk.actor), at=at)


def test_new_code_replaces_the_old_one_which_is_cancelled(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    old = charge(order, kiosk, now)
    new = charge(order, kiosk, now)

    old.refresh_from_db()
    order.refresh_from_db()
    assert (old.state, new.state, order.payment_id) == (State.CLOSING, State.PENDING, new.id)
    assert advance_charge(charge_id=old.id, at=now).state == State.CANCELLED


def test_old_code_paid_nevertheless_is_late_and_the_new_one_still_open(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    old = charge(order, kiosk, now)
    new = charge(order, kiosk, now)
    provider.pay(old.provider_order_id)

    assert advance_charge(charge_id=old.id, at=now).state == State.LATE
    order.refresh_from_db()
    new.refresh_from_db()
    assert (order.status, new.state) == (Status.AWAITING_PAYMENT, State.PENDING)


def test_fourth_code_is_refused(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    for _ in range(3):
        charge(order, kiosk, now)

    with pytest.raises(ChargeOpenError):
        charge(order, kiosk, now)

    assert Charge.objects.filter(state=State.PENDING).count() == 1
    assert provider.orders == 3


def test_code_keeps_the_order_until_a_minute_after_its_own_end(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    Order.objects.update(expires_at=now + timedelta(seconds=5))

    opened = charge(order, kiosk, now)

    order.refresh_from_db()
    assert order.expires_at == opened.expires_at + timedelta(seconds=60)


def test_order_at_the_counter_waits_long_and_calls_nobody(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now, COUNTER)

    order.refresh_from_db()
    assert (opened.state, opened.next_check_at) == (State.PENDING, None)
    assert order.expires_at == now + timedelta(seconds=settings.COUNTER_TTL_SECONDS)
    assert provider.calls == []


@pytest.mark.parametrize(("received", "kept"), [(None, "47.50"), ("47.50", "47.50"), ("50.00", "50.00")])
def test_money_at_the_counter_sends_the_order_to_the_kitchen(
    received: str | None, kept: str, store: Store, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now, COUNTER)
    cashier = staff(Role.CASHIER, store)
    amount = None if received is None else Decimal(received)

    for _ in range(2):
        confirm_counter(charge_id=opened.id, tender=Tender.CASH, received=amount, by=cashier, at=now)

    opened.refresh_from_db()
    order.refresh_from_db()
    assert (opened.state, opened.paid_amount, opened.received_amount) == ("approved", Decimal("47.50"), Decimal(kept))
    assert (opened.confirmed_by, opened.tender) == (cashier.id, "cash")
    assert (order.status, order.history.count()) == (Status.RECEIVED, 2)
    assert broken_rules() == {}


def test_less_than_is_due_is_refused_at_the_counter(store: Store, order: Order, kiosk: Screen, now: datetime) -> None:
    opened = charge(order, kiosk, now, COUNTER)

    with pytest.raises(InvalidError):
        confirm_counter(
            charge_id=opened.id,
            tender=Tender.CASH,
            received=Decimal("47.49"),
            by=staff(Role.CASHIER, store),
            at=now,
        )

    order.refresh_from_db()
    assert order.status == Status.AWAITING_PAYMENT


def test_code_is_not_confirmed_at_the_counter(
    provider: Provider, store: Store, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now)

    with pytest.raises(NotAtCounterError):
        confirm_counter(charge_id=opened.id, tender=Tender.CASH, received=None, by=staff(Role.CASHIER, store), at=now)

    order.refresh_from_db()
    assert order.status == Status.AWAITING_PAYMENT


@pytest.mark.parametrize(
    ("role", "here"),
    [(Role.KITCHEN, True), (Role.AUDITOR, True), (Role.KIOSK, True), (Role.BOARD, True), (Role.MANAGER, False)],
)
def test_only_the_counter_of_the_store_confirms(
    role: Role, here: bool, store: Store, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now, COUNTER)
    somebody = staff(role, store if here else StoreFactory())

    with pytest.raises(PaymentNotFoundError):
        confirm_counter(charge_id=opened.id, tender=Tender.CASH, received=None, by=somebody, at=now)

    order.refresh_from_db()
    assert order.status == Status.AWAITING_PAYMENT

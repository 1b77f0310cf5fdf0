"""Money back and many at once: one effect, whoever comes first."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.utils import timezone

from apps.core.actors import Role
from apps.core.models import StoredEvent
from apps.inventory.models import StockMovement
from apps.orders.cancel import cancel_order, void_item
from apps.orders.models import Order, OrderLine, OrderLineVoid
from apps.orders.rules import Status
from apps.orders.services import move_order
from apps.payments import refunds
from apps.payments.models import Charge, Refund
from apps.payments.services import advance_charge
from apps.stores.models import Store
from tests.concurrency.conftest import Together
from tests.factories import StoreFactory, place, staff, stocked_product
from tests.fixtures import Screen, broken_rules
from tests.payments.back import engine_looks, ledger, open_qr, paid_by_qr, sent
from tests.payments.conftest import STORE_CODE, Provider, provider

__all__ = ["provider"]  # the fixture of tests/payments


@pytest.fixture
def shop(transactional_db: None) -> Store:
    return StoreFactory(code=STORE_CODE)


@pytest.fixture
def screen(shop: Store) -> Screen:
    return Screen(shop)


@pytest.fixture
def order(screen: Screen) -> Order:
    return place(screen.device, *(stocked_product(screen.store, 5, price="20.00") for _ in range(2)))


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def problems(results: list[Any]) -> list[str]:
    return sorted(type(each).__name__ for each in results if isinstance(each, Exception))


def test_two_cancels_at_once_give_everything_back_once(
    provider: Provider, screen: Screen, order: Order, now: datetime, together: Together
) -> None:
    paid_by_qr(provider, order, screen, now)
    manager = staff(Role.MANAGER, screen.store)

    results = together(4, lambda _: cancel_order(order_id=order.id, by=manager, at=now))
    engine_looks(now)

    assert problems(results) == []
    assert (Refund.objects.count(), StockMovement.objects.filter(reason="return").count()) == (1, 2)
    assert StoredEvent.objects.filter(type="order.cancelled").count() == 1
    assert ledger(provider) == (Decimal("40.00"), Decimal("40.00"))
    assert broken_rules() == {}


def test_cancel_against_payment_keeps_nothing(
    provider: Provider, screen: Screen, order: Order, now: datetime, together: Together
) -> None:
    charge = open_qr(order, screen, now)
    provider.pay(charge.provider_order_id)
    manager = staff(Role.MANAGER, screen.store)
    work: list[Callable[[], object]] = [
        lambda: cancel_order(order_id=order.id, by=manager, at=now),
        lambda: advance_charge(charge_id=charge.id, at=now),
    ]

    results = together(2, lambda number: work[number]())
    for seconds in (20, 40, 60):
        at = now + timedelta(seconds=seconds)
        advance_charge(charge_id=charge.id, at=at)
        engine_looks(at)

    order.refresh_from_db()
    assert problems(results) == []
    assert (order.status, Charge.objects.get().state) == (Status.CANCELLED, "refunded")
    assert (ledger(provider), len(sent(provider))) == ((Decimal("40.00"), Decimal("40.00")), 1)
    assert broken_rules() == {}


def test_void_against_start_lets_one_of_them_win(
    provider: Provider, screen: Screen, order: Order, now: datetime, together: Together
) -> None:
    paid_by_qr(provider, order, screen, now)
    cashier = staff(Role.CASHIER, screen.store)
    line = OrderLine.objects.filter(order=order).first()
    assert line is not None
    work: list[Callable[[], object]] = [
        lambda: void_item(order_id=order.id, line_id=line.id, by=cashier, at=now, reason="acabou"),
        lambda: move_order(order_id=order.id, to=Status.IN_PREPARATION, by=cashier, at=now),
    ]

    results = together(2, lambda number: work[number]())

    states = set(line.preparations.values_list("state", flat=True))
    voided = OrderLineVoid.objects.exists()
    assert problems(results) in ([], ["ItemStartedError"])
    assert (states, Refund.objects.count()) == (({"voided"}, 1) if voided else ({"started"}, 0))
    assert broken_rules() == {}


def ask(charge: Charge, now: datetime) -> Callable[[int], Refund]:
    # Each by somebody else: one person's hand-backs take turns anyway, for the sake of their drawer.
    people = [staff(Role.MANAGER, charge.order.store) for _ in range(4)]
    return lambda number: refunds.request_refund(
        charge_id=charge.id, amount=Decimal("25.00"), reason="x", by=people[number], at=now
    )


def test_refunds_asked_at_once_never_exceed_what_was_paid(
    provider: Provider, screen: Screen, order: Order, now: datetime, together: Together
) -> None:
    charge = paid_by_qr(provider, order, screen, now)

    results = together(4, ask(charge, now))

    assert problems(results) == ["RefundExceedsError"] * 3
    assert Refund.objects.get().amount == Decimal("25.00")
    assert broken_rules() == {}


def test_without_the_lock_they_do_exceed_it(
    provider: Provider, screen: Screen, order: Order, now: datetime, together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: if this fails, the test above proves nothing."""
    charge = paid_by_qr(provider, order, screen, now)
    left_of, everybody_has_read = refunds.left_of, Barrier(4)

    def read_by_everybody(charge: Charge) -> Decimal:
        left = left_of(charge)
        everybody_has_read.wait(timeout=30)
        return left

    monkeypatch.setattr(refunds, "_lock", lambda charge_id: Charge.objects.select_related("order").get(id=charge_id))
    monkeypatch.setattr(refunds, "left_of", read_by_everybody)

    results = together(4, ask(charge, now))

    assert problems(results) == []
    assert Refund.objects.count() == 4
    assert list(broken_rules()) == ["P4"]


def test_one_refund_is_sent_by_one_engine(
    provider: Provider, screen: Screen, order: Order, now: datetime, together: Together
) -> None:
    charge = paid_by_qr(provider, order, screen, now)
    refund = ask(charge, now)(0)

    together(5, lambda _: refunds.advance_refund(refund_id=refund.id, at=now))

    assert (len(sent(provider)), ledger(provider)[1]) == (1, Decimal("25.00"))
    assert broken_rules() == {}

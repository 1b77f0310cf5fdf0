"""One item out of a paid order: its share goes back, its goods too, the rest goes on."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some

from apps.catalog.models import Product
from apps.core.actors import Actor, Role
from apps.core.models import StoredEvent
from apps.inventory.models import StockMovement
from apps.orders.cancel import cancel_order, void_item
from apps.orders.errors import (
    IllegalMoveError,
    ItemNotFoundError,
    ItemStartedError,
    LastItemError,
    OrderNotFoundError,
)
from apps.orders.models import Order, OrderLine, OrderLineVoid, Preparation
from apps.orders.rules import Status, shares_of
from apps.orders.services import move_order
from apps.payments import refunds
from apps.payments.models import Refund
from apps.promotions.models import Promotion
from tests.factories import StoreFactory, new_menu, place, staff, stocked_product
from tests.fixtures import Screen, broken_rules
from tests.payments.back import engine_looks, ledger, paid_by_qr, paid_in_cash, told_refunded
from tests.payments.conftest import Provider

CENTS = some.integers(0, 50_000).map(lambda cents: Decimal(cents) / 100)


@given(lines=some.lists(CENTS, min_size=1, max_size=20), part=some.integers(0, 100))
def test_shares_add_up_and_none_is_more_than_its_line(lines: list[Decimal], part: int) -> None:
    subtotal = sum(lines, Decimal(0))
    total = (subtotal * part / 100).quantize(Decimal("0.01"))

    shares = shares_of(lines, total)

    assert sum(shares, Decimal(0)) == (total if subtotal else 0)
    assert all(0 <= share <= line for share, line in zip(shares, lines, strict=True))


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def cashier(kiosk: Screen) -> Actor:
    return staff(Role.CASHIER, kiosk.store)


@pytest.fixture
def products(kiosk: Screen) -> list[Product]:
    return [stocked_product(kiosk.store, 10, price=price) for price in ("30.00", "10.00")]


@pytest.fixture
def pair(kiosk: Screen, products: list[Product]) -> Order:
    """An order of two items with a fourth taken off: R$ 30.00 for what lists at 40.00."""
    Promotion.objects.create(name="Quarta", kind="percent", value=25)
    new_menu(kiosk.store)
    return place(kiosk.device, *products)


def lines(order: Order) -> list[OrderLine]:
    return list(OrderLine.objects.filter(order=order).order_by("position"))


def test_item_is_given_back_at_what_it_cost_after_discounts(
    provider: Provider, pair: Order, kiosk: Screen, cashier: Actor, now: datetime
) -> None:
    charge = paid_by_qr(provider, pair, kiosk, now)
    version = pair.version
    second = lines(pair)[1]

    for _ in range(2):
        void = void_item(order_id=pair.id, line_id=second.id, by=cashier, at=now, reason="acabou o queijo")
    engine_looks(now)

    pair.refresh_from_db()
    charge.refresh_from_db()
    second.refresh_from_db()
    assert (void.amount, void.actor_id, second.total) == (Decimal("7.50"), cashier.id, Decimal("10.00"))
    assert (pair.status, pair.version, pair.total) == (Status.RECEIVED, version + 1, Decimal("30.00"))
    assert (charge.state, ledger(provider)) == ("partially_refunded", (Decimal("30.00"), Decimal("7.50")))
    assert told_refunded() == [("7.50", "item_voided")]
    assert (Refund.objects.get().reason, Refund.objects.get().asked_by_id) == ("acabou o queijo", cashier.id)
    assert list(Preparation.objects.order_by("line__position").values_list("state", flat=True)) == ["queued", "voided"]
    assert list(StockMovement.objects.filter(reason="return").values_list("delta", flat=True)) == [1]
    event = StoredEvent.objects.get(type="order.item_voided")
    assert (event.seq, event.payload) == (pair.version, {"line": str(second.id), "amount": "7.50"})
    assert broken_rules() == {}

    move_order(order_id=pair.id, to=Status.IN_PREPARATION, by=cashier, at=now)
    cancel_order(order_id=pair.id, by=cashier, at=now)
    engine_looks(now + timedelta(minutes=1))
    assert ledger(provider) == (Decimal("30.00"), Decimal("30.00"))
    assert broken_rules() == {}


def test_goods_that_turned_out_missing_do_not_come_back(
    pair: Order, kiosk: Screen, cashier: Actor, now: datetime
) -> None:
    paid_in_cash(pair, kiosk, now)

    void_item(order_id=pair.id, line_id=lines(pair)[0].id, by=cashier, at=now, reason="acabou", restock=False)

    assert not StockMovement.objects.filter(reason="return").exists()
    assert Refund.objects.get().amount == Decimal("22.50")
    assert broken_rules() == {}


def test_started_last_and_foreign_items_are_refused(pair: Order, kiosk: Screen, cashier: Actor, now: datetime) -> None:
    first, second = lines(pair)

    def void(line: OrderLine, by: Actor = cashier) -> None:
        void_item(order_id=pair.id, line_id=line.id, by=by, at=now, reason="x")

    with pytest.raises(IllegalMoveError):
        void(first)  # not paid yet
    paid_in_cash(pair, kiosk, now)
    Preparation.objects.filter(line=first).update(state="started", started_at=now)
    with pytest.raises(ItemStartedError):
        void(first)
    with pytest.raises(ItemNotFoundError):
        void(lines(place(kiosk.device, first.product))[0])
    for by in (staff(Role.MANAGER, StoreFactory()), staff(Role.KITCHEN, kiosk.store), kiosk.actor):
        with pytest.raises(OrderNotFoundError):
            void(first, by)
    void(second)
    Preparation.objects.filter(line=first).update(state="queued", started_at=None)
    with pytest.raises(LastItemError):
        void(first)

    assert OrderLineVoid.objects.count() == 1
    assert broken_rules() == {}


def test_order_whose_other_items_are_done_becomes_ready(
    pair: Order, kiosk: Screen, cashier: Actor, now: datetime
) -> None:
    paid_in_cash(pair, kiosk, now)
    first, second = lines(pair)
    move_order(order_id=pair.id, to=Status.IN_PREPARATION, by=cashier, at=now)
    Preparation.objects.filter(line=first).update(state="done", done_at=now)
    Preparation.objects.filter(line=second).update(state="queued", started_at=None)

    void_item(order_id=pair.id, line_id=second.id, by=cashier, at=now, reason="acabou")

    pair.refresh_from_db()
    assert pair.status == Status.READY
    assert pair.ready_at is not None
    assert pair.ready_at >= now
    assert StoredEvent.objects.filter(type="order.ready").count() == 1
    assert broken_rules() == {}


def test_money_given_back_before_bounds_what_an_item_gives(
    pair: Order, kiosk: Screen, cashier: Actor, now: datetime
) -> None:
    charge = paid_in_cash(pair, kiosk, now)
    refunds.request_refund(charge_id=charge.id, amount=Decimal("28.00"), reason="x", by=staff(Role.OWNER, None), at=now)

    void_item(order_id=pair.id, line_id=lines(pair)[1].id, by=cashier, at=now, reason="acabou")

    charge.refresh_from_db()
    assert (charge.state, charge.refunded_amount) == ("refunded", Decimal("30.00"))
    assert broken_rules() == {}

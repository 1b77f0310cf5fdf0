"""A paid order taken back: goods, coupon and money, each once, and a list that shows it."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.catalog.models import Product
from apps.core.actors import Role
from apps.core.models import StoredEvent
from apps.inventory.models import RecipeLine, StockLevel, StockMovement
from apps.orders.cancel import cancel_order
from apps.orders.errors import IllegalMoveError, ItemNotFoundError, OrderNotFoundError
from apps.orders.models import CancelStep, Order, OrderLine, Preparation
from apps.orders.rules import Status
from apps.orders.services import mark_paid, move_order
from apps.payments import refunds
from apps.payments.models import Charge, Refund
from apps.promotions.models import Coupon, CouponUse
from tests.factories import StoreFactory, new_menu, order_in, place, staff, stocked_product
from tests.fixtures import Screen, broken_rules
from tests.payments.back import engine_looks, ledger, paid_by_qr, paid_in_cash, sent, told_refunded
from tests.payments.conftest import Provider

PAID = Decimal("47.50")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def steps(order: Order) -> dict[str, str]:
    return dict(CancelStep.objects.filter(order=order).values_list("kind", "state"))


def on_hand(product: Product) -> int:
    return StockLevel.objects.get(item__in=product_items(product)).on_hand


def product_items(product: Product) -> list[object]:
    return list(RecipeLine.objects.filter(product=product).values_list("item", flat=True))


def test_everything_goes_back_once(
    provider: Provider, order: Order, product: Product, kiosk: Screen, now: datetime
) -> None:
    charge = paid_by_qr(provider, order, kiosk, now)
    manager = staff(Role.MANAGER, kiosk.store)

    for _ in range(2):
        cancel_order(order_id=order.id, by=manager, at=now, reason="acabou o gás")

    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (order.status, order.cancel_reason) == (Status.CANCELLED, "acabou o gás")
    assert (refund.cause, refund.amount, refund.asked_by_id, refund.reason) == (
        "order_cancelled",
        PAID,
        manager.id,
        "acabou o gás",
    )
    assert steps(order) == {"coupon": "done", "stock": "done", "refund": "waiting"}
    assert (on_hand(product), list(Preparation.objects.values_list("state", flat=True))) == (10, ["voided"])
    assert StockMovement.objects.filter(reason="return").count() == 1
    assert StoredEvent.objects.get(type="order.cancelled").payload["was_paid"] is True
    assert broken_rules() == {}

    engine_looks(now)
    charge.refresh_from_db()
    assert (steps(order)["refund"], charge.state, ledger(provider)) == ("done", "refunded", (PAID, PAID))
    assert (told_refunded(), len(sent(provider))) == ([("47.50", "order_cancelled")], 1)
    assert broken_rules() == {}


def test_goods_that_were_started_stay_out_unless_staff_know_better(kiosk: Screen, now: datetime) -> None:
    store = kiosk.store
    manager, cook = staff(Role.MANAGER, store), staff(Role.KITCHEN, store)
    begun, untouched = stocked_product(store, 10), stocked_product(store, 10)
    order = place(kiosk.device, begun, untouched)
    paid_in_cash(order, kiosk, now)
    begun_line, untouched_line = OrderLine.objects.filter(order=order).order_by("position")
    Preparation.objects.filter(line=begun_line).update(state="started", started_at=now)

    cancel_order(order_id=order.id, by=manager, at=now)
    assert (on_hand(begun), on_hand(untouched)) == (9, 10)

    other = place(kiosk.device, begun, untouched)
    paid_in_cash(other, kiosk, now)
    move_order(order_id=other.id, to=Status.IN_PREPARATION, by=cook, at=now)
    first, second = OrderLine.objects.filter(order=other).order_by("position")
    cancel_order(order_id=other.id, by=manager, at=now, restock={first.id: True, second.id: False})
    assert (on_hand(begun), on_hand(untouched)) == (9, 9)

    third = place(kiosk.device, begun)
    paid_in_cash(third, kiosk, now)
    with pytest.raises(ItemNotFoundError):
        cancel_order(order_id=third.id, by=manager, at=now, restock={untouched_line.id: True})
    assert broken_rules() == {}


def test_cash_is_handed_back_with_the_cancel(order: Order, kiosk: Screen, now: datetime) -> None:
    charge = paid_in_cash(order, kiosk, now)
    cashier = staff(Role.CASHIER, kiosk.store)

    cancel_order(order_id=order.id, by=cashier, at=now)

    charge.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.state, refund.asked_by_id, charge.state) == ("done", cashier.id, "refunded")
    assert steps(order) == {"coupon": "done", "stock": "done", "refund": "done"}
    assert broken_rules() == {}


def test_free_order_has_no_money_to_give_back(kiosk: Screen, now: datetime) -> None:
    order = place(kiosk.device, stocked_product(kiosk.store, 5, price="0.00"))
    mark_paid(order_id=order.id, by=kiosk.actor, at=now)

    cancel_order(order_id=order.id, by=staff(Role.CASHIER, kiosk.store), at=now)

    assert steps(order) == {"coupon": "done", "stock": "done"}
    assert not Refund.objects.exists()
    assert broken_rules() == {}


def test_what_was_given_back_before_is_not_given_twice(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    charge = paid_by_qr(provider, order, kiosk, now)
    manager = staff(Role.MANAGER, kiosk.store)
    refunds.request_refund(charge_id=charge.id, amount=Decimal("7.50"), reason="x", by=manager, at=now)

    cancel_order(order_id=order.id, by=manager, at=now)
    assert steps(order)["refund"] == "waiting"
    engine_looks(now)
    engine_looks(now + MINUTE)

    assert (steps(order)["refund"], ledger(provider)) == ("done", (PAID, PAID))
    assert told_refunded() == [("7.50", "requested"), ("40.00", "order_cancelled")]
    assert broken_rules() == {}


def test_coupon_of_a_cancelled_order_can_be_used_again(kiosk: Screen, product: Product, now: datetime) -> None:
    Coupon.objects.create(name="Bem-vindo", code="BEMVINDO", kind="percent", value=10, use_limit=1)
    new_menu(kiosk.store)
    order = Order.objects.get(id=kiosk.buy(product, coupon="BEMVINDO").body["id"])
    paid_in_cash(order, kiosk, now)

    cancel_order(order_id=order.id, by=staff(Role.CASHIER, kiosk.store), at=now)

    assert (Coupon.objects.get().used, CouponUse.objects.get().returned_at) == (0, now)
    assert broken_rules() == {}


def test_refused_refund_shows_in_the_list_until_it_is_tried_again(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    paid_by_qr(provider, order, kiosk, now)
    manager = staff(Role.MANAGER, kiosk.store)
    provider.fault("POST /v1/orders/.*/refund$", do="status", status=403)
    cancel_order(order_id=order.id, by=manager, at=now)

    engine_looks(now)
    assert steps(order)["refund"] == "failed"
    assert broken_rules() == {}

    assert refunds.retry_cancelled(order_id=order.id, by=manager, at=now) == 1
    assert steps(order)["refund"] == "waiting"
    engine_looks(now)
    assert (steps(order)["refund"], ledger(provider)) == ("done", (PAID, PAID))


@pytest.mark.parametrize("status", [Status.IN_PREPARATION, Status.READY])
def test_order_being_made_or_waiting_can_be_cancelled(status: Status, kiosk: Screen, now: datetime) -> None:
    order = place(kiosk.device, stocked_product(kiosk.store, 5))
    paid_in_cash(order, kiosk, now)
    for step in (Status.IN_PREPARATION, Status.READY):
        if step <= status:
            move_order(order_id=order.id, to=step, by=staff(Role.KITCHEN, kiosk.store), at=now)

    cancel_order(order_id=order.id, by=staff(Role.OWNER, None), at=now)

    order.refresh_from_db()
    assert (order.status, StockLevel.objects.get().on_hand) == (Status.CANCELLED, 4)
    assert broken_rules() == {}


@pytest.mark.parametrize("status", [Status.FINISHED, Status.EXPIRED])
def test_ended_order_is_not_cancelled(status: Status, kiosk: Screen, now: datetime) -> None:
    order = order_in(status, kiosk.device)
    events = StoredEvent.objects.count()

    with pytest.raises(IllegalMoveError):
        cancel_order(order_id=order.id, by=staff(Role.OWNER, None), at=now)

    assert StoredEvent.objects.count() == events


def test_kiosk_does_not_cancel_a_paid_order(kiosk: Screen, stranger: Screen, order: Order, now: datetime) -> None:
    charge = paid_in_cash(order, kiosk, now)

    with pytest.raises(IllegalMoveError):
        cancel_order(order_id=order.id, by=kiosk.actor, at=now)
    for by in (stranger.actor, staff(Role.MANAGER, StoreFactory()), staff(Role.KITCHEN, kiosk.store)):
        with pytest.raises(OrderNotFoundError):
            cancel_order(order_id=order.id, by=by, at=now)

    order.refresh_from_db()
    assert (order.status, Charge.objects.get().refunded_amount, charge.state) == (Status.RECEIVED, 0, "approved")

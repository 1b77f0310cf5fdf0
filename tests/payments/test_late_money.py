"""Money that comes when its order no longer waits: the order comes back to life, or the money goes back."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.catalog.models import Product
from apps.core.models import StoredEvent
from apps.inventory.models import StockLevel, StockMovement
from apps.orders.cancel import cancel_order
from apps.orders.models import Order, Preparation
from apps.orders.rules import Status
from apps.orders.services import expire_unpaid
from apps.payments.models import Charge, Refund
from apps.payments.rules import State
from apps.payments.services import advance_charge
from apps.promotions.models import Coupon, CouponUse
from tests.factories import new_menu, place
from tests.fixtures import Screen, broken_rules
from tests.payments.back import REFUND, engine_looks, ledger, open_qr, paid_by_qr, sent, told_refunded
from tests.payments.conftest import Provider

LATER = timedelta(seconds=20)
PAID = Decimal("47.50")


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def expire(order: Order, at: datetime) -> None:
    Order.objects.filter(id=order.id).update(expires_at=at - timedelta(seconds=1))
    assert expire_unpaid(at=at) == 1


def expired_and_paid(provider: Provider, order: Order, kiosk: Screen, at: datetime) -> Charge:
    charge = open_qr(order, kiosk, at)
    provider.pay(charge.provider_order_id)
    expire(order, at)
    return charge


def test_expired_order_whose_goods_are_there_comes_back_to_life(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    charge = expired_and_paid(provider, order, kiosk, now)
    number = order.number

    for seconds in (20, 40):
        advance_charge(charge_id=charge.id, at=now + timedelta(seconds=seconds))

    order.refresh_from_db()
    charge.refresh_from_db()
    assert (charge.state, charge.pays_order, charge.paid_amount) == (State.APPROVED, True, PAID)
    assert (order.status, order.number, order.queue_at) == (Status.RECEIVED, number, now + LATER)
    assert [step.to_status for step in order.history.order_by("seq")] == [0, Status.EXPIRED, Status.RECEIVED]
    assert (StockLevel.objects.get().on_hand, StockLevel.objects.get().reserved) == (9, 0)
    assert Preparation.objects.count() == 1
    assert StoredEvent.objects.filter(type="order.paid").count() == 1
    assert not Refund.objects.exists()
    assert broken_rules() == {}


def test_expired_order_whose_goods_are_gone_gets_its_money_back(
    provider: Provider, order: Order, kiosk: Screen, product: Product, now: datetime
) -> None:
    charge = expired_and_paid(provider, order, kiosk, now)
    place(kiosk.device, product, quantity=10)

    settled = advance_charge(charge_id=charge.id, at=now + LATER)

    refund = Refund.objects.get()
    assert settled is not None
    assert (settled.state, settled.pays_order) == (State.LATE, False)
    assert (refund.cause, refund.amount, refund.key, refund.state) == ("late", PAID, f"r-{refund.id}", "queued")
    assert broken_rules() == {}
    engine_looks(now + LATER)
    charge.refresh_from_db()
    order.refresh_from_db()
    assert (charge.state, charge.refunded_amount, order.status) == (State.REFUNDED, PAID, Status.EXPIRED)
    assert (ledger(provider), told_refunded()) == ((PAID, PAID), [("47.50", "late")])
    assert [(entry["idempotency_key"], entry["body"]) for entry in sent(provider)] == [(refund.key, "")]
    assert (order.paid_at, Preparation.objects.count(), StockMovement.objects.filter(reason="sale").count()) == (
        None,
        0,
        0,
    )
    assert broken_rules() == {}


def test_shop_that_does_not_revive_gives_late_money_back(
    provider: Provider, order: Order, kiosk: Screen, now: datetime, settings: Settings
) -> None:
    settings.MP_LATE_PAYMENT = "refund"
    charge = expired_and_paid(provider, order, kiosk, now)

    advance_charge(charge_id=charge.id, at=now + LATER)
    engine_looks(now + LATER)

    order.refresh_from_db()
    assert (order.status, Charge.objects.get().state, ledger(provider)) == (Status.EXPIRED, "refunded", (PAID, PAID))
    assert broken_rules() == {}


def test_coupon_is_used_again_or_the_money_goes_back(
    provider: Provider, kiosk: Screen, product: Product, now: datetime
) -> None:
    Coupon.objects.create(name="Bem-vindo", code="BEMVINDO", kind="percent", value=10, use_limit=1)
    new_menu(kiosk.store)
    orders = []
    for _ in range(2):  # the second takes the use that the first gave back
        order = Order.objects.get(id=kiosk.buy(product, coupon="BEMVINDO").body["id"])
        orders.append((order, expired_and_paid(provider, order, kiosk, now)))
    assert Coupon.objects.get().used == 0

    for _, charge in orders:
        advance_charge(charge_id=charge.id, at=now + LATER)

    first, second = (Order.objects.get(id=order.id) for order, _ in orders)
    assert (first.status, second.status) == (Status.RECEIVED, Status.EXPIRED)
    assert {use.order_id: use.returned_at is None for use in CouponUse.objects.all()} == {
        first.id: True,
        second.id: False,
    }
    assert Refund.objects.get().charge.order_id == second.id
    assert (StockLevel.objects.get().on_hand, StockLevel.objects.get().reserved) == (9, 0)
    assert broken_rules() == {}


def test_payment_during_the_cancel_goes_back_once(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    charge = open_qr(order, kiosk, now)
    provider.pay(charge.provider_order_id, lock_ms=60_000)
    cancel_order(order_id=order.id, by=kiosk.actor, at=now)

    waiting = advance_charge(charge_id=charge.id, at=now)
    assert waiting is not None
    assert waiting.state == State.CLOSING
    assert waiting.next_check_at is not None
    provider.control("clock", {"advance_s": 61})
    for seconds in (15, 30, 45):
        advance_charge(charge_id=charge.id, at=now + timedelta(seconds=seconds))
        engine_looks(now + timedelta(seconds=seconds))

    order.refresh_from_db()
    charge.refresh_from_db()
    assert (order.status, charge.state, charge.refunded_amount) == (Status.CANCELLED, State.REFUNDED, PAID)
    assert (ledger(provider), len(sent(provider)), told_refunded()) == ((PAID, PAID), 1, [("47.50", "late")])
    assert broken_rules() == {}


def test_order_paid_twice_keeps_one_and_gives_the_other_back(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    first = open_qr(order, kiosk, now)
    provider.pay(first.provider_order_id)
    second = paid_by_qr(provider, order, kiosk, now)

    advance_charge(charge_id=first.id, at=now + LATER)
    engine_looks(now + LATER)

    first.refresh_from_db()
    second.refresh_from_db()
    order.refresh_from_db()
    assert (first.state, second.state, order.status) == (State.REFUNDED, State.APPROVED, Status.RECEIVED)
    assert (ledger(provider), told_refunded()) == ((2 * PAID, PAID), [("47.50", "double")])
    assert broken_rules() == {}


def test_old_code_that_pays_closes_the_new_one(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    old = open_qr(order, kiosk, now)
    new = open_qr(order, kiosk, now)
    closed = advance_charge(charge_id=old.id, at=now)
    assert closed is not None
    assert closed.state == State.CANCELLED
    provider.pay(old.provider_order_id, force_after_expiry=True)

    paid = advance_charge(charge_id=old.id, at=now + LATER)

    assert paid is not None
    new.refresh_from_db()
    assert (paid.state, new.state) == (State.APPROVED, State.CLOSING)
    assert broken_rules() == {}


def test_divergent_payment_flags_its_order_and_a_right_answer_settles_it(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    charge = open_qr(order, kiosk, now)
    provider.pay(charge.provider_order_id, amount="40.00")
    advance_charge(charge_id=charge.id, at=now)
    order.refresh_from_db()
    assert (order.status, order.attention) == (
        Status.AWAITING_PAYMENT,
        "Cobrança divergente: valor 40.00 em vez de 47.50",
    )
    assert broken_rules() == {}

    with provider.sim.orders() as book:
        book.orders[str(charge.provider_order_id)].paid = PAID
    settled = advance_charge(charge_id=charge.id, at=now + LATER)

    order.refresh_from_db()
    assert settled is not None
    assert (settled.state, settled.mismatch, order.status) == (State.APPROVED, "", Status.RECEIVED)


def test_late_refund_whose_answer_is_lost_is_sent_again_and_made_once(
    provider: Provider, order: Order, kiosk: Screen, now: datetime, settings: Settings
) -> None:
    settings.MP_LATE_PAYMENT, settings.MP_READ_TIMEOUT_SECONDS = "refund", 0.4
    charge = expired_and_paid(provider, order, kiosk, now)
    advance_charge(charge_id=charge.id, at=now)
    provider.fault(REFUND, phase="after", do="reset")

    engine_looks(now)
    assert Refund.objects.get().state == "sending"
    assert broken_rules() == {}
    engine_looks(now + timedelta(minutes=1))

    first, second = sent(provider)
    assert first["idempotency_key"] == second["idempotency_key"] == Refund.objects.get().key
    assert (Refund.objects.get().state, ledger(provider), len(told_refunded())) == ("done", (PAID, PAID), 1)
    assert broken_rules() == {}

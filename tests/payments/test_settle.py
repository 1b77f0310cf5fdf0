"""What is believed of the provider's word: exact money for an order that waits, once."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.actors import Actor
from apps.core.models import StoredEvent
from apps.inventory.models import StockMovement
from apps.orders.cancel import cancel_order
from apps.orders.models import Order, Preparation
from apps.orders.rules import Status
from apps.orders.services import expire_unpaid
from apps.payments.models import Charge
from apps.payments.rules import Method, ProviderState, State
from apps.payments.services import advance_charge, open_charge, settle_charge
from tests.factories import claim
from tests.fixtures import Screen, broken_rules
from tests.payments.conftest import Provider

LATER = timedelta(seconds=20)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def charge(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> Charge:
    return open_charge(
        order_id=order.id, method=Method.MERCADO_PAGO_QR, by=kiosk.actor, claim=claim(kiosk.actor), at=now
    )


@pytest.fixture
def paid(charge: Charge) -> ProviderState:
    """What the provider says of the charge when it is paid in full."""
    return ProviderState(
        provider_order_id=charge.provider_order_id or "",
        status="processed",
        amount=charge.amount,
        paid=charge.amount,
        refunded=Decimal("0.00"),
        currency="BRL",
        reference=charge.reference,
        account=charge.provider_account,
    )


def nothing_went_to_the_kitchen(order: Order, status: Status = Status.AWAITING_PAYMENT) -> None:
    order.refresh_from_db()
    assert (order.status, order.paid_at) == (status, None)
    assert not Preparation.objects.exists()
    assert not StockMovement.objects.filter(reason="sale").exists()
    assert not StoredEvent.objects.filter(type="order.paid").exists()


@pytest.mark.parametrize("amount", ["40.00", "47.49", "47.51"])
def test_wrong_amount_goes_to_staff_and_not_to_the_kitchen(
    amount: str, provider: Provider, charge: Charge, order: Order, now: datetime
) -> None:
    provider.pay(charge.provider_order_id, amount=amount)

    settled = advance_charge(charge_id=charge.id, at=now + LATER)

    assert (settled.state, settled.paid_amount, settled.mismatch) == (
        State.MISMATCH,
        Decimal(amount),
        f"valor {amount} em vez de 47.50",
    )
    nothing_went_to_the_kitchen(order)
    assert StoredEvent.objects.get(type="payment.processed").payload["success"] is False


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"currency": "ARS"}, "moeda ARS"),
        ({"currency": ""}, "moeda ?"),
        ({"reference": "bm-other"}, "referência de outra cobrança"),
        ({"account": "999"}, "conta de outro vendedor"),
        ({"refunded": Decimal("1.00")}, "devolvido no provedor"),
        ({"amount": Decimal("50.00")}, "valor 47.50 em vez de 47.50"),
        ({"status": "refunded", "refunded": Decimal("47.50")}, "devolvido no provedor"),
    ],
)
def test_payment_that_is_not_exactly_ours_goes_to_staff(
    change: dict[str, object], said: str, paid: ProviderState, charge: Charge, order: Order, now: datetime
) -> None:
    settled = settle_charge(charge_id=charge.id, order_id=charge.order_id, told=replace(paid, **change), at=now + LATER)

    assert (settled.state, settled.mismatch) == (State.MISMATCH, said)
    nothing_went_to_the_kitchen(order)


@pytest.mark.parametrize("status", ["created", "at_terminal", "action_required", "failed", "anything new"])
def test_word_we_do_not_know_is_no_payment(
    status: str, paid: ProviderState, charge: Charge, order: Order, now: datetime
) -> None:
    settled = settle_charge(
        charge_id=charge.id, order_id=charge.order_id, told=replace(paid, status=status), at=now + LATER
    )

    assert settled.state == State.PENDING
    nothing_went_to_the_kitchen(order)


def test_settling_twice_pays_once(paid: ProviderState, charge: Charge, order: Order, now: datetime) -> None:
    first = settle_charge(charge_id=charge.id, order_id=charge.order_id, told=paid, at=now + LATER)
    events = StoredEvent.objects.count()

    second = settle_charge(charge_id=charge.id, order_id=charge.order_id, told=paid, at=now + 2 * LATER)

    order.refresh_from_db()
    assert (second.state, second.version, second.settled_at) == (State.APPROVED, first.version, now + LATER)
    assert (order.paid_at, order.history.count(), StoredEvent.objects.count()) == (now + LATER, 2, events)
    assert StockMovement.objects.filter(reason="sale").count() == 1
    assert broken_rules() == {}


@pytest.mark.parametrize("lower", ["created", "expired", "canceled"])
def test_late_news_of_less_does_not_take_a_payment_back(
    lower: str, paid: ProviderState, charge: Charge, order: Order, now: datetime
) -> None:
    settle_charge(charge_id=charge.id, order_id=charge.order_id, told=paid, at=now + LATER)

    again = settle_charge(
        charge_id=charge.id, order_id=charge.order_id, told=replace(paid, status=lower), at=now + 2 * LATER
    )

    order.refresh_from_db()
    assert (again.state, order.status) == (State.APPROVED, Status.RECEIVED)


@pytest.mark.parametrize("word", ["expired", "canceled"])
def test_payment_after_the_end_of_the_code_still_counts_while_the_order_waits(
    word: str, paid: ProviderState, charge: Charge, order: Order, now: datetime
) -> None:
    ended = settle_charge(
        charge_id=charge.id, order_id=charge.order_id, told=replace(paid, status=word, paid=Decimal(0)), at=now + LATER
    )
    assert ended.state == {"expired": State.EXPIRED, "canceled": State.CANCELLED}[word]
    assert ended.next_check_at is None

    settled = settle_charge(charge_id=charge.id, order_id=charge.order_id, told=paid, at=now + 2 * LATER)

    order.refresh_from_db()
    assert (settled.state, order.status) == (State.APPROVED, Status.RECEIVED)
    assert broken_rules() == {}


def test_money_for_an_expired_order_is_late(
    provider: Provider, charge: Charge, order: Order, kiosk: Screen, now: datetime, settings: Settings
) -> None:
    settings.MP_LATE_PAYMENT = "refund"
    provider.pay(charge.provider_order_id)
    Order.objects.update(expires_at=now - timedelta(seconds=1))
    assert expire_unpaid(at=now) == 1

    settled = advance_charge(charge_id=charge.id, at=now + LATER)

    assert (settled.state, settled.paid_amount, settled.next_check_at) == (State.LATE, Decimal("47.50"), None)
    nothing_went_to_the_kitchen(order, Status.EXPIRED)
    assert StoredEvent.objects.get(type="payment.processed").payload["success"] is False


def test_charge_of_a_cancelled_order_is_cancelled_at_the_provider(
    provider: Provider, charge: Charge, order: Order, kiosk: Screen, now: datetime
) -> None:
    by: Actor = kiosk.actor
    cancel_order(order_id=order.id, by=by, at=now)
    charge.refresh_from_db()
    assert (charge.state, charge.next_check_at) == (State.CLOSING, now)

    closed = advance_charge(charge_id=charge.id, at=now + LATER)

    assert closed.state == State.CANCELLED
    assert [request["path"].endswith("/cancel") for request in provider.requests] == [False, True]
    nothing_went_to_the_kitchen(order, Status.CANCELLED)
    assert broken_rules() == {}


def test_money_on_a_charge_being_closed_is_late(
    provider: Provider, charge: Charge, order: Order, kiosk: Screen, now: datetime
) -> None:
    cancel_order(order_id=order.id, by=kiosk.actor, at=now)
    provider.pay(charge.provider_order_id)

    settled = advance_charge(charge_id=charge.id, at=now + LATER)

    assert settled.state == State.LATE
    nothing_went_to_the_kitchen(order, Status.CANCELLED)

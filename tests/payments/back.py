"""Money on its way back, step by step as the engine takes it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.core.actors import Role
from apps.core.models import StoredEvent
from apps.orders.models import Order
from apps.payments import refunds
from apps.payments.models import Charge, Refund
from apps.payments.rules import Method, Tender
from apps.payments.services import advance_charge, confirm_counter, open_charge
from tests.factories import claim, staff
from tests.fixtures import Screen
from tests.payments.conftest import Provider

REFUND = "POST /v1/orders/.*/refund$"


def open_qr(order: Order, kiosk: Screen, at: datetime) -> Charge:
    return open_charge(
        order_id=order.id, method=Method.MERCADO_PAGO_QR, by=kiosk.actor, claim=claim(kiosk.actor), at=at
    )


def paid_by_qr(provider: Provider, order: Order, kiosk: Screen, at: datetime) -> Charge:
    """The order's charge, paid at the provider and settled."""
    charge = open_qr(order, kiosk, at)
    provider.pay(charge.provider_order_id)
    settled = advance_charge(charge_id=charge.id, at=at)
    assert settled is not None
    assert settled.state == "approved"
    order.refresh_from_db()
    return settled


def paid_in_cash(order: Order, kiosk: Screen, at: datetime) -> Charge:
    by, cashier = kiosk.actor, staff(Role.CASHIER, kiosk.store)
    charge = open_charge(order_id=order.id, method=Method.COUNTER, by=by, claim=claim(by), at=at)
    confirm_counter(charge_id=charge.id, tender=Tender.CASH, received=None, by=cashier, at=at)
    order.refresh_from_db()
    return Charge.objects.get(id=charge.id)


def engine_looks(at: datetime) -> list[Refund]:
    """Take every refund that is due one step on."""
    ids = refunds.claim_due(at=at)
    for refund_id in ids:
        refunds.advance_refund(refund_id=refund_id, at=at)
    return list(Refund.objects.filter(id__in=ids))


def sent(provider: Provider) -> list[dict[str, Any]]:
    """Every refund request, in order."""
    return [entry for entry in provider.requests if entry["path"].endswith("/refund")]


def ledger(provider: Provider) -> tuple[Decimal, Decimal]:
    """What the provider was paid and what it gave back, over all orders."""
    with provider.sim.orders() as book:
        orders = list(book.orders.values())
    return sum((each.paid for each in orders), Decimal(0)), sum((each.refunded for each in orders), Decimal(0))


def told_refunded() -> list[tuple[object, object]]:
    """Amount and cause of every ``PaymentRefunded``, first to last."""
    events = StoredEvent.objects.filter(type="payment.refunded").order_by("id")
    return [(event.payload["amount"], event.payload["cause"]) for event in events]

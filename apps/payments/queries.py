"""Reading charges."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.payments.models import Charge
from apps.payments.rules import OPEN, Method, State, Tender


def count_at_counter(charge_ids: Collection[UUID]) -> int:
    """Return how many of these charges wait to be paid at the counter. One query."""
    return Charge.objects.filter(id__in=charge_ids, method=Method.COUNTER, state__in=OPEN).count()


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """How an order was paid, in words for its guest; amounts in BRL, ``change`` None when no cash was counted."""

    how: str
    amount: Decimal
    received: Decimal | None
    change: Decimal | None
    refunded: Decimal
    at: datetime | None


def payment_facts(order_id: UUID) -> PaymentFacts | None:
    """Return how an order was paid, or None when no money made it an order. One query."""
    settled = Charge.objects.filter(order_id=order_id, settled_at__isnull=False)
    charge = settled.exclude(state__in=[State.MISMATCH, State.LATE]).order_by("-settled_at").first()
    if charge is None:
        return None
    received = charge.received_amount
    return PaymentFacts(
        how=Tender(charge.tender).label if charge.tender else Method(charge.method).label,
        amount=charge.amount,
        received=received,
        change=received - charge.amount if received is not None else None,
        refunded=charge.refunded_amount,
        at=charge.settled_at,
    )

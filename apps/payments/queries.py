"""Reading charges."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q

from apps.core.facade import Actor
from apps.payments.models import Charge, PointOfSale
from apps.payments.rules import OPEN, Method, State, Tender, pos_external_id
from apps.stores.facade import store_by_id


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


def point_of_sale(*, store_id: UUID, account_id: UUID | None, by: Actor) -> str:
    """Return the provider's id of the till a charge is made at: the kiosk's own, else the store's. Two queries at most."""
    device = by.id if by.kind == "device" else None
    rows = PointOfSale.objects.filter(store=store_id, account=account_id)
    own = rows.filter(Q(device=device) | Q(device=None)).order_by(F("device").asc(nulls_last=True))
    known = own.values_list("external_id", flat=True).first()
    store = None if known else store_by_id(store_id)
    return known or pos_external_id(store.code if store else "")

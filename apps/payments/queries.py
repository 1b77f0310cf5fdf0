"""Reading charges and refunds; what leaves this app is frozen."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from apps.core.facade import Actor, prepared
from apps.orders.facade import Order, Status
from apps.payments.differences import Difference, Kind, Ours
from apps.payments.models import Charge, PointOfSale, Refund
from apps.payments.rules import KEEPS_ORDER, OPEN, REFUND_OPEN, Method, RefundState, State, Tender, pos_external_id
from apps.stores.facade import is_training, store_by_id

NOTHING = Decimal("0.00")
MOST_RECEIPTS = 200
MOST_UNBALANCED = 200
TILL = """
    WHERE store_id = %s AND account_id IS NOT DISTINCT FROM %s AND (device_id = %s OR device_id IS NULL)
    ORDER BY device_id NULLS LAST LIMIT 1
"""
LIVE = (Status.RECEIVED, Status.IN_PREPARATION, Status.READY, Status.FINISHED)
OVER = (Status.EXPIRED, Status.CANCELLED)


@dataclass(frozen=True, slots=True)
class OpenCharge:
    """What waits to be paid for one order: at the counter, or by a code on a screen."""

    id: UUID
    order_id: UUID
    at_counter: bool
    has_code: bool
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Takings:
    """What one person took at one store's counter in a span of time, BRL. ``cash`` is net of change."""

    cash: Decimal
    card: Decimal
    cash_refunded: Decimal
    cash_payments: int
    card_payments: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """One payment that somebody took at the counter, BRL."""

    payment: UUID
    number: str
    tender: str
    amount: Decimal
    taken_by: UUID
    taken_at: datetime


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


def is_practice(charge: Charge) -> bool:
    """Tell whether a charge is of a store for training. No query for a QR, nor for a charge read with its order."""
    at_counter = charge.method == Method.COUNTER
    return is_training(charge.order.store_id) if at_counter else charge.method == Method.TRAINING


def payment_facts(order_id: UUID) -> PaymentFacts | None:
    """Return how an order was paid, or None when no money made it an order. One query."""
    charge = Charge.objects.filter(order_id=order_id, pays_order=True).first()
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
    known = prepared.read_one(PointOfSale, TILL, [store_id, account_id, device])
    if known is not None:
        return known.external_id
    store = store_by_id(store_id)
    return pos_external_id(store.code if store else "")


def open_charges(order_ids: Collection[UUID]) -> dict[UUID, OpenCharge]:
    """Return the open charge of each order that has one, by order. One query."""
    rows = Charge.objects.filter(order_id__in=order_ids, state__in=OPEN)
    return {
        charge.order_id: OpenCharge(
            id=charge.id,
            order_id=charge.order_id,
            at_counter=charge.method == Method.COUNTER,
            has_code=charge.method != Method.COUNTER and charge.state == State.PENDING,
            expires_at=charge.expires_at,
        )
        for charge in rows
    }


def takings(*, store_id: UUID, person_id: UUID, since: datetime, until: datetime | None) -> Takings:
    """Add up what one person took at a store's counter from ``since`` to right before ``until``; None means up to now.

    ``cash_refunded`` is the cash this person handed back meanwhile, whoever had taken it; what goes back by the card machine
    never was in the drawer. Two queries.
    """
    taken = _taken(store_id).filter(confirmed_by=person_id, settled_at__gte=since)
    if until is not None:
        taken = taken.filter(settled_at__lt=until)
    in_cash, by_card = Q(tender=Tender.CASH), Q(tender=Tender.CARD_MACHINE)
    sums = taken.aggregate(
        cash=Coalesce(Sum("paid_amount", filter=in_cash), NOTHING),
        card=Coalesce(Sum("paid_amount", filter=by_card), NOTHING),
        cash_payments=Count("id", filter=in_cash),
        card_payments=Count("id", filter=by_card),
    )
    handed_back = Refund.objects.filter(
        charge__order__store_id=store_id,
        charge__method=Method.COUNTER,
        charge__tender=Tender.CASH,
        state=RefundState.DONE,
        asked_by_id=person_id,
        done_at__gte=since,
    )
    if until is not None:
        handed_back = handed_back.filter(done_at__lt=until)
    back = handed_back.aggregate(total=Coalesce(Sum("amount"), NOTHING))["total"]
    return Takings(**sums, cash_refunded=back)


def receipts(
    *, store_id: UUID, since: datetime, without: Collection[tuple[UUID, datetime, datetime | None]]
) -> list[Receipt]:
    """Return what was taken at a store's counter since a moment, the newest first, at most ``MOST_RECEIPTS``. One query.

    Args:
        without: spans whose payments are left out: a person, from when, until right before when (None: still going on).
    """
    taken = _taken(store_id).filter(settled_at__gte=since)
    for person_id, begun, ended in without:
        span = Q(confirmed_by=person_id, settled_at__gte=begun)
        taken = taken.exclude(span if ended is None else span & Q(settled_at__lt=ended))
    rows = taken.select_related("order").order_by("-settled_at", "-id")[:MOST_RECEIPTS]
    return [
        Receipt(
            payment=charge.id,
            number=charge.order.number,
            tender=charge.get_tender_display(),
            amount=charge.paid_amount,
            taken_by=charge.confirmed_by,
            taken_at=charge.settled_at,
        )
        for charge in rows
        if charge.confirmed_by is not None and charge.settled_at is not None
    ]


def _taken(store_id: UUID) -> QuerySet[Charge]:
    """Find what somebody confirmed at the counter, whatever becomes of it later: the money was taken."""
    return Charge.objects.filter(order__store_id=store_id, method=Method.COUNTER, confirmed_by__isnull=False)


def with_refunds(charges: QuerySet[Charge]) -> QuerySet[Charge]:
    """Read charges with their orders and refunds, for ``books_of``. Two queries."""
    return charges.select_related("order").prefetch_related("refunds")


def books_of(charge: Charge) -> Ours:
    """Return what our books say of a charge. No query after ``with_refunds``."""
    open_ones = [refund.amount for refund in charge.refunds.all() if refund.state in REFUND_OPEN]
    return Ours(
        state=charge.state,
        paid=charge.paid_amount,
        refunded=charge.refunded_amount,
        under_way=sum(open_ones, NOTHING),
    )


def taken_by_person(store_id: UUID, *, since: datetime, until: datetime) -> list[dict[str, str]]:
    """Add up a span's counter payments by who took them: person, cash, card, count. One query."""
    taken = _taken(store_id).filter(settled_at__gte=since, settled_at__lt=until)
    rows = (
        taken.order_by()
        .values("confirmed_by")
        .annotate(
            cash=Coalesce(Sum("paid_amount", filter=Q(tender=Tender.CASH)), NOTHING),
            card=Coalesce(Sum("paid_amount", filter=Q(tender=Tender.CARD_MACHINE)), NOTHING),
            count=Count("id"),
        )
        .order_by("confirmed_by")
    )
    return [{name: str(value) for name, value in row.items()} for row in rows]


def unbalanced_at(store_id: UUID, *, since: datetime, until: datetime) -> list[tuple[UUID, Difference]]:
    """Return orders paid in a span that do not keep what they should, at most ``MOST_UNBALANCED``. Two queries."""
    return _unbalanced({"store": store_id, "paid_at__gte": since, "paid_at__lt": until})


def unbalanced(*, order_id: UUID | None) -> list[Difference]:
    """Return what one order keeps beside what it should, when they differ. Two queries."""
    return [found for _, found in _unbalanced({"id": order_id})]


def _unbalanced(which: Mapping[str, object]) -> list[tuple[UUID, Difference]]:
    """Compare what orders keep with their totals less what was credited; while money is under way nothing is said.

    ``which`` says which orders.
    """
    settled = Refund.objects.filter(charge=OuterRef("pk")).exclude(state=RefundState.DONE)
    credited = Q(refunds__state=RefundState.DONE, refunds__cause__in=KEEPS_ORDER)
    paying = (
        Charge.objects.filter(pays_order=True, **{f"order__{name}": value for name, value in which.items()})
        .exclude(state=State.CHARGED_BACK)
        .exclude(Exists(settled))
        .annotate(kept=F("amount") - F("refunded_amount"))
        .annotate(due=F("order__total") - Coalesce(Sum("refunds__amount", filter=credited), NOTHING))
    )
    wrong = Q(order__status__in=LIVE) & ~Q(kept=F("due")) | Q(order__status__in=OVER) & ~Q(kept=NOTHING)
    rows = paying.filter(wrong).values_list("order", "order__status", "kept", "due")[:MOST_UNBALANCED]
    found = [
        (order_id, Difference(Kind.KEPT, due if status in LIVE else NOTHING, kept, "O pedido guarda outro valor."))
        for order_id, status, kept, due in rows
    ]
    bare = Order.objects.filter(**which, status__in=LIVE, paid_at__isnull=False, total__gt=0)
    bare = bare.exclude(Exists(Charge.objects.filter(order=OuterRef("pk"), pays_order=True)))
    reason = "O pedido foi à cozinha e nenhuma cobrança o paga."
    found += [
        (order_id, Difference(Kind.KEPT, total, NOTHING, reason))
        for order_id, total in bare.values_list("id", "total")[:MOST_UNBALANCED]
    ]
    return found


def refunds_of(charge_id: UUID) -> list[Refund]:
    """Return a charge's refunds, first to last. One query."""
    return list(Refund.objects.filter(charge_id=charge_id).order_by("created_at", "id")[:200])

"""Reading shifts; every sum is the database's."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from apps.core.facade import Actor
from apps.counter.errors import ShiftNotFoundError
from apps.counter.models import CashMovement, Shift
from apps.counter.rules import OVERSEERS, DrawerTotals, MovementKind
from apps.payments import facade as payments

MOST_SHIFTS = 50
MOST_MOVEMENTS = 200
LOOKED_BACK = timedelta(days=7)
NOTHING = Decimal("0.00")


def open_shift_of(person_id: UUID | None, store_id: UUID) -> Shift | None:
    """Return the shift a person has open at a store, or None. One query."""
    return (
        Shift.objects.filter(store_id=store_id, opened_by_id=person_id, closed_at=None)
        .select_related("opened_by", "store")
        .first()
    )


def shift_for(shift_id: UUID, by: Actor) -> Shift:
    """Return one shift to its own person or to who oversees its store.

    Raises:
        ShiftNotFoundError: no such shift, or not for this person.
    """
    shift = Shift.objects.filter(id=shift_id).select_related("opened_by", "closed_by", "store").first()
    if shift is None or not may_see(shift, by):
        raise ShiftNotFoundError
    return shift


def may_see(shift: Shift, by: Actor) -> bool:
    """Tell whether a shift is this person's own, or of a store they oversee."""
    return by.id == shift.opened_by_id or bool(by.roles_at(shift.store_id) & OVERSEERS)


def shifts_at(store_id: UUID, by: Actor) -> list[Shift]:
    """Return a store's last shifts, the open ones first, at most ``MOST_SHIFTS``; a cashier's are their own. One query."""
    shifts = Shift.objects.filter(store_id=store_id).select_related("opened_by")
    if not by.roles_at(store_id) & OVERSEERS:
        shifts = shifts.filter(opened_by_id=by.id)
    return list(shifts.order_by("-closed_at", "-opened_at")[:MOST_SHIFTS])


def movements_of(shift: Shift) -> list[CashMovement]:
    """Return a shift's movements, first to last, at most ``MOST_MOVEMENTS``. One query."""
    return list(shift.movements.select_related("by").order_by("at", "id")[:MOST_MOVEMENTS])


def totals_of(shift: Shift) -> DrawerTotals:
    """Add up a shift from its payments and movements, up to its end or to now. Three queries."""
    taken = payments.takings(
        store_id=shift.store_id, person_id=shift.opened_by_id, since=shift.opened_at, until=shift.closed_at
    )
    moved = shift.movements.aggregate(
        supplied=Coalesce(Sum("amount", filter=Q(kind=MovementKind.SUPPLY)), NOTHING),
        withdrawn=Coalesce(Sum("amount", filter=Q(kind=MovementKind.WITHDRAWAL)), NOTHING),
    )
    return DrawerTotals(
        opening_float=shift.opening_float,
        cash=taken.cash,
        card=taken.card,
        cash_refunded=taken.cash_refunded,
        cash_payments=taken.cash_payments,
        card_payments=taken.card_payments,
        **moved,
    )


def taken_outside_shifts(store_id: UUID, at: datetime) -> list[payments.Receipt]:
    """Return what was taken at a store's counter in the last week while its person had no shift open. Two queries."""
    since = at - LOOKED_BACK
    shifts = Shift.objects.filter(Q(closed_at=None) | Q(closed_at__gt=since), store_id=store_id)
    spans = list(shifts.values_list("opened_by_id", "opened_at", "closed_at"))
    return payments.receipts(store_id=store_id, since=since, without=spans)

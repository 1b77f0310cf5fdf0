"""Every change of a shift. The person's turn is taken first, so that no payment falls beside the drawer it went into."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.core.facade import Actor, take_turn
from apps.counter import queries
from apps.counter.errors import DrawerTooLowError, ShiftClosedError, ShiftNotFoundError
from apps.counter.models import CashMovement, Shift
from apps.counter.rules import AT_COUNTER, MovementKind


@transaction.atomic
def open_shift(*, store_id: UUID, opening_float: Decimal, by: Actor) -> Shift:
    """Open a person's drawer at a store; one that is open already is returned as it is.

    Args:
        opening_float: the cash that lies in it, BRL.

    Raises:
        ShiftNotFoundError: the person does not work at this counter.

    Locks: the person's turn, until commit.
    """
    if by.id is None or not by.roles_at(store_id) & AT_COUNTER:
        raise ShiftNotFoundError
    at = take_turn(by.id)
    running = queries.open_shift_of(by.id, store_id)
    if running is not None:
        return running
    return Shift.objects.create(store_id=store_id, opened_by_id=by.id, opened_at=at, opening_float=opening_float)


@transaction.atomic
def move_cash(
    *, shift_id: UUID, kind: MovementKind, amount: Decimal, reason: str, form_key: UUID, by: Actor
) -> CashMovement:
    """Put cash into a shift's drawer or take it out; the same form sent twice is one movement.

    Args:
        amount: more than zero, BRL.

    Raises:
        ShiftNotFoundError: no such shift of this person.
        ShiftClosedError: it is closed.
        DrawerTooLowError: more was to be taken out than the drawer should hold.

    Locks: the person's turn, then the shift's row, until commit.
    """
    shift = _lock(shift_id, by)
    known = shift.movements.filter(form_key=form_key).first()
    if known is not None:
        return known
    if shift.opened_by_id != by.id:
        raise ShiftNotFoundError
    if not shift.is_open:
        raise ShiftClosedError
    if kind == MovementKind.WITHDRAWAL and amount > queries.totals_of(shift).expected_cash:
        raise DrawerTooLowError("A sangria é maior do que o dinheiro que deve estar na gaveta. Confira o valor.")
    return shift.movements.create(
        kind=kind,
        amount=amount,
        reason=reason,
        at=take_turn(shift.opened_by_id),
        by_id=by.id,
        form_key=form_key,
    )


@transaction.atomic
def close_shift(*, shift_id: UUID, counted_cash: Decimal, note: str, by: Actor) -> Shift:
    """Close a drawer: what was counted is kept beside what the shift adds up to. Repeating it changes nothing.

    Its own person closes it, or whoever oversees the store when they have gone home.

    Args:
        counted_cash: the cash in the drawer, BRL.

    Raises:
        ShiftNotFoundError: no such shift, or not for this person.

    Locks: the turn of the drawer's person, then the shift's row, until commit.
    """
    shift = _lock(shift_id, by)
    if not shift.is_open:
        return shift
    shift.closed_at, shift.closed_by_id = take_turn(shift.opened_by_id), by.id
    totals = queries.totals_of(shift)
    shift.cash_received, shift.card_received = totals.cash, totals.card
    shift.cash_refunded, shift.supplied, shift.withdrawn = totals.cash_refunded, totals.supplied, totals.withdrawn
    shift.counted_cash, shift.note = counted_cash, note
    shift.save()
    shift.refresh_from_db()
    return shift


def _lock(shift_id: UUID, by: Actor) -> Shift:
    """Take the turn of a shift's person, then its row."""
    shift = queries.shift_for(shift_id, by)
    take_turn(shift.opened_by_id)
    return Shift.objects.select_for_update(of=("self",)).get(id=shift.id)

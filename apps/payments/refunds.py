"""Every change of a refund. Locks are taken in the order order → charge → refund, and none over a call to the provider.

A refund is owed in the transaction of the change that owes it. The engine sends it later: what the provider already lists
becomes rows first (``_absorb``), then ours is committed as sent, with its bytes, then it is sent. So whatever answer is lost,
the same request goes out again, and a refund that turns up in the provider's list without a row can only be ours.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum

from apps.contracts.events import PaymentRefunded
from apps.core.facade import PROVIDER, Actor, Role, brl, new_id, prepared, publish, trail, wait_for_turn
from apps.orders import facade as orders
from apps.payments.adapters import PROVIDERS
from apps.payments.errors import (
    BadCredentialsError,
    NoMoneyError,
    PaymentNotFoundError,
    ProviderAwayError,
    ProviderRejectedError,
    ProviderUnavailableError,
    RefundExceedsError,
    RefundLimitError,
    RefundNotFoundError,
)
from apps.payments.models import Charge, Refund
from apps.payments.rules import (
    AFTER_BAD_CREDENTIALS,
    HOLDS_MONEY,
    KEY_LIVES,
    OFTEN,
    PAID,
    RANK,
    REFUND_COUNTS,
    REFUND_MOVES,
    REFUND_OPEN,
    ZERO,
    Cause,
    Method,
    ProviderRefund,
    ProviderState,
    RefundState,
    State,
    next_refund_try,
    refund_state_from,
    why_refused,
)

logger = logging.getLogger(__name__)

CONFLICT = 409
BATCH = 50
LEASE = timedelta(seconds=30)
AFTER_A_RIVAL = timedelta(seconds=5)
COUNTER_ROLES = frozenset({Role.CASHIER, Role.MANAGER, Role.OWNER})
UNLIMITED = frozenset({Role.MANAGER, Role.OWNER})


@transaction.atomic
def request_refund(*, charge_id: UUID, amount: Decimal | None, reason: str, by: Actor, at: datetime) -> Refund:
    """Give a guest money back because staff say so; the order goes on as it is.

    What was paid at the counter is given back by hand by whoever asks, so it is done at once; the rest is sent by the engine.

    Args:
        amount: BRL; None gives back all that is left.

    Raises:
        PaymentNotFoundError: no such charge at a counter of this actor.
        NoMoneyError: nothing was paid, or all of it is back or on its way.
        RefundExceedsError: more than is left.
        RefundLimitError: more than this person may give back of one charge.

    Locks: the person's turn, the order row, the charge, then its refunds, until commit.
    Emits: ``PaymentRefunded`` if it is done at once.
    """
    wait_for_turn(by)
    charge = _lock(charge_id)
    roles = by.roles_at(charge.order.store_id) & COUNTER_ROLES if charge else frozenset()
    if charge is None or not roles:
        raise PaymentNotFoundError
    left = left_of(charge)
    if charge.state not in HOLDS_MONEY or not left:
        raise NoMoneyError("Não há dinheiro desta cobrança a devolver.")
    wanted = left if amount is None else amount
    if wanted > left:
        raise RefundExceedsError(left)
    limit = Decimal(settings.REFUND_LIMIT_CASHIER)
    asked = _sum(charge, Q(cause=Cause.REQUESTED, state__in=REFUND_COUNTS))
    if not roles & UNLIMITED and asked + wanted > limit:
        raise RefundLimitError(limit)
    told: list[trail.Change] = [{"field": "amount", "from": None, "to": str(wanted)}]
    store_id = charge.order.store_id
    trail.record(by=by, action="payments.refund_asked", at=at, subject=charge, store_id=store_id, changes=told)
    return owe(charge, wanted, Cause.REQUESTED, by=by, at=at, reason=reason)


def owe(charge: Charge, amount: Decimal, cause: Cause, *, by: Actor, at: datetime, reason: str = "") -> Refund:
    """Write down that money has to go back; the caller holds the order's and the charge's lock and knows that it is there."""
    refund = Refund(
        id=new_id(),
        charge=charge,
        amount=amount,
        cause=cause,
        reason=reason,
        asked_by_kind=by.kind,
        asked_by_id=by.id,
        created_at=at,
        next_check_at=None if charge.method == Method.COUNTER else at,
    )
    refund.key = f"r-{refund.id}"
    refund.save(force_insert=True)
    if charge.method == Method.COUNTER:
        _enter(refund, RefundState.DONE, charge, max(at, wait_for_turn(by) or at))
    return refund


@transaction.atomic
def refund_cancelled(*, order_id: UUID, at: datetime) -> None:
    """Give back whatever a cancelled order still keeps, in the transaction that cancels it.

    Locks: the caller holds the order row; its charges, until commit. Emits: ``PaymentRefunded`` for what is handed back by hand.
    """
    why = orders.cancellation_of(order_id)
    for charge in Charge.objects.select_for_update().filter(order_id=order_id, pays_order=True, state__in=PAID):
        left = left_of(charge)
        if left:
            owe(charge, left, Cause.ORDER_CANCELLED, by=why.by, at=at, reason=why.reason)
    _tell_saga(order_id, at)


@transaction.atomic
def refund_item(*, order_id: UUID, line_id: UUID, amount: Decimal, at: datetime) -> None:
    """Give back what a voided item cost, or what is left of the payment if that is less, in the transaction that voids it.

    Locks: the caller holds the order row; its charge, until commit. Emits: ``PaymentRefunded`` for what is handed back by hand.
    """
    why = orders.void_of(line_id)
    for charge in Charge.objects.select_for_update().filter(order_id=order_id, pays_order=True, state__in=PAID):
        wanted = min(amount, left_of(charge))
        if wanted:
            owe(charge, wanted, Cause.ITEM_VOIDED, by=why.by, at=at, reason=why.reason)


@transaction.atomic
def retry_refund(*, refund_id: UUID, by: Actor, at: datetime) -> Refund:
    """Send a refund that was refused once more, or one that waits for its next try at once, with its own key and bytes.

    One that is due already or done stays as it is.

    Raises:
        RefundNotFoundError: no such refund at a counter of this actor.
        RefundExceedsError: meanwhile less than that is left of the payment.

    Locks: the order row, the charge, then the refund, until commit.
    """
    charge_id = Refund.objects.filter(id=refund_id).values_list("charge_id", flat=True).first()
    charge = _lock(charge_id) if charge_id else None
    if charge is None or not by.roles_at(charge.order.store_id) & COUNTER_ROLES:
        raise RefundNotFoundError
    refund = Refund.objects.select_for_update().get(id=refund_id)
    if not (refund.state == RefundState.REFUSED or _waits(refund, at)):
        return refund
    if refund.state == RefundState.REFUSED:
        if refund.amount > left_of(charge):
            raise RefundExceedsError(left_of(charge))
        refund.state, refund.problem, refund.attempts = RefundState.QUEUED, "", 0
    refund.next_check_at = at
    refund.save()
    trail.record(by=by, action="payments.refund_retried", at=at, subject=refund, store_id=charge.order.store_id)
    _tell_saga(charge.order_id, at)
    return refund


def look_now(*, refund_id: UUID, by: Actor, at: datetime) -> Refund:
    """Take a refund that is under way a step on at once, because somebody who answers for the store says so.

    Raises:
        RefundNotFoundError: no such refund in a store the actor answers for.
        ProviderAwayError: no usable answer, or somebody else is at it.
    """
    refund = Refund.objects.filter(id=refund_id).select_related("charge__order").first()
    if refund is None or not by.roles_at(refund.charge.order.store_id) & UNLIMITED:
        raise RefundNotFoundError
    if refund.state not in REFUND_OPEN:
        return refund
    moved = advance_refund(refund_id=refund_id, at=at)
    if moved is None or moved.state in (RefundState.QUEUED, RefundState.SENDING):
        raise ProviderAwayError
    return moved


@transaction.atomic
def retry_cancelled(*, order_id: UUID, by: Actor, at: datetime) -> int:
    """Retry what a cancelled order still owes its guest, the newest refund first; return how many there were to retry.

    One that was refused and for which the newer ones leave nothing is not retried.

    Raises:
        RefundNotFoundError, RefundExceedsError: as ``retry_refund``.

    Locks: the order row, the charge, then its refunds, until commit.
    """
    owed = Refund.objects.filter(charge__order_id=order_id, charge__pays_order=True).exclude(state=RefundState.DONE)
    count = 0
    for refund in owed.order_by("-created_at", "-id"):
        if refund.state != RefundState.REFUSED and not _waits(refund, at):
            continue
        try:
            retry_refund(refund_id=refund.id, by=by, at=at)
        except RefundExceedsError:
            if not count:
                raise
        else:
            count += 1
    return count


def claim_due(*, at: datetime) -> list[UUID]:
    """Return refunds whose moment has come, at most 50; each is offered again if nobody finishes it.

    Locks: the refunds, for the length of one statement; another engine skips them.
    """
    with transaction.atomic():
        due = Refund.objects.filter(next_check_at__lte=at, state__in=REFUND_OPEN).order_by("next_check_at")
        ids = list(due.select_for_update(skip_locked=True).values_list("id", flat=True)[:BATCH])
        Refund.objects.filter(id__in=ids).update(next_check_at=at + LEASE)
    return ids


def advance_refund(*, refund_id: UUID, at: datetime) -> Refund | None:
    """Take a refund one step on: send it, send it again, or ask what became of it.

    Safe to run twice and at the same time: the row is claimed by a lease and committed as sent before it is sent, always with
    its own key and bytes. A refusal that may hide an effect is settled by the provider's own list. Returns the refund, or None
    when somebody else is at it, it is settled, or there is none (so ``RefundNotFoundError`` does not arise).
    """
    refund = _lease(refund_id, at)
    if refund is None:
        return None
    provider = PROVIDERS[refund.charge.method]
    refusal = ""
    try:
        if refund.state == RefundState.PROCESSING:
            return _record(refund_id, provider.fetch(refund.charge).refunds, at)
        if refund.state == RefundState.QUEUED or _key_is_old(refund, at):
            refund = _prepare(refund_id, provider.fetch(refund.charge), at)
            if refund.state != RefundState.SENDING:
                return refund
        try:
            listed = _send(refund)
        except ProviderRejectedError as problem:
            if problem.http_status != CONFLICT:
                raise
            refusal, listed = problem.code, provider.fetch(refund.charge).refunds
    except BadCredentialsError:
        logger.error("refund %s: the provider does not accept our credentials", refund_id)  # noqa: TRY400 - no trace needed
        return _postpone(refund_id, at + AFTER_BAD_CREDENTIALS, "O provedor não aceita a credencial.")
    except ProviderUnavailableError as problem:
        logger.warning("refund %s: provider away: %s", refund_id, problem)
        return _postpone(refund_id, next_refund_try(refund.attempts, at), "")
    except ProviderRejectedError as problem:
        refusal, listed = problem.code, ()
    return _record(refund_id, listed, at, refusal=refusal)


def absorb(charge: Charge, listed: Sequence[ProviderRefund], at: datetime) -> None:
    """Let the rows of a charge be what the provider lists; the caller holds the order's and the charge's lock.

    One that is listed and has no row yet is ours if one of that amount was sent or waits to be; else it was made at the
    provider without us: it gets a row of its own, and the order is flagged for staff.

    Locks: the charge's refunds, until commit. Emits: ``PaymentRefunded`` for each that is now done.
    """
    rows = prepared.read(Refund, "WHERE charge_id = %s ORDER BY created_at, id FOR UPDATE", [charge.id])
    known = {row.provider_refund_id: row for row in rows if row.provider_refund_id}
    for told in listed:
        state = refund_state_from(told.status)
        row = known.get(told.id) or _ours(rows, told)
        if row is None and state != RefundState.REFUSED:
            row = _outside(charge, told, at)
            rows += [row] if row else []
        if row is not None:
            row.provider_refund_id = told.id
            _enter(row, state, charge, at)
            _make_room(charge, rows)


def left_of(charge: Charge) -> Decimal:
    """Return what was paid on a charge and is neither back nor on its way, BRL."""
    return charge.paid_amount - _sum(charge, Q(state__in=REFUND_COUNTS))


def _sum(charge: Charge, which: Q) -> Decimal:
    total: Decimal | None = charge.refunds.filter(which).aggregate(total=Sum("amount"))["total"]
    return total or ZERO


def _lock(charge_id: UUID) -> Charge | None:
    """Lock a charge's order, then the charge."""
    order_id = Charge.objects.filter(id=charge_id).values_list("order_id", flat=True).first()
    if order_id is None:
        return None
    orders.lock_for_payment(order_id=order_id)
    return Charge.objects.select_for_update(of=("self",)).select_related("order").get(id=charge_id)


def _lock_refund(refund_id: UUID) -> tuple[Charge, Refund]:
    """Lock a refund's order, its charge, then the refund."""
    charge = _lock(Refund.objects.values_list("charge_id", flat=True).get(id=refund_id))
    if charge is None:
        raise RefundNotFoundError
    refund = Refund.objects.select_for_update().get(id=refund_id)
    refund.charge = charge
    return charge, refund


def _lease(refund_id: UUID, at: datetime) -> Refund | None:
    """Claim a refund for one step; None when it is settled or claimed. No join: Postgres does not look at one a second time."""
    free = Refund.objects.filter(Q(leased_until=None) | Q(leased_until__lte=at), id=refund_id, state__in=REFUND_OPEN)
    if not free.update(leased_until=at + LEASE):
        return None
    return Refund.objects.select_related("charge__order").get(id=refund_id)


def _send(refund: Refund) -> Sequence[ProviderRefund]:
    """Send a refund and return what the provider lists; all it lists when what was left turned out to be less than we knew."""
    provider = PROVIDERS[refund.charge.method]
    made = provider.refund(refund.charge, refund)
    return made if refund.amount in [each.amount for each in made] else provider.fetch(refund.charge).refunds


def _waits(refund: Refund, at: datetime) -> bool:
    """Tell whether a refund is under way and nobody looks at it before its next try."""
    free = refund.leased_until is None or refund.leased_until <= at
    return refund.state in REFUND_OPEN and free and refund.next_check_at is not None and refund.next_check_at > at


def _key_is_old(refund: Refund, at: datetime) -> bool:
    """Tell whether the provider may have forgotten the key, so that the same request would be a second refund."""
    return refund.sent_at is not None and at - refund.sent_at > KEY_LIVES


@transaction.atomic
def _prepare(refund_id: UUID, told: ProviderState, at: datetime) -> Refund:
    """Commit a refund as sent, with the bytes to send, once all that the provider lists has its row."""
    charge, refund = _lock_refund(refund_id)
    absorb(charge, told.refunds, at)
    refund.refresh_from_db()
    refund.charge = charge
    if refund.state not in (RefundState.QUEUED, RefundState.SENDING):
        return refund
    if charge.refunds.filter(state=RefundState.SENDING).exclude(id=refund.id).exists():
        refund.leased_until, refund.next_check_at = None, at + AFTER_A_RIVAL
        refund.save()
        return refund
    if refund.sent_at is None:
        refund.body = PROVIDERS[charge.method].refund_body(refund.amount, told)
    refund.state, refund.sent_at = RefundState.SENDING, at
    refund.next_check_at = next_refund_try(refund.attempts, at)
    refund.attempts += 1
    refund.save()
    return refund


@transaction.atomic
def _record(refund_id: UUID, listed: Sequence[ProviderRefund], at: datetime, refusal: str = "") -> Refund:
    """Write down what the provider lists; what it refused and does not list either is for staff."""
    charge, refund = _lock_refund(refund_id)
    absorb(charge, listed, at)
    refund.refresh_from_db()
    refund.leased_until = None
    if refund.state in REFUND_OPEN and refusal:
        _enter(refund, RefundState.REFUSED, charge, at, problem=why_refused(refusal))
    elif refund.state == RefundState.PROCESSING:
        refund.next_check_at = at + OFTEN
    elif refund.state in REFUND_OPEN:
        refund.next_check_at = next_refund_try(refund.attempts, at)
    refund.save()
    return refund


@transaction.atomic
def _postpone(refund_id: UUID, until: datetime, problem: str) -> Refund:
    refund = Refund.objects.select_for_update().get(id=refund_id)
    refund.leased_until = None
    if refund.state in REFUND_OPEN:
        refund.next_check_at, refund.problem = until, problem
        refund.attempts += 1
    refund.save()
    return refund


def _enter(refund: Refund, to: RefundState, charge: Charge, at: datetime, problem: str = "") -> None:
    """Move a locked refund, and its locked charge with it; a move that ``rules.REFUND_MOVES`` lacks is none."""
    if to not in REFUND_MOVES.get(refund.state, ()):
        return
    refund.state, refund.problem = to, problem
    refund.next_check_at = at + OFTEN if to == RefundState.PROCESSING else None
    refund.done_at = at if to == RefundState.DONE else None
    refund.save()
    if to == RefundState.DONE:
        _count(refund, charge, at)
    if to == RefundState.REFUSED:
        logger.error("refund %s of charge %s was refused: %s", refund.id, charge.id, problem)
        orders.flag_order(order_id=charge.order_id, attention=f"Devolução recusada: {problem}")
    _tell_saga(charge.order_id, at)


def _count(refund: Refund, charge: Charge, at: datetime) -> None:
    """Add a done refund to its charge and tell of it."""
    charge.refunded_amount = _sum(charge, Q(state=RefundState.DONE))
    if charge.refunded_amount == charge.paid_amount:
        to = State.REFUNDED
    else:
        to = State.PARTIALLY_REFUNDED if charge.pays_order else State(charge.state)
    if RANK[to] > RANK[State(charge.state)]:
        charge.state = to
    charge.version += 1
    charge.save()
    publish(
        PaymentRefunded(
            subject=charge.id,
            store=charge.order.store_id,
            seq=charge.version,
            at=at,
            payment=charge.id,
            refund=refund.id,
            amount=str(refund.amount),
            cause=refund.cause,
        )
    )


def _ours(rows: Sequence[Refund], told: ProviderRefund) -> Refund | None:
    """Find the row that a refund without one must be: sent first, then refused after being sent, then waiting."""

    def could_be(row: Refund) -> bool:
        return row.provider_refund_id is None and row.amount == told.amount

    sent = [row for row in rows if could_be(row) and row.state == RefundState.SENDING]
    refused = [row for row in rows if could_be(row) and row.state == RefundState.REFUSED and row.sent_at]
    waiting = [row for row in rows if could_be(row) and row.state == RefundState.QUEUED]
    return next(iter([*sent, *refused, *waiting]), None)


def _outside(charge: Charge, told: ProviderRefund, at: datetime) -> Refund | None:
    """Write the row of a refund made without us; None when it cannot be, because the rows would exceed what was paid."""
    logger.error("charge %s: the provider gave R$ %s back without us", charge.id, told.amount)
    orders.flag_order(order_id=charge.order_id, attention=f"{brl(told.amount)} devolvidos direto no provedor")
    if _sum(charge, Q(state=RefundState.DONE)) + told.amount > charge.paid_amount:
        return None
    refund = Refund(
        id=new_id(),
        charge=charge,
        amount=told.amount,
        cause=Cause.OUTSIDE,
        asked_by_kind=PROVIDER.kind,
        created_at=at,
        provider_refund_id=told.id,
    )
    refund.key = f"r-{refund.id}"
    refund.save(force_insert=True)
    return refund


def _make_room(charge: Charge, rows: Sequence[Refund]) -> None:
    """Let what still waits shrink to what is left once the provider has given something back without us.

    What was never sent gives way first. Of what was sent, only the request for all that is left fits whatever is left; one for
    an amount that is no longer there has had no effect and can have none.
    """
    over = -left_of(charge)
    waiting = [row for row in reversed(rows) if row.state in (RefundState.QUEUED, RefundState.SENDING)]
    for row in sorted(waiting, key=lambda row: row.sent_at is not None):
        if over <= 0:
            return
        fits = row.sent_at is None or row.body is None
        less = min(over, row.amount) if fits else row.amount
        over -= less
        if less == row.amount:
            row.state, row.next_check_at = RefundState.REFUSED, None
            row.problem = "Já devolvido direto no provedor."
        else:
            row.amount -= less
        row.save()


def _tell_saga(order_id: UUID, at: datetime) -> None:
    """Keep the refund step of a cancelled order's checklist up to date."""
    charge = Charge.objects.filter(order_id=order_id, pays_order=True).first()
    kind = orders.CancelKind.REFUND
    if charge is None or charge.state not in PAID:
        detail = brl(charge.refunded_amount) if charge else ""
        orders.step_done(order_id=order_id, kind=kind, at=at, detail=detail)
        return
    refused = charge.refunds.filter(state=RefundState.REFUSED).order_by("-created_at").first()
    if charge.refunds.filter(state__in=REFUND_OPEN).exists() or refused is None:
        orders.step_waits(order_id=order_id, kind=kind)
    else:
        orders.step_failed(order_id=order_id, kind=kind, detail=refused.problem)

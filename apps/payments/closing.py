"""The nightly closing: a store's business day beside what the provider says of it, and the repair of what differs.

A closing is read in steps: pages of the provider's list, then one question for each charge that no page has shown. A step is
claimed by a lease, calls out with no transaction open, and writes what it found together with the mark of the next one; so it
may be killed anywhere and run by many at once. Locks: the closing row alone, except where a repair settles a charge.
"""

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet, Sum

from apps.core.facade import Actor, Role, trail
from apps.payments import accounts, metrics, queries, services
from apps.payments.accounts import Account
from apps.payments.adapters import PROVIDERS
from apps.payments.differences import (
    ClosingState,
    Difference,
    Kind,
    day_at,
    differences,
    paid_there,
    refunded_there,
    span_of,
)
from apps.payments.errors import (
    ClosingNotFoundError,
    DayNotOverError,
    ProviderAwayError,
    ProviderError,
    ProviderRejectedError,
    ProviderUnavailableError,
)
from apps.payments.models import Charge, Closing, ClosingLine, PointOfSale
from apps.payments.rules import ZERO, Method, ProviderState, next_refund_try, pos_external_id
from apps.stores.facade import StoreFacts, every_store, store_by_id

logger = logging.getLogger(__name__)

NOT_FOUND = 404
LEASE = timedelta(seconds=60)  # longer than any single call
REST = timedelta(hours=1)  # after the day's end, so that what it began has come to an end
LOOKED_BACK = 7
SKEW = timedelta(minutes=5)
PAGES_A_STEP = 5
QUESTIONS_A_STEP = 20
BATCH = 10
REPAIRERS = frozenset({Role.OWNER, Role.MANAGER})
PROVIDER = PROVIDERS[Method.MERCADO_PAGO_QR]


class OvertakenError(Exception):
    """A step took longer than its lease, and another process went on meanwhile."""


def open_closings(*, at: datetime) -> int:
    """Write down the days that are over and have no closing yet, a week back at most; return how many.

    A store for training has none: there is nothing to compare with.
    """
    last = dict(Closing.objects.values_list("store").annotate(Max("day")))
    new = []
    for store in every_store():
        if store.training:
            continue
        newest = day_at(at - REST, zone=store.timezone, starts_at=store.day_starts_at) - timedelta(days=1)
        known = last.get(store.id)
        gap = LOOKED_BACK if known is None else (newest - known).days
        if known is None and not Charge.objects.filter(order__store=store.id).exists():
            continue
        new += [_closing(store, newest - timedelta(days=back), at) for back in range(min(gap, LOOKED_BACK))]
    return len(Closing.objects.bulk_create(new, ignore_conflicts=True)) if new else 0


@transaction.atomic
def close_again(*, store_id: UUID, day: date, by: Actor, at: datetime) -> Closing:
    """Do a day's closing from the start, or for the first time; one that is being done goes on as it is.

    Raises:
        ClosingNotFoundError: no such store among those the actor answers for, or it is for training.
        DayNotOverError: the day still goes on.

    Locks: the closing row, until commit.
    """
    store = store_by_id(store_id)
    if store is None or store.training or not (by.kind == "system" or by.roles_at(store_id) & REPAIRERS):
        raise ClosingNotFoundError
    wanted = _closing(store, day, at)
    if wanted.ends_at > at:
        raise DayNotOverError
    Closing.objects.bulk_create([wanted], ignore_conflicts=True)
    closing = Closing.objects.select_for_update().get(store=store_id, day=day)
    if closing.state == ClosingState.DONE:
        closing.state, closing.finished_at = ClosingState.WAITING, None
        closing.begins_at, closing.ends_at = (
            wanted.begins_at,
            wanted.ends_at,
        )  # the store may begin its day elsewhere now
    closing.next_check_at, closing.attempts = at, 0
    closing.save()
    trail.record(by=by, action="payments.closing_asked", at=at, subject=closing, store_id=store_id)
    return closing


def claim_due(*, at: datetime) -> list[UUID]:
    """Return closings whose next step may be taken, at most ten; each is offered again if nobody takes it.

    Locks: the closings, for the length of one statement; another engine skips them.
    """
    with transaction.atomic():
        due = Closing.objects.filter(next_check_at__lte=at).order_by("next_check_at")
        ids = list(due.select_for_update(skip_locked=True).values_list("id", flat=True)[:BATCH])
        Closing.objects.filter(id__in=ids).update(next_check_at=at + LEASE)
    return ids


def advance_closing(*, closing_id: UUID, at: datetime) -> Closing | None:
    """Take a closing some pages or questions further; None when somebody else is at it or it is done.

    A provider that is away or at its rate puts it off; a search it refuses is replaced by a question for each charge.
    """
    closing = _lease(closing_id, at)
    if closing is None:
        return None
    try:
        for _ in range(PAGES_A_STEP):
            if closing.state != ClosingState.LISTING:
                break
            closing = _list_page(closing, at)
        if closing.state == ClosingState.ASKING:
            closing = _ask_the_rest(closing, at)
    except OvertakenError:
        return None
    except ProviderError as problem:
        logger.warning("closing %s: %s", closing_id, problem)
        return _put_off(closing, problem, at)
    return _rest(closing, at)


def repair_line(*, line_id: UUID, by: Actor, at: datetime) -> ClosingLine:
    """Do what mends a difference: ask about the charge again, or give an orphan back. Repeating a repaired one does nothing.

    It is repaired when the books agree then; otherwise it stays, with what was found.

    Raises:
        ClosingNotFoundError: no such difference in a store the actor answers for.
        ProviderAwayError: the provider gave no usable answer.
    """
    line = _line_for(line_id, by)
    if line.repaired_at is not None:
        return line
    if line.kind == Kind.KEPT:
        still: Sequence[Difference] = queries.unbalanced(order_id=line.order_id)
    else:
        try:
            still = _orphan_after(line) if line.kind == Kind.ORPHAN else _charge_after(line, at)
        except ProviderError as problem:
            logger.warning("closing line %s: %s", line_id, problem)
            raise ProviderAwayError from problem
    return _record_repair(line_id, still, by, at)


@transaction.atomic
def note_line(*, line_id: UUID, note: str, by: Actor, at: datetime) -> ClosingLine:
    """Put a difference aside that somebody has looked after in another way, and say how. A repaired one stays as it is.

    Raises:
        ClosingNotFoundError: no such difference in a store the actor answers for.

    Locks: the difference's row, until commit.
    """
    _line_for(line_id, by)
    line = ClosingLine.objects.select_for_update(of=("self",)).select_related("closing").get(id=line_id)
    if line.repaired_at is None:
        line.note, line.repaired_at, line.repaired_by = note, at, by.id
        line.save()
        told = [{"field": "note", "from": None, "to": note}]
        store_id = line.closing.store_id
        trail.record(by=by, action="payments.difference_noted", at=at, subject=line, store_id=store_id, changes=told)
    return line


def _closing(store: StoreFacts, day: date, at: datetime) -> Closing:
    begins_at, ends_at = span_of(day, zone=store.timezone, starts_at=store.day_starts_at)
    return Closing(store_id=store.id, day=day, begins_at=begins_at, ends_at=ends_at, next_check_at=at)


@transaction.atomic
def _lease(closing_id: UUID, at: datetime) -> Closing | None:
    """Claim a closing for one step; one that waits begins a new run."""
    closing = Closing.objects.select_for_update(skip_locked=True).filter(id=closing_id).first()
    if closing is None or closing.state == ClosingState.DONE or (closing.leased_until or at) > at:
        return None
    if closing.state == ClosingState.WAITING:
        closing.state, closing.run = ClosingState.LISTING, closing.run + 1
        closing.accounts_left, closing.page = _accounts_of(closing), 1
        closing.searched, closing.started_at = True, at
        closing.theirs_paid = closing.theirs_refunded = ZERO
        if not closing.accounts_left:
            closing.state = ClosingState.ASKING
    closing.leased_until, closing.next_check_at = at + LEASE, at + LEASE
    closing.save()
    return closing


def _accounts_of(closing: Closing) -> list[str]:
    """Name the accounts to be read: those the day's charges were made with, and the one the store uses."""
    keys = {
        str(account) if account else accounts.FROM_SETTINGS
        for account in _charges_of(closing).values_list("account", flat=True).distinct()
    }
    today = accounts.for_store(closing.store_id)
    return sorted(keys | ({today.key} if today.token else set()))


def _charges_of(closing: Closing) -> QuerySet[Charge]:
    """Find the charges of the day that the provider must know."""
    span = Q(created_at__gte=closing.begins_at, created_at__lt=closing.ends_at)
    return Charge.objects.filter(span, order__store=closing.store_id).exclude(method=Method.COUNTER)


def _list_page(closing: Closing, at: datetime) -> Closing:
    """Read one page of the provider's list and write down what differs."""
    account = accounts.by_key(closing.accounts_left[0])
    begin, end = closing.begins_at - SKEW, closing.ends_at + SKEW
    try:
        listing = PROVIDER.search(account, begin=begin, end=end, page=closing.page)
    except ProviderRejectedError as refusal:
        logger.warning("closing %s: the provider refuses to search: %s", closing.id, refusal)
        return _turn(closing, (), account, at, is_last=True, searched=False)
    return _turn(closing, listing.states, account, at, is_last=listing.is_last, searched=True)


@transaction.atomic
def _turn(
    closing: Closing, told: Sequence[ProviderState], account: Account, at: datetime, *, is_last: bool, searched: bool
) -> Closing:
    """Write one page's findings with the mark of the next page."""
    fresh = _still_mine(closing)
    known = {charge.reference: charge for charge in _named(told)}
    compared = []
    for state in told:
        charge = known.get(state.reference)
        if charge is None:
            _look_at_orphan(fresh, state, account, at)
        elif charge.order.store_id == fresh.store_id and fresh.begins_at <= charge.created_at < fresh.ends_at:
            _compare(fresh, charge, state, at)
            compared.append(charge.id)
    Charge.objects.filter(id__in=compared).update(compared_at=fresh.started_at)
    if is_last:
        fresh.accounts_left, fresh.page = fresh.accounts_left[1:], 1
    else:
        fresh.page += 1
    fresh.searched = fresh.searched and searched
    if not fresh.accounts_left:
        fresh.state = ClosingState.ASKING
    fresh.leased_until, fresh.attempts, fresh.problem = at + LEASE, 0, ""
    fresh.save()
    return fresh


def _named(told: Sequence[ProviderState]) -> QuerySet[Charge]:
    return queries.with_refunds(Charge.objects.filter(reference__in=[state.reference for state in told]))


def _ask_the_rest(closing: Closing, at: datetime) -> Closing:
    """Ask about some charges that no page has shown; when there are none left, the closing is done."""
    asked = Q(compared_at=None) | Q(compared_at__lt=closing.started_at)
    unseen = _charges_of(closing).filter(asked, provider_order_id__isnull=False).order_by("id")
    rows = list(queries.with_refunds(unseen)[:QUESTIONS_A_STEP])
    for charge in rows:
        told: ProviderState | None
        try:
            told = PROVIDER.fetch(charge)
        except ProviderRejectedError as refusal:
            if refusal.http_status != NOT_FOUND:
                raise
            told = None
        closing = _note_answer(closing, charge, told, at)
    return closing if len(rows) == QUESTIONS_A_STEP else _finish(closing, at)


@transaction.atomic
def _note_answer(closing: Closing, charge: Charge, told: ProviderState | None, at: datetime) -> Closing:
    fresh = _still_mine(closing)
    if Charge.objects.filter(Q(compared_at=None) | Q(compared_at__lt=fresh.started_at), id=charge.id).update(
        compared_at=fresh.started_at
    ):
        _compare(fresh, charge, told, at)
        fresh.leased_until, fresh.attempts, fresh.problem = at + LEASE, 0, ""
        fresh.save()
    return fresh


def _still_mine(closing: Closing) -> Closing:
    """Lock a closing that is still where this step found it.

    Raises:
        OvertakenError: somebody else has taken it further.
    """
    fresh = Closing.objects.select_for_update().get(id=closing.id)
    mark = (closing.run, closing.state, closing.accounts_left, closing.page)
    if (fresh.run, fresh.state, fresh.accounts_left, fresh.page) != mark:
        raise OvertakenError(closing.id)
    return fresh


def _compare(closing: Closing, charge: Charge, told: ProviderState | None, at: datetime) -> None:
    closing.theirs_paid += paid_there(told)
    closing.theirs_refunded += refunded_there(told)
    for found in differences(queries.books_of(charge), told):
        _write(
            closing,
            found,
            str(charge.id),
            at,
            order_id=charge.order_id,
            charge_id=charge.id,
            account_id=charge.account_id,
            provider_order_id=told.provider_order_id if told else charge.provider_order_id or "",
        )


def _look_at_orphan(closing: Closing, told: ProviderState, account: Account, at: datetime) -> None:
    """Write down money in an order of ours at the provider that no charge names, at the store whose till it was made at."""
    left = paid_there(told) - refunded_there(told)
    made_at = told.made_at or closing.begins_at
    if left <= 0 or told.status == "charged_back" or not closing.begins_at <= made_at < closing.ends_at:
        return
    if _store_of(told, account) not in (None, closing.store_id):
        return
    others = ClosingLine.objects.filter(kind=Kind.ORPHAN, provider_order_id=told.provider_order_id)
    if others.exclude(closing=closing).exists():
        return
    closing.theirs_paid += paid_there(told)
    closing.theirs_refunded += refunded_there(told)
    reason = f"Pago no Mercado Pago ({told.reference}), sem cobrança aqui: pode ser de um backup antigo ou de outro computador."
    found = Difference(Kind.ORPHAN, ZERO, left, reason[:200])
    _write(closing, found, told.provider_order_id, at, account_id=account.id, provider_order_id=told.provider_order_id)


def _store_of(told: ProviderState, account: Account) -> UUID | None:
    """Find the store an order was made at by its till, or None."""
    till = PointOfSale.objects.filter(external_id=told.pos, account=account.id).values_list("store", flat=True).first()
    return till or next((store.id for store in every_store() if pos_external_id(store.code) == told.pos), None)


def _write(closing: Closing, found: Difference, subject: str, at: datetime, **more: object) -> None:
    """Write a difference, or find it again; one that was put aside stays aside while its amounts are the same."""
    line, is_new = ClosingLine.objects.get_or_create(
        closing=closing,
        kind=found.kind,
        subject=subject,
        defaults={
            "run": closing.run,
            "ours": found.ours,
            "theirs": found.theirs,
            "reason": found.reason,
            "found_at": at,
            **more,
        },
    )
    if is_new:
        metrics.count_drift(found.kind)
        return
    if (line.ours, line.theirs) != (found.ours, found.theirs) or (line.repaired_at and not line.note):
        line.repaired_at, line.repaired_by = None, None
    line.run, line.ours, line.theirs, line.reason = closing.run, found.ours, found.theirs, found.reason
    line.save()


@transaction.atomic
def _finish(closing: Closing, at: datetime) -> Closing:
    """Add up our side, look at the orders, and take back what was not found again."""
    fresh = _still_mine(closing)
    for order_id, found in queries.unbalanced_at(fresh.store_id, since=fresh.begins_at, until=fresh.ends_at):
        _write(fresh, found, str(order_id), at, order_id=order_id)
    sums = _charges_of(fresh).aggregate(count=Count("id"), paid=Sum("paid_amount"), back=Sum("refunded_amount"))
    fresh.charges, fresh.ours_paid, fresh.ours_refunded = sums["count"], sums["paid"] or ZERO, sums["back"] or ZERO
    fresh.at_counter = queries.taken_by_person(fresh.store_id, since=fresh.begins_at, until=fresh.ends_at)
    fresh.lines.filter(run__lt=fresh.run, repaired_at=None).update(repaired_at=at)
    fresh.state, fresh.finished_at = ClosingState.DONE, at
    fresh.next_check_at = fresh.leased_until = None
    fresh.save()
    return fresh


@transaction.atomic
def _rest(closing: Closing, at: datetime) -> Closing:
    """Let go of a closing that has more to be read."""
    fresh = Closing.objects.select_for_update().get(id=closing.id)
    if fresh.state != ClosingState.DONE:
        fresh.leased_until, fresh.next_check_at = None, at
        fresh.save()
    return fresh


@transaction.atomic
def _put_off(closing: Closing, problem: ProviderError, at: datetime) -> Closing:
    fresh = Closing.objects.select_for_update().get(id=closing.id)
    if fresh.state == ClosingState.DONE:
        return fresh
    wait = problem.retry_after if isinstance(problem, ProviderUnavailableError) else None
    fresh.next_check_at = at + wait if wait else next_refund_try(fresh.attempts, at)
    fresh.attempts = min(fresh.attempts + 1, 1000)
    fresh.leased_until, fresh.problem = None, str(problem)[:200]
    fresh.save()
    return fresh


def _line_for(line_id: UUID, by: Actor) -> ClosingLine:
    line = ClosingLine.objects.filter(id=line_id).select_related("closing", "charge").first()
    if line is None or not by.roles_at(line.closing.store_id) & REPAIRERS:
        raise ClosingNotFoundError
    return line


def _charge_after(line: ClosingLine, at: datetime) -> list[Difference]:
    """Settle a charge by what the provider says now; return what still differs."""
    charge = line.charge
    assert charge is not None  # noqa: S101 - every kind but orphans and orders has one
    told: ProviderState | None
    try:
        told = PROVIDER.look_up(accounts.of(charge), line.provider_order_id)
    except ProviderRejectedError as refusal:
        if refusal.http_status != NOT_FOUND:
            raise
        told = None
    if told is not None:
        services.settle_charge(charge_id=charge.id, order_id=charge.order_id, told=told, at=at)
    return differences(queries.books_of(queries.with_refunds(Charge.objects.filter(id=charge.id)).get()), told)


def _orphan_after(line: ClosingLine) -> list[Difference]:
    """Give an orphan's money back, with the line's own key; return what is still there."""
    account = accounts.by_key(str(line.account_id or accounts.FROM_SETTINGS))
    if Charge.objects.filter(provider_order_id=line.provider_order_id).exists():
        return []
    told = PROVIDER.look_up(account, line.provider_order_id)
    if paid_there(told) > refunded_there(told, final=False):
        PROVIDER.give_back(account, line.provider_order_id, key=f"o-{line.id}")
        told = PROVIDER.look_up(account, line.provider_order_id)
    left = paid_there(told) - refunded_there(told)
    if left <= 0:
        return []
    reason = "A devolução está em processamento no Mercado Pago; confira de novo em uma hora."
    return [Difference(Kind.ORPHAN, ZERO, left, reason)]


@transaction.atomic
def _record_repair(line_id: UUID, still: Sequence[Difference], by: Actor, at: datetime) -> ClosingLine:
    line = ClosingLine.objects.select_for_update(of=("self",)).select_related("closing").get(id=line_id)
    if line.repaired_at is not None:
        return line
    same = next((found for found in still if found.kind == line.kind), None)
    if same is None:
        line.repaired_at, line.repaired_by = at, by.id
    else:
        line.ours, line.theirs, line.reason = same.ours, same.theirs, same.reason
    line.save()
    store_id = line.closing.store_id
    trail.record(by=by, action="payments.difference_repaired", at=at, subject=line, store_id=store_id)
    return line

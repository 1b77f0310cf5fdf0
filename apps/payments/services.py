"""Every change of a charge. The order is locked before the charge, and neither over a call to the provider."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.contracts.events import PaymentProcessed
from apps.core.facade import (
    PROVIDER,
    SYSTEM,
    Actor,
    Claim,
    InvalidError,
    KeyReusedError,
    News,
    RivalRunningError,
    Role,
    brl,
    new_id,
    prepared,
    publish,
    take_turn,
    tell,
    trail,
)
from apps.orders import facade as orders
from apps.payments import accounts, lines, metrics, refunds
from apps.payments.adapters import PROVIDERS
from apps.payments.errors import (
    ChargeOpenError,
    NotAtCounterError,
    PaymentNotFoundError,
    ProviderAwayError,
    ProviderError,
    ProviderRejectedError,
    ProviderUnavailableError,
    TooOftenError,
)
from apps.payments.models import Charge
from apps.payments.providers.mercado_pago.qr import create_body, reference_of
from apps.payments.queries import is_practice, point_of_sale
from apps.payments.rules import (
    ACTIVE,
    ENDED,
    HOLD_AFTER_QR,
    MOST_QR_CODES,
    OPEN,
    RANK,
    SETTLED,
    Cause,
    Method,
    ProviderState,
    State,
    Tender,
    mismatch,
    next_check,
    state_from,
)
from apps.stores.facade import is_training

logger = logging.getLogger(__name__)

NOT_FOUND = 404
ANSWERS_FOR = frozenset({Role.MANAGER, Role.OWNER})
COUNTER_ROLES = frozenset({Role.CASHIER, Role.MANAGER, Role.OWNER})
LEASE = timedelta(seconds=15)
CLAIM = """
    WITH due AS (
        SELECT id FROM payments_charge WHERE next_check_at <= %s AND state <> ALL(%s)
        ORDER BY next_check_at LIMIT 50 FOR UPDATE SKIP LOCKED)
    UPDATE payments_charge claimed SET next_check_at = %s FROM due WHERE claimed.id = due.id RETURNING claimed.id
"""
LOCKED = "WHERE id = %s FOR UPDATE"
OF_ORDER = "WHERE order_id = %s ORDER BY id FOR UPDATE"
REVIVE = "revive"
CHECK_AT_MOST_EVERY = timedelta(seconds=3)


def open_charge(*, order_id: UUID, method: Method, by: Actor, claim: Claim, at: datetime) -> Charge:
    """Ask to be paid for an order: commit the charge, then call the provider, then record its answer.

    A lost answer or a provider that is away leaves the charge queued; the engine goes on with the same key and bytes.

    Raises:
        OrderNotFoundError: no such order, or not for this actor; ``PaymentNotFoundError`` does not arise.
        AlreadyPaidError: the order does not wait for money.
        ReleaseRequiredError: staff have to let the order go first.
        ChargeOpenError: the order has had as many QR codes as it may have.
        RivalRunningError, KeyReusedError: the same request is at work, or its key came with another body.

    Locks: the order row, until the charge is committed; none over the call.
    """
    charge = _begin(order_id=order_id, method=method, by=by, claim=claim, at=at)
    return charge if method == Method.COUNTER else _take_step(charge, at)


@transaction.atomic
def _begin(*, order_id: UUID, method: Method, by: Actor, claim: Claim, at: datetime) -> Charge:
    order = orders.lock_for_payment(order_id=order_id)
    if not orders.may_see(order, by):
        raise orders.OrderNotFoundError
    if order.status != orders.Status.AWAITING_PAYMENT:
        raise orders.AlreadyPaidError("Este pedido já foi pago ou encerrado.")
    orders.check_released(order.release)
    if replayed_charge(claim) is not None:
        raise RivalRunningError("Esta cobrança já está sendo criada.")
    before = prepared.read(Charge, OF_ORDER, [order_id])
    codes = sum(charge.method != Method.COUNTER for charge in before)
    if method != Method.COUNTER and codes >= MOST_QR_CODES:
        raise ChargeOpenError("Este pedido já teve o máximo de códigos. Pague no caixa.")
    _close(before, at)
    if method != Method.COUNTER:
        method = Method.TRAINING if is_training(order.store_id) else Method.MERCADO_PAGO_QR
    charge = Charge(
        id=new_id(),
        order=order,
        method=method,
        amount=order.total,
        principal=claim.principal,
        client_key=claim.key,
        request_hash=claim.request_hash,
        created_at=at,
    )
    charge.reference = reference_of(charge.id)
    charge.create_key = f"c-{charge.id}"
    if method == Method.COUNTER:
        charge.state, charge.expires_at = State.PENDING, at + timedelta(seconds=settings.COUNTER_TTL_SECONDS)
        orders.hold_until(order_id=order_id, until=charge.expires_at)
    else:
        charge.leased_until = charge.next_check_at = at + LEASE
    if method == Method.MERCADO_PAGO_QR:
        charge.account_id = accounts.for_store(order.store_id).id
        charge.create_body = create_body(
            reference=charge.reference,
            amount=order.total,
            number=order.number,
            pos=point_of_sale(store_id=order.store_id, account_id=charge.account_id, by=by),
        )
    prepared.insert(charge)
    orders.attach_payment(order_id=order_id, payment_id=charge.id)
    transaction.on_commit(partial(tell, News(type="payment.opened", store=order.store_id, subject=order_id)))
    return charge


def close_charges(*, order_id: UUID, at: datetime) -> None:
    """Let an order's open charge be paid no more: the order has ended.

    One at the provider becomes ``closing``, and the engine cancels it there; what is paid on it nevertheless is late money.

    Locks: the caller holds the order row; the charge row, until commit.
    """
    _close(prepared.read(Charge, OF_ORDER, [order_id]), at)


def _close(charges: Iterable[Charge], at: datetime) -> None:
    """Let those of some locked charges that are open be paid no more: a new one replaces them, or another one has paid."""
    for charge in charges:
        if charge.state not in OPEN:
            continue
        at_the_provider = charge.method != Method.COUNTER
        charge.state = State.CLOSING if at_the_provider else State.CANCELLED
        charge.next_check_at = at if at_the_provider else None
        charge.version += 1
        prepared.update(charge)


@transaction.atomic
def confirm_counter(*, charge_id: UUID, tender: Tender, received: Decimal | None, by: Actor, at: datetime) -> Charge:
    """Record that the guest paid at the counter; the order goes to the kitchen. Its own person repeating it changes nothing.

    The moment kept is the database's, taken in turn with the closing of the person's drawer.

    Args:
        received: what was handed over, BRL; None means the exact amount. The change is ``received`` less the amount.

    Raises:
        PaymentNotFoundError: no such charge at a counter of this actor.
        NotAtCounterError: it is not a counter payment that waits for money, or somebody else has already taken it.
        InvalidError: less was handed over than is due.
        AlreadyPaidError: the order does not wait for money.

    Locks: the person's turn, the order row, then its charges, until commit.
    Emits: ``PaymentProcessed`` and what ``mark_paid`` emits.
    """
    charge = Charge.objects.filter(id=charge_id).select_related("order").first()
    if charge is None or by.id is None or not by.roles_at(charge.order.store_id) & COUNTER_ROLES:
        raise PaymentNotFoundError
    at = max(at, take_turn(by.id))
    order = orders.lock_for_payment(order_id=charge.order_id)
    charge, others = _locked(charge_id, order)
    if charge.method == Method.COUNTER and charge.state == State.APPROVED:
        if charge.confirmed_by != by.id:
            raise NotAtCounterError("Outra pessoa já recebeu este pagamento: não receba de novo.")
        return charge
    if charge.method != Method.COUNTER or charge.state != State.PENDING:
        raise NotAtCounterError("Esta cobrança não está esperando no caixa.")
    handed_over = charge.amount if received is None else received
    if handed_over < charge.amount:
        error = {"field": "received", "code": "min_value", "detail": f"O pedido custa {brl(charge.amount)}."}
        raise InvalidError("O valor entregue não cobre o pedido.", errors=[error])
    charge.tender, charge.received_amount, charge.confirmed_by = tender, handed_over, by.id
    _pay(charge, order, others, charge.amount, by, at)
    prepared.update(charge)
    told = [
        {"field": "tender", "from": None, "to": str(Tender(tender).label)},
        {"field": "received_amount", "from": None, "to": str(handed_over)},
    ]
    store_id = charge.order.store_id
    trail.record(by=by, action="payments.counter_confirmed", at=at, subject=charge, store_id=store_id, changes=told)
    return charge


def advance_charge(*, charge_id: UUID, at: datetime, rest: timedelta = timedelta(0)) -> Charge | None:
    """Take a charge one step on: create it at the provider, ask how it stands, or cancel it there.

    One that expired or was cancelled is asked about as well when news of it comes: it may have been paid in the last second.

    Safe to run twice and at the same time: the row is claimed by a lease, the provider is called with no transaction open,
    its answer is recorded in a second transaction. One asked about less than ``rest`` ago is put off until then.

    Returns the charge, or None when it was put off, somebody else is at it, it is settled, or there is none (so
    ``PaymentNotFoundError`` of ``settle_charge`` does not arise).
    """
    charge = _lease(charge_id, at, rest)
    return _take_step(charge, at) if charge is not None else None


@transaction.atomic
def settle_charge(*, charge_id: UUID, order_id: UUID, told: ProviderState, at: datetime) -> Charge:
    """Record what the provider says of a charge; a paid one hands its order to the kitchen in this transaction.

    A state only ever rises in ``rules.RANK``, so late, doubled or reordered news change nothing. Before anything is believed,
    amount, currency, reference and account are compared; a difference goes to staff and never to the kitchen. Money for an
    order that no longer waits revives an expired one if ``MP_LATE_PAYMENT`` says so and all it held can still be had; else it
    is ``late`` and its refund is owed in this transaction. Refunds that the provider lists become rows.

    Args:
        order_id: the order the charge is of, which never changes.

    Raises:
        PaymentNotFoundError: the order has no such charge.
        OrderNotFoundError: no such order.

    Locks: the order row, then its charges and the charge's refunds, then what ``orders.revive_expired`` locks, until commit.
    Emits: ``PaymentProcessed`` when the charge is paid or has failed, and what its order does about it.
    """
    order = orders.lock_for_payment(order_id=order_id)
    charge, others = _locked(charge_id, order)
    charge.leased_until = None
    charge.provider_status = told.status
    charge.provider_payment_id = told.payment or charge.provider_payment_id
    was_there = charge.provider_order_id is not None
    if not was_there:
        charge.provider_order_id, charge.provider_account = told.provider_order_id, told.account
        charge.qr_data, charge.expires_at = told.qr_data, told.expires_at
        if charge.state in OPEN and told.expires_at is not None:
            orders.hold_until(order_id=order_id, until=told.expires_at + HOLD_AFTER_QR)
    to = state_from(told.status)
    if to in (State.APPROVED, State.MISMATCH) and charge.state not in SETTLED:
        charge.mismatch = mismatch(
            told, amount=charge.amount, reference=charge.reference, account=charge.provider_account
        )
        to = State.MISMATCH if charge.mismatch else State.APPROVED
    if RANK[to] > RANK[State(charge.state)]:
        _enter(charge, order, others, to, told, at)
    if charge.state in SETTLED or charge.state == State.MISMATCH:
        refunds.absorb(charge, told.refunds, at)
    charge.next_check_at = _next_check(charge, at) if charge.state in ACTIVE else None
    if charge.state == State.CLOSING and not was_there:
        charge.next_check_at = at  # only now can it be cancelled there
    prepared.update(charge)
    return charge


def check_now(*, charge_id: UUID, by: Actor, at: datetime) -> Charge:
    """Ask the provider at once because the guest says it is paid; as ``advance_charge`` otherwise.

    Raises:
        PaymentNotFoundError: no such charge, or not for this actor.
        TooOftenError: asked within the last three seconds.
    """
    charge = charge_for(charge_id, by)
    if charge.state not in ACTIVE or charge.method == Method.COUNTER:
        return charge
    if charge.last_asked_at is not None and charge.last_asked_at > at - CHECK_AT_MOST_EVERY:
        raise TooOftenError("Acabamos de perguntar; espere um instante.")
    return advance_charge(charge_id=charge_id, at=at) or charge_for(charge_id, by)


def ask_again(*, charge_id: UUID, by: Actor, at: datetime) -> Charge:
    """Ask the provider how a charge stands, whatever we believe of it, because somebody who answers for the store says so.

    Raises:
        PaymentNotFoundError: no such charge in a store the actor answers for, or the provider never knew it.
        ProviderAwayError: no usable answer, or another question about it is under way.
    """
    charge = Charge.objects.filter(id=charge_id).select_related("order").first()
    if charge is None or not by.roles_at(charge.order.store_id) & ANSWERS_FOR or charge.provider_order_id is None:
        raise PaymentNotFoundError
    if charge.state == State.CLOSING:
        asked = advance_charge(charge_id=charge_id, at=at)
        if asked is None or asked.state == State.CLOSING:
            raise ProviderAwayError
    else:
        try:
            told = PROVIDERS[charge.method].fetch(charge)
        except ProviderError as problem:
            raise ProviderAwayError from problem
        asked = settle_charge(charge_id=charge_id, order_id=charge.order_id, told=told, at=at)
    with transaction.atomic():
        store_id = charge.order.store_id
        trail.record(by=by, action="payments.charge_asked", at=at, subject=charge, store_id=store_id)
    return asked


def charge_for(charge_id: UUID, by: Actor) -> Charge:
    """Return one charge, if this actor may see its order.

    Raises:
        PaymentNotFoundError: no such charge, or not for this actor.
    """
    charge = prepared.read_one(Charge, "WHERE id = %s", [charge_id])
    if charge is None:
        raise PaymentNotFoundError
    charge.order = orders.order_alone(charge.order_id)
    if not orders.may_see(charge.order, by):
        raise PaymentNotFoundError
    return charge


def replayed_charge(claim: Claim) -> Charge | None:
    """Return the charge this client key has already made, or None.

    Raises:
        KeyReusedError: the key came with another body.
    """
    charge = prepared.read_one(Charge, "WHERE principal = %s AND client_key = %s", [claim.principal, claim.key])
    if charge is not None and bytes(charge.request_hash) != claim.request_hash:
        raise KeyReusedError("Esta Idempotency-Key já foi usada com outro conteúdo.")
    return charge


def claim_due(*, at: datetime) -> list[UUID]:
    """Return charges whose moment to be looked at has come, at most 50; each is offered again if nobody finishes it.

    Locks: the charges, for the length of one statement; another engine skips them.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [at, [*ENDED], at + LEASE])
        return [charge_id for (charge_id,) in cursor.fetchall()]


@transaction.atomic
def _lease(charge_id: UUID, at: datetime, rest: timedelta) -> Charge | None:
    """Claim a charge for one call; None when it is settled, claimed or was asked about less than ``rest`` ago."""
    charge = prepared.read_one(Charge, LOCKED, [charge_id])
    is_claimed = charge is not None and charge.leased_until is not None and charge.leased_until > at
    if charge is None or is_claimed or charge.state in ENDED or charge.method == Method.COUNTER:
        return None
    if rest and charge.last_asked_at is not None and charge.last_asked_at > at - rest:
        soon = charge.last_asked_at + rest
        charge.next_check_at = soon if charge.next_check_at is None else min(charge.next_check_at, soon)
        prepared.update(charge, ("next_check_at",))
        return None
    charge.leased_until = at + LEASE
    if charge.state != State.CREATING:
        charge.last_asked_at = at
    prepared.update(charge, ("leased_until", "last_asked_at"))
    return charge


def _take_step(charge: Charge, at: datetime) -> Charge:
    """Make the call that a leased charge needs next, with no transaction open, and record its answer."""
    try:
        told = _ask(charge)
    except ProviderUnavailableError as problem:
        logger.warning("charge %s: provider away: %s", charge.id, problem)
        return _postpone(charge.id, at, problem.retry_after)
    except ProviderRejectedError as problem:
        logger.error("charge %s: provider refused: %s", charge.id, problem)  # noqa: TRY400 - the reason is the provider's word
        if charge.state in SETTLED:
            return _let_be(charge.id)
        gone = problem.http_status == NOT_FOUND and charge.expires_at is not None and charge.expires_at < at
        is_new = charge.provider_order_id is None
        return _give_up(charge.id, str(problem), at) if is_new or gone else _postpone(charge.id, at, None)
    return settle_charge(charge_id=charge.id, order_id=charge.order_id, told=told, at=at)


@transaction.atomic
def _postpone(charge_id: UUID, at: datetime, wait: timedelta | None) -> Charge:
    charge = Charge.objects.select_for_update().get(id=charge_id)
    charge.leased_until = None
    if charge.state == State.CREATING:
        charge.state = State.QUEUED
    charge.next_check_at = _next_check(charge, at) if wait is None else at + wait
    charge.save()
    return charge


def _next_check(charge: Charge, at: datetime) -> datetime:
    """Return when to look again: soon while a guest waits for a code, or pays one of which no notification will tell us."""
    if charge.provider_order_id is None:
        eager = charge.state in OPEN
    else:
        on_screen = charge.expires_at is not None and at < charge.expires_at + HOLD_AFTER_QR
        eager = on_screen and (charge.method == Method.TRAINING or lines.is_deaf(accounts.key_of(charge), at))
    return next_check(charge.created_at, at, eager=eager)


@transaction.atomic
def _let_be(charge_id: UUID) -> Charge:
    """Leave a settled charge as it is: the provider would not say more of it."""
    charge = Charge.objects.select_for_update().get(id=charge_id)
    charge.leased_until = charge.next_check_at = None
    charge.save()
    return charge


@transaction.atomic
def _give_up(charge_id: UUID, reason: str, at: datetime) -> Charge:
    charge = Charge.objects.select_for_update().get(id=charge_id)
    charge.leased_until = charge.next_check_at = None
    charge.state, charge.mismatch = State.FAILED, reason[:200]
    charge.version += 1
    _count(charge, State.FAILED)
    charge.save()
    _tell(charge, at, success=False)
    return charge


def _enter(
    charge: Charge, order: orders.Order, others: list[Charge], to: State, told: ProviderState, at: datetime
) -> None:
    """Move a locked charge up, and its locked order with it; the order's other charges are locked, too."""
    if to == State.APPROVED:
        _take_money(charge, order, others, told, at)
        return
    charge.state = to
    charge.version += 1
    _count(charge, to)
    if to in (State.MISMATCH, State.CHARGED_BACK):
        if charge.settled_at is None:
            charge.paid_amount, charge.settled_at = told.paid, at
        logger.error("charge %s is %s: %s", charge.id, to, charge.mismatch)
        orders.flag_order(order_id=order.id, attention=f"Cobrança {to.label}: {charge.mismatch}".rstrip(": "))
        _tell(charge, at, success=False)


def _take_money(charge: Charge, order: orders.Order, others: list[Charge], told: ProviderState, at: datetime) -> None:
    """Let money that is exactly ours pay the order, bring an expired one back to life, or go back to the guest."""
    if order.status == orders.Status.AWAITING_PAYMENT and charge.state != State.CLOSING:
        _pay(charge, order, others, told.paid, PROVIDER, at)
        return
    revive = settings.MP_LATE_PAYMENT == REVIVE and order.status == orders.Status.EXPIRED
    if revive and orders.revive_expired(order_id=order.id, by=PROVIDER, at=at):
        _keep(charge, told.paid, at)
        return
    charge.state, charge.version = State.LATE, charge.version + 1
    _count(charge, State.LATE)
    charge.paid_amount, charge.settled_at = told.paid, at
    logger.warning("charge %s was paid out of time and goes back", charge.id)
    _tell(charge, at, success=False)
    is_double = any(each.pays_order for each in others)
    refunds.owe(charge, told.paid, Cause.DOUBLE if is_double else Cause.LATE, by=SYSTEM, at=at)


def _pay(charge: Charge, order: orders.Order, others: list[Charge], paid: Decimal, by: Actor, at: datetime) -> None:
    """Let a locked charge pay its order, which waits for it; no other code of the order is to be paid any more."""
    _close(others, at)
    orders.take_paid(order, by=by, at=at)
    _keep(charge, paid, at)


def _keep(charge: Charge, paid: Decimal, at: datetime) -> None:
    """Write down that a locked charge has paid its order."""
    charge.state, charge.version, charge.pays_order = State.APPROVED, charge.version + 1, True
    _count(charge, State.APPROVED)
    charge.paid_amount, charge.settled_at = paid, at
    _tell(charge, at, success=True)


def _ask(charge: Charge) -> ProviderState:
    """Make the one call a charge needs next."""
    provider = PROVIDERS[charge.method]
    if charge.provider_order_id is None:
        return provider.create(charge)
    return provider.cancel(charge) if charge.state == State.CLOSING else provider.fetch(charge)


def _locked(charge_id: UUID, order: orders.Order) -> tuple[Charge, list[Charge]]:
    """Lock the charges of a locked order; return the one that is meant, and the others."""
    charges = {charge.id: charge for charge in prepared.read(Charge, OF_ORDER, [order.id])}
    charge = charges.pop(charge_id, None)
    if charge is None:
        raise PaymentNotFoundError
    charge.order = order
    return charge, [*charges.values()]


def _count(charge: Charge, state: State) -> None:
    """Count a charge that came into a state; practice is none of the shop's figures."""
    if not is_practice(charge):
        metrics.count_state(state)


def _tell(charge: Charge, at: datetime, *, success: bool) -> None:
    publish(
        PaymentProcessed(
            subject=charge.id,
            store=charge.order.store_id,
            seq=charge.version,
            at=at,
            payment=charge.id,
            success=success,
            transaction=charge.provider_order_id or "",
        )
    )

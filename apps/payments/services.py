"""Every change of a charge. The order is locked before the charge, and neither over a call to the provider."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.contracts.events import PaymentProcessed
from apps.core.facade import PROVIDER, Actor, Claim, KeyReusedError, RivalRunningError, new_id, publish
from apps.orders import facade as orders
from apps.payments.errors import (
    ChargeOpenError,
    PaymentNotFoundError,
    ProviderRejectedError,
    ProviderUnavailableError,
    TooOftenError,
)
from apps.payments.models import Charge
from apps.payments.providers import PaymentProvider
from apps.payments.providers.mercado_pago.qr import MercadoPagoQr, create_body, reference_of
from apps.payments.rules import OPEN, RANK, Method, ProviderState, State, mismatch, next_check, state_from
from apps.stores.facade import store_by_id

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
CHECK_AT_MOST_EVERY = timedelta(seconds=3)
PROVIDERS: dict[str, PaymentProvider] = {Method.MERCADO_PAGO_QR: MercadoPagoQr()}


def open_charge(*, order_id: UUID, method: Method, by: Actor, claim: Claim, at: datetime) -> Charge:
    """Ask to be paid for an order: commit the charge, then call the provider, then record its answer.

    A lost answer or a provider that is away leaves the charge queued; the engine goes on with the same key and bytes.

    Raises:
        OrderNotFoundError: no such order, or not for this actor; ``PaymentNotFoundError`` does not arise.
        AlreadyPaidError: the order does not wait for money.
        ChargeOpenError: another charge of the order is open.
        RivalRunningError, KeyReusedError: the same request is at work, or its key came with another body.

    Locks: the order row, until the charge is committed; none over the call.
    """
    charge = _begin(order_id=order_id, method=method, by=by, claim=claim, at=at)
    return advance_charge(charge_id=charge.id, at=at) or charge


@transaction.atomic
def _begin(*, order_id: UUID, method: Method, by: Actor, claim: Claim, at: datetime) -> Charge:
    order = orders.lock_for_payment(order_id=order_id)
    if not orders.may_see(order, by):
        raise orders.OrderNotFoundError
    if order.status != orders.Status.AWAITING_PAYMENT:
        raise orders.AlreadyPaidError("Este pedido já foi pago ou encerrado.")
    if replayed_charge(claim) is not None:
        raise RivalRunningError("Esta cobrança já está sendo criada.")
    if Charge.objects.filter(order_id=order_id, state__in=OPEN).exists():
        raise ChargeOpenError("Este pedido já tem uma cobrança aberta.")
    store = store_by_id(order.store_id)
    charge_id = new_id()
    reference = reference_of(charge_id)
    charge = Charge.objects.create(
        id=charge_id,
        order_id=order_id,
        method=method,
        amount=order.total,
        principal=claim.principal,
        client_key=claim.key,
        request_hash=claim.request_hash,
        reference=reference,
        create_key=f"c-{charge_id}",
        create_body=create_body(
            reference=reference, amount=order.total, number=order.number, store_code=store.code if store else ""
        ),
        created_at=at,
        next_check_at=at + LEASE,
    )
    orders.attach_payment(order_id=order_id, payment_id=charge_id)
    return charge


def advance_charge(*, charge_id: UUID, at: datetime) -> Charge | None:
    """Take an open charge one step on: create it at the provider, or ask how it stands.

    Safe to run twice and at the same time: the row is claimed by a lease, the provider is called with no transaction open,
    its answer is recorded in a second transaction. Returns the charge, or None when somebody else is at it, it is closed, or
    there is none (so ``PaymentNotFoundError`` of ``settle_charge`` does not arise).
    """
    charge = _lease(charge_id, at)
    if charge is None:
        return None
    provider = PROVIDERS[charge.method]
    is_new = charge.provider_order_id is None
    try:
        told = provider.create(charge) if is_new else provider.fetch(charge)
    except ProviderUnavailableError as problem:
        logger.warning("charge %s: provider away: %s", charge_id, problem)
        return _postpone(charge_id, at)
    except ProviderRejectedError as problem:
        logger.error("charge %s: provider refused: %s", charge_id, problem)  # noqa: TRY400 - the reason is the provider's word
        return _give_up(charge_id, str(problem), at) if is_new else _postpone(charge_id, at)
    return settle_charge(charge_id=charge_id, told=told, at=at)


@transaction.atomic
def settle_charge(*, charge_id: UUID, told: ProviderState, at: datetime) -> Charge:
    """Record what the provider says of a charge; a paid one hands its order to the kitchen in this transaction.

    A state only ever rises in ``rules.RANK``, so late, doubled or reordered news change nothing. Before anything is believed,
    amount, currency, reference and account are compared; a difference goes to staff and never to the kitchen. Money for an
    order that no longer waits is kept as ``late``.

    Raises:
        PaymentNotFoundError: no such charge.

    Locks: the order row, then the charge row, until commit. Emits: ``PaymentProcessed`` when the charge is paid or has failed.
    """
    order_id = Charge.objects.filter(id=charge_id).values_list("order_id", flat=True).first()
    if order_id is None:
        raise PaymentNotFoundError
    order = orders.lock_for_payment(order_id=order_id)
    charge = Charge.objects.select_for_update().get(id=charge_id)
    charge.leased_until = None
    charge.provider_status = told.status
    if charge.provider_order_id is None:
        charge.provider_order_id, charge.provider_account = told.provider_order_id, told.account
        charge.qr_data, charge.expires_at = told.qr_data, told.expires_at
    to = state_from(told.status)
    if to in (State.APPROVED, State.MISMATCH):
        charge.mismatch = mismatch(
            told, amount=charge.amount, reference=charge.reference, account=charge.provider_account
        )
        to = State.MISMATCH if charge.mismatch else State.APPROVED
    if to == State.APPROVED and order.status != orders.Status.AWAITING_PAYMENT:
        to = State.LATE
    if RANK[to] > RANK[State(charge.state)]:
        _enter(charge, to, told, at)
    charge.next_check_at = next_check(charge.created_at, charge.expires_at, at) if charge.state in OPEN else None
    charge.save()
    return charge


def check_now(*, charge_id: UUID, by: Actor, at: datetime) -> Charge:
    """Ask the provider at once because the guest says it is paid; as ``advance_charge`` otherwise.

    Raises:
        PaymentNotFoundError: no such charge, or not for this actor.
        TooOftenError: asked within the last three seconds.
    """
    charge = charge_for(charge_id, by)
    if charge.state not in OPEN:
        return charge
    last_asked = Q(leased_until=None) | Q(leased_until__lte=at + LEASE - CHECK_AT_MOST_EVERY)
    if not Charge.objects.filter(last_asked, id=charge_id).exists():
        raise TooOftenError("A consulta já está em andamento.")
    return advance_charge(charge_id=charge_id, at=at) or charge_for(charge_id, by)


def charge_for(charge_id: UUID, by: Actor) -> Charge:
    """Return one charge, if this actor may see its order.

    Raises:
        PaymentNotFoundError: no such charge, or not for this actor.
    """
    charge = Charge.objects.filter(id=charge_id).select_related("order").first()
    if charge is None or not orders.may_see(charge.order, by):
        raise PaymentNotFoundError
    return charge


def replayed_charge(claim: Claim) -> Charge | None:
    """Return the charge this client key has already made, or None.

    Raises:
        KeyReusedError: the key came with another body.
    """
    charge = Charge.objects.filter(principal=claim.principal, client_key=claim.key).first()
    if charge is not None and bytes(charge.request_hash) != claim.request_hash:
        raise KeyReusedError("Esta Idempotency-Key já foi usada com outro conteúdo.")
    return charge


def claim_due(*, at: datetime) -> list[UUID]:
    """Return charges whose moment to be looked at has come, at most 50; each is offered again if nobody finishes it.

    Locks: the charges, for the length of one statement; another engine skips them.
    """
    with transaction.atomic():
        due = Charge.objects.filter(next_check_at__lte=at, state__in=OPEN).order_by("next_check_at")
        ids = list(due.select_for_update(skip_locked=True).values_list("id", flat=True)[:50])
        Charge.objects.filter(id__in=ids).update(next_check_at=at + LEASE)
    return ids


def _lease(charge_id: UUID, at: datetime) -> Charge | None:
    """Claim an open charge for one call; None when it is closed or claimed."""
    free = Charge.objects.filter(Q(leased_until=None) | Q(leased_until__lte=at), id=charge_id, state__in=OPEN)
    if not free.update(leased_until=at + LEASE):
        return None
    return Charge.objects.get(id=charge_id)


@transaction.atomic
def _postpone(charge_id: UUID, at: datetime) -> Charge:
    charge = Charge.objects.select_for_update().get(id=charge_id)
    charge.leased_until = None
    if charge.state == State.CREATING:
        charge.state = State.QUEUED
    charge.next_check_at = next_check(charge.created_at, charge.expires_at, at)
    charge.save()
    return charge


@transaction.atomic
def _give_up(charge_id: UUID, reason: str, at: datetime) -> Charge:
    charge = Charge.objects.select_for_update().get(id=charge_id)
    charge.leased_until = charge.next_check_at = None
    charge.state, charge.mismatch = State.FAILED, reason[:200]
    charge.version += 1
    charge.save()
    _tell(charge, at, success=False)
    return charge


def _enter(charge: Charge, to: State, told: ProviderState, at: datetime) -> None:
    """Move a locked charge up, and its order with it."""
    charge.state = to
    charge.version += 1
    if to in (State.APPROVED, State.LATE, State.MISMATCH):
        charge.paid_amount, charge.settled_at = told.paid, at
        charge.save()  # the order's own rules look at it in this transaction
    if to == State.APPROVED:
        orders.mark_paid(order_id=charge.order_id, by=PROVIDER, at=at)
        _tell(charge, at, success=True)
    elif to in (State.LATE, State.MISMATCH):
        logger.error("charge %s is %s: %s", charge.id, to, charge.mismatch)
        _tell(charge, at, success=False)


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

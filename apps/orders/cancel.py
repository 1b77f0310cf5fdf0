"""Taking back: a whole order, unpaid or paid, or one item of a paid one.

A paid order is cancelled in one transaction: its status, the stock of what nobody has started, its coupon and, through the
event, the row of each refund. What takes longer is a row of ``CancelStep``, finished by its owner through ``step_done``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.contracts.events import OrderCancelled, OrderItemVoided
from apps.core.facade import SYSTEM, Actor, Role, new_id, publish, trail, wait_for_turn
from apps.inventory import facade as inventory
from apps.orders.errors import IllegalMoveError, ItemNotFoundError, ItemStartedError, LastItemError, OrderNotFoundError
from apps.orders.models import CancelStep, Order, OrderLine, OrderLineVoid, Preparation
from apps.orders.rules import (
    CANCELLABLE_PAID,
    VOIDABLE,
    CancelKind,
    CancelState,
    MoveKind,
    PreparationState,
    Status,
    shares_of,
)
from apps.orders.services import step_with_all
from apps.promotions import facade as promotions

COUNTER_ROLES = frozenset({Role.CASHIER, Role.MANAGER, Role.OWNER})


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Who took an order or an item back, and why."""

    by: Actor
    reason: str


@transaction.atomic
def cancel_order(
    *, order_id: UUID, by: Actor, at: datetime, reason: str = "", restock: Mapping[UUID, bool] | None = None
) -> Order:
    """Take an order back; repeating it changes nothing.

    Unpaid: by whoever placed it or the counter; what it held is free at once, its charge closes in the same transaction,
    and money that still comes in is late money. Paid and not yet handed over: by the counter only; the guest's money goes
    back by itself, and the goods nobody has started go back to stock.

    Args:
        reason: for the books and the guest's receipt, free text.
        restock: by line, whether its goods go back to stock whatever the kitchen has started; unnamed lines follow the
            kitchen's state. Only for a paid order.

    Raises:
        OrderNotFoundError: no such order, or neither placed by this actor nor of a counter they work at.
        IllegalMoveError: finished, expired, or paid and not for this actor.
        ItemNotFoundError: ``restock`` names a line of another order.

    Locks: the person's turn, the order row, its charges and refunds, its coupon, reservations and stock levels, until commit.
    Emits: ``OrderStatusChanged``, ``OrderCancelled``, ``InventoryUpdated``, and what ``payments`` does about it.
    """
    wait_for_turn(by)
    order = Order.objects.select_for_update().filter(id=order_id).first()
    at_counter = order is not None and bool(by.roles_at(order.store_id) & COUNTER_ROLES)
    if order is None or not (at_counter or (order.placed_by_kind, order.placed_by_id) == (by.kind, by.id)):
        raise OrderNotFoundError
    if order.status == Status.CANCELLED:
        return order
    was_paid = order.status in CANCELLABLE_PAID
    if not (order.status == Status.AWAITING_PAYMENT or (was_paid and at_counter)):
        raise IllegalMoveError(Status(order.status).label, Status.CANCELLED.label, [])
    back = _unstarted(order_id, restock or {}) if was_paid else None
    order.cancel_reason = reason
    step_with_all(order, Status.CANCELLED, MoveKind.MOVE, by, at)
    if was_paid:
        _begin_steps(order)
    publish(OrderCancelled(subject=order.id, store=order.store_id, seq=order.version, at=at, was_paid=was_paid))
    promotions.return_coupon(order_id=order.id, at=at)
    if back is None:
        inventory.release_reserved(order_id=order.id, at=at)
        return order
    step_done(order_id=order.id, kind=CancelKind.COUPON, at=at)
    units = inventory.return_taken(order_id=order.id, products=back, by=by, at=at)
    step_done(
        order_id=order.id, kind=CancelKind.STOCK, at=at, detail=f"{units} de volta" if units else "nada a devolver"
    )
    return order


@transaction.atomic
def void_item(
    *, order_id: UUID, line_id: UUID, by: Actor, at: datetime, reason: str, restock: bool = True
) -> OrderLineVoid:
    """Take one item out of a paid order that nobody has begun to make; the guest gets its share back. Repeating changes nothing.

    The line stays as it was sold. When all else of the order is done, the order becomes ready.

    Args:
        restock: whether its goods go back to stock; not when they turned out to be missing.

    Raises:
        OrderNotFoundError: no such order at a counter of this actor.
        ItemNotFoundError: no such item in it.
        IllegalMoveError: the order is not being made.
        ItemStartedError: somebody has begun to make it.
        LastItemError: it is the last one: cancel the order instead.

    Locks: the person's turn, the order row, then its charge and refunds, reservations and stock levels, until commit.
    Emits: ``OrderItemVoided``, ``InventoryUpdated``, and what ``payments`` does about it; ``OrderStatusChanged`` and
    ``OrderReady`` when that makes the order ready.
    """
    wait_for_turn(by)
    order = Order.objects.select_for_update().filter(id=order_id).first()
    if order is None or not by.roles_at(order.store_id) & COUNTER_ROLES:
        raise OrderNotFoundError
    lines = list(OrderLine.objects.filter(order_id=order_id).order_by("position").select_related("void"))
    line = next((line for line in lines if line.id == line_id), None)
    if line is None:
        raise ItemNotFoundError
    known = OrderLineVoid.objects.filter(line=line).first()
    if known is not None:
        return known
    if order.status not in VOIDABLE:
        raise IllegalMoveError(Status(order.status).label, "anular um item", [])
    rows = Preparation.objects.filter(line=line)
    if any(row.state != PreparationState.QUEUED for row in rows):
        raise ItemStartedError
    if not any(other.id != line_id and not hasattr(other, "void") for other in lines):
        raise LastItemError
    goods = _goods(rows.select_related("line", "slot"))
    rows.update(state=PreparationState.VOIDED)
    goods_total = order.total - order.packaging_fee  # the bag is still needed
    shares = dict(zip((each.id for each in lines), shares_of([each.total for each in lines], goods_total), strict=True))
    void = OrderLineVoid.objects.create(
        line=line,
        reason=reason,
        amount=shares[line_id],
        restocked=restock,
        at=at,
        actor_kind=by.kind,
        actor_id=by.id,
    )
    order.version += 1
    order.save(update_fields=["version"])
    told = OrderItemVoided(
        subject=order.id, store=order.store_id, seq=order.version, at=at, line=line_id, amount=str(shares[line_id])
    )
    publish(told)
    taken_out: list[trail.Change] = [{"field": "item", "from": str(line), "to": None}]
    trail.record(by=by, action="orders.item_voided", at=at, subject=order, store_id=order.store_id, changes=taken_out)
    _finish_what_is_done(order, at)
    if restock:
        inventory.return_taken(order_id=order.id, products=goods, by=by, at=at)
    return void


@transaction.atomic
def step_done(*, order_id: UUID, kind: CancelKind, at: datetime, detail: str = "") -> bool:
    """Tick one step of a cancellation off; return whether it was open. An order that was not cancelled has no steps.

    Locks: the step, until commit; the caller holds the order row if it changes anything else.
    """
    steps = CancelStep.objects.filter(order_id=order_id, kind=kind).exclude(state=CancelState.DONE)
    return bool(steps.update(state=CancelState.DONE, done_at=at, detail=detail[:200]))


@transaction.atomic
def step_failed(*, order_id: UUID, kind: CancelKind, detail: str) -> bool:
    """Say that somebody has to look after one step of a cancellation; return whether it was open.

    Locks: the step, until commit.
    """
    steps = CancelStep.objects.filter(order_id=order_id, kind=kind).exclude(state=CancelState.DONE)
    return bool(steps.update(state=CancelState.FAILED, detail=detail[:200]))


@transaction.atomic
def step_waits(*, order_id: UUID, kind: CancelKind) -> bool:
    """Let one step that somebody had to look after be under way again; return whether it was one.

    Locks: the step, until commit.
    """
    steps = CancelStep.objects.filter(order_id=order_id, kind=kind, state=CancelState.FAILED)
    return bool(steps.update(state=CancelState.WAITING, detail=""))


def steps_open(order_id: UUID) -> bool:
    """Tell whether something of a cancellation is still under way."""
    return CancelStep.objects.filter(order_id=order_id).exclude(state=CancelState.DONE).exists()


def cancellation_of(order_id: UUID) -> Cancellation:
    """Return who cancelled an order and why; ``SYSTEM`` when nobody did."""
    order = Order.objects.get(id=order_id)
    last = order.history.filter(to_status=Status.CANCELLED).first()
    if last is None:
        return Cancellation(by=SYSTEM, reason="")
    return Cancellation(by=Actor(last.actor_kind, last.actor_id, frozenset()), reason=order.cancel_reason)


def void_of(line_id: UUID) -> Cancellation:
    """Return who took an item out of its order, and why."""
    void = OrderLineVoid.objects.get(line_id=line_id)
    return Cancellation(by=Actor(void.actor_kind, void.actor_id, frozenset()), reason=void.reason)


def flag_order(*, order_id: UUID, attention: str) -> None:
    """Let staff see that an order needs somebody; empty takes the flag down.

    Locks: the order row, until commit.
    """
    Order.objects.filter(id=order_id).update(attention=attention[:140])


@transaction.atomic
def unflag_order(*, order_id: UUID, by: Actor, at: datetime) -> None:
    """Take an order's flag down because somebody at its counter has looked after it; without a flag nothing is done.

    Raises:
        OrderNotFoundError: no such order at a counter of this actor.

    Locks: the order row, until commit.
    """
    order = Order.objects.select_for_update().filter(id=order_id).first()
    if order is None or not by.roles_at(order.store_id) & COUNTER_ROLES:
        raise OrderNotFoundError
    if order.attention:
        flag_order(order_id=order_id, attention="")
        trail.record(by=by, action="orders.attention_cleared", at=at, subject=order, store_id=order.store_id)


def _begin_steps(order: Order) -> None:
    """Write the checklist; an order that cost nothing has no money to give back."""
    kinds = [CancelKind.COUPON, CancelKind.STOCK, *([CancelKind.REFUND] if order.total else [])]
    CancelStep.objects.bulk_create(CancelStep(id=new_id(), order=order, kind=kind) for kind in kinds)


def _unstarted(order_id: UUID, restock: Mapping[UUID, bool]) -> Counter[UUID]:
    """Return the units of each product that go back to stock, items voided before left out."""
    rows = list(
        Preparation.objects.filter(line__order_id=order_id)
        .exclude(state=PreparationState.VOIDED)
        .select_related("line", "slot")
    )
    if restock.keys() - set(OrderLine.objects.filter(order_id=order_id).values_list("id", flat=True)):
        raise ItemNotFoundError
    return _goods(row for row in rows if restock.get(row.line_id, row.state == PreparationState.QUEUED))


def _goods(rows: Iterable[Preparation]) -> Counter[UUID]:
    """Return the units of each product behind some things to make; a combo's own goods go with its first part."""
    units: Counter[UUID] = Counter()
    seen: set[UUID] = set()
    for row in rows:
        if row.slot is not None:
            units[row.slot.product_id] += row.line.quantity
        if row.line_id not in seen:
            units[row.line.product_id] += row.line.quantity
        seen.add(row.line_id)
    return units


def _finish_what_is_done(order: Order, at: datetime) -> None:
    """Make an order ready whose last unfinished item was taken out."""
    left = Preparation.objects.filter(line__order_id=order.id).exclude(state=PreparationState.VOIDED)
    if order.status == Status.IN_PREPARATION and not left.exclude(state=PreparationState.DONE).exists():
        step_with_all(order, Status.READY, MoveKind.MOVE, SYSTEM, at)

"""One item done, one item back, and what that means for its order; and that the kitchen has seen what will not be made."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from apps.contracts.events import OrderChangeAcknowledged, OrderItemMoved
from apps.core.facade import Actor, publish
from apps.orders import services
from apps.orders.errors import IllegalMoveError, OrderNotFoundError
from apps.orders.models import Acknowledgement, Order, OrderLine, OrderLineVoid, Preparation
from apps.orders.rules import ON_BOARD, MoveKind, PreparationState, Status

SEEN = "visto pela cozinha"


@transaction.atomic
def bump_item(*, order_id: UUID, item_id: UUID, by: Actor, at: datetime) -> Order:
    """Say that everything of one item is made; the first item starts its order, the last makes it ready.

    Repeating it changes nothing and emits nothing; an item that was voided stays so.

    Raises:
        OrderNotFoundError: no such order in the actor's stores, or no such item in it.
        IllegalMoveError: the order is not on the board.

    Locks: the order row, until commit. Emits: ``OrderItemMoved``, then as ``move_order`` for the steps of the order.
    """
    order, rows = _item_for_kitchen(order_id, item_id, by)
    waiting = rows.filter(state__in=[PreparationState.QUEUED, PreparationState.STARTED])
    if not waiting.update(state=PreparationState.DONE, started_at=Coalesce("started_at", at), done_at=at):
        return order
    _tell(order, item_id, PreparationState.DONE, at)
    if order.status == Status.RECEIVED:
        services.take_step(order, Status.IN_PREPARATION, MoveKind.MOVE, by, at)
    things = Preparation.objects.filter(line__order_id=order.id)
    if not things.filter(state__in=[PreparationState.QUEUED, PreparationState.STARTED]).exists():
        services.take_step(order, Status.READY, MoveKind.MOVE, by, at)
    return order


@transaction.atomic
def recall_item(*, order_id: UUID, item_id: UUID, by: Actor, at: datetime) -> Order:
    """Take an item that was made back into preparation; a ready order goes back with it, to its old place.

    Its other items stay as they are, and the guest is not told a second time. Repeating it changes nothing and emits nothing.

    Raises:
        OrderNotFoundError: no such order in the actor's stores, or no such item in it.
        IllegalMoveError: the order is not on the board.

    Locks: the order row, until commit. Emits: ``OrderItemMoved``; ``OrderStatusChanged`` when the order was ready.
    """
    order, rows = _item_for_kitchen(order_id, item_id, by)
    if not rows.filter(state=PreparationState.DONE).update(state=PreparationState.STARTED, done_at=None):
        return order
    _tell(order, item_id, PreparationState.STARTED, at)
    if order.status == Status.READY:
        services.take_step(order, Status.IN_PREPARATION, MoveKind.RECALL, by, at)
    return order


@transaction.atomic
def acknowledge_void(*, order_id: UUID, item_id: UUID, by: Actor, at: datetime) -> Order:
    """Say that the kitchen has seen that an item will not be made; it leaves the board's ticket.

    Repeating it changes nothing and emits nothing.

    Raises:
        OrderNotFoundError: no such order in the actor's stores, or no such item in it.
        IllegalMoveError: the item was not voided.

    Locks: the order row, until commit. Emits: ``OrderChangeAcknowledged``.
    """
    order = services.lock_for_kitchen(order_id, by)
    line = order.lines.filter(id=item_id).first()
    if line is None:
        raise OrderNotFoundError
    if not OrderLineVoid.objects.filter(line=line).exists():
        raise IllegalMoveError(Status(order.status).label, SEEN, [])
    _acknowledge(order, line, by, at)
    return order


@transaction.atomic
def acknowledge_cancellation(*, order_id: UUID, by: Actor, at: datetime) -> Order:
    """Say that the kitchen has seen that an order it had was cancelled; the ticket leaves the board.

    Repeating it changes nothing and emits nothing.

    Raises:
        OrderNotFoundError: no such order in the actor's stores.
        IllegalMoveError: the order was not cancelled, or the kitchen never had it.

    Locks: the order row, until commit. Emits: ``OrderChangeAcknowledged``.
    """
    order = services.lock_for_kitchen(order_id, by)
    if order.status != Status.CANCELLED or order.queue_at is None:
        raise IllegalMoveError(Status(order.status).label, SEEN, [])
    _acknowledge(order, None, by, at)
    return order


def _acknowledge(order: Order, line: OrderLine | None, by: Actor, at: datetime) -> None:
    """Write it down once, with a new version of the order; the caller holds its lock."""
    _, is_new = Acknowledgement.objects.get_or_create(
        order=order, line=line, defaults={"at": at, "actor_kind": by.kind, "actor_id": by.id}
    )
    if not is_new:
        return
    order.version += 1
    order.save(update_fields=["version"])
    publish(
        OrderChangeAcknowledged(
            subject=order.id, store=order.store_id, seq=order.version, at=at, item=line.id if line else None
        )
    )


def _item_for_kitchen(order_id: UUID, item_id: UUID, by: Actor) -> tuple[Order, QuerySet[Preparation]]:
    """Return the order locked, and what is to be made of one of its items."""
    order = services.lock_for_kitchen(order_id, by)
    if not order.lines.filter(id=item_id).exists():
        raise OrderNotFoundError
    if order.status not in ON_BOARD:
        raise IllegalMoveError(Status(order.status).label, "preparo do item", [])
    return order, Preparation.objects.filter(line_id=item_id)


def _tell(order: Order, item_id: UUID, state: PreparationState, at: datetime) -> None:
    """Give the order a new version for a change of one item; the caller holds its lock."""
    order.version += 1
    order.save(update_fields=["version"])
    publish(
        OrderItemMoved(
            subject=order.id, store=order.store_id, seq=order.version, at=at, item=item_id, state=state.value
        )
    )

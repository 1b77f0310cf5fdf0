"""One item done, one item back, and what that means for its order."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from apps.contracts.events import OrderItemMoved
from apps.core.facade import Actor, publish
from apps.orders import services
from apps.orders.errors import IllegalMoveError, OrderNotFoundError
from apps.orders.models import Order, Preparation
from apps.orders.rules import ON_BOARD, MoveKind, PreparationState, Status


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

"""Letting an order go that holds what is not sold to everybody, or refusing it; by a person at the counter, before it is paid."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.contracts.events import OrderReleased
from apps.core.facade import Actor, publish, trail, wait_for_turn
from apps.orders.cancel import COUNTER_ROLES, cancel_order
from apps.orders.errors import IllegalMoveError, OrderNotFoundError
from apps.orders.models import Order
from apps.orders.rules import MoveKind, Release, Status
from apps.orders.services import mark_paid, take_step

REFUSED_BECAUSE = "Venda não liberada no balcão"


@transaction.atomic
def release_order(*, order_id: UUID, by: Actor, at: datetime) -> Order:
    """Let an order that waits for release be paid; repeating it changes nothing.

    The guest has the whole time to pay again. An order that costs nothing goes to the kitchen at once.

    Raises:
        OrderNotFoundError: no such order at a counter of this actor.
        IllegalMoveError: it does not wait for release, or no longer.

    Locks: the order row, then what ``mark_paid`` locks, until commit.
    Emits: ``OrderReleased``, ``OrderStatusChanged``, and what ``mark_paid`` emits when it costs nothing.
    """
    order = _lock_at_counter(order_id, by)
    if order.release == Release.RELEASED:
        return order
    _check_waiting(order, "liberado")
    order.release, order.released_at, order.released_by_id = Release.RELEASED, at, by.id
    if order.expires_at is not None:
        order.expires_at = max(order.expires_at, at + timedelta(seconds=settings.ORDER_TTL_SECONDS))
    take_step(order, Status.AWAITING_PAYMENT, MoveKind.RELEASE, by, at)
    publish(released_event(order))
    if order.total == 0:
        mark_paid(order_id=order.id, by=by, at=at)
        order.refresh_from_db()
    return order


@transaction.atomic
def refuse_release(*, order_id: UUID, by: Actor, at: datetime) -> Order:
    """Do not let an order be paid: it is cancelled, and what it held is free at once. Repeating it changes nothing.

    Raises:
        OrderNotFoundError: no such order at a counter of this actor.
        IllegalMoveError: it does not wait for release, or no longer.

    Locks: as ``cancel_order``. Emits: as ``cancel_order``.
    """
    wait_for_turn(by)
    order = _lock_at_counter(order_id, by)
    if order.release == Release.REFUSED:
        return order
    _check_waiting(order, "recusado")
    order.release = Release.REFUSED
    order.save(update_fields=["release"])
    told: list[trail.Change] = [
        {"field": "release", "from": str(Release.WAITING.label), "to": str(Release.REFUSED.label)}
    ]
    trail.record(by=by, action="orders.release_refused", at=at, subject=order, store_id=order.store_id, changes=told)
    return cancel_order(order_id=order_id, by=by, at=at, reason=REFUSED_BECAUSE)


def released_event(order: Order) -> OrderReleased:
    """Return the event of an order that has just been released."""
    if order.released_at is None or order.released_by_id is None:
        raise ValueError(order.id)
    return OrderReleased(
        subject=order.id, store=order.store_id, seq=order.version, at=order.released_at, by=order.released_by_id
    )


def _lock_at_counter(order_id: UUID, by: Actor) -> Order:
    order = Order.objects.select_for_update().filter(id=order_id).first()
    if order is None or not by.roles_at(order.store_id) & COUNTER_ROLES:
        raise OrderNotFoundError
    return order


def _check_waiting(order: Order, to: str) -> None:
    if order.release != Release.WAITING or order.status != Status.AWAITING_PAYMENT:
        raise IllegalMoveError(Status(order.status).label, to, [])

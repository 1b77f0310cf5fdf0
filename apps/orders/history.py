"""The one writer of an order's history."""

from collections.abc import Sequence
from datetime import datetime

from apps.contracts.events import Event, OrderStatusChanged
from apps.core.facade import Actor, prepared, publish, trail
from apps.orders.models import Order, StatusChange
from apps.orders.rules import MoveKind, Release, Status

AUDITED_AS = {
    MoveKind.MOVE: "orders.moved",
    MoveKind.UNDO: "orders.move_undone",
    MoveKind.RECALL: "orders.recalled",
    MoveKind.RELEASE: "orders.released",
}


def record(
    order: Order,
    *,
    from_status: Status | None,
    by: Actor,
    at: datetime,
    kind: MoveKind = MoveKind.MOVE,
    also: Sequence[Event] = (),
) -> None:
    """Add the step that led to the order's present status, with its event and what else it means; the caller holds the lock."""
    change, told = step(order, from_status=from_status, by=by, at=at, kind=kind)
    prepared.insert(change)
    audit(order, from_status=from_status, by=by, at=at, kind=kind)
    publish(told, *also)


def step(
    order: Order, *, from_status: Status | None, by: Actor, at: datetime, kind: MoveKind = MoveKind.MOVE
) -> tuple[StatusChange, OrderStatusChanged]:
    """Return the step that led to the order's present status and its event, for a caller who stores both."""
    change = StatusChange(
        order_id=order.id,
        seq=order.version,
        from_status=from_status,
        to_status=order.status,
        kind=kind,
        at=at,
        actor_kind=by.kind,
        actor_id=by.id,
    )
    told = OrderStatusChanged(
        subject=order.id,
        store=order.store_id,
        seq=order.version,
        at=at,
        from_status=from_status.code if from_status is not None else "",
        to_status=Status(order.status).code,
        kind=kind,
    )
    return change, told


def audit(order: Order, *, from_status: Status | None, by: Actor, at: datetime, kind: MoveKind = MoveKind.MOVE) -> None:
    """Let the audit trail tell of a step that a member of staff made; a payment's own entry tells of being received."""
    if order.status == Status.RECEIVED and kind == MoveKind.MOVE:
        return
    was = str(from_status.label) if from_status is not None else None
    told: list[trail.Change] = [{"field": "status", "from": was, "to": str(Status(order.status).label)}]
    if kind == MoveKind.RELEASE:
        waiting = None if from_status is None else str(Release.WAITING.label)
        told = [{"field": "release", "from": waiting, "to": str(Release.RELEASED.label)}]
    trail.record(
        by=by,
        action="orders.placed" if from_status is None and kind == MoveKind.MOVE else AUDITED_AS[kind],
        at=at,
        subject=order,
        store_id=order.store_id,
        changes=told,
    )

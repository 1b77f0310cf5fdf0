"""Every change of an order's status."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from apps.contracts.events import Event, OrderExpired, OrderHandedOver, OrderPaid, OrderReady
from apps.core.facade import SYSTEM, Actor, Role, new_id, prepared, publish
from apps.inventory import facade as inventory
from apps.orders import history, queries
from apps.orders.errors import AlreadyPaidError, IllegalMoveError, OrderNotFoundError
from apps.orders.models import Order, Preparation
from apps.orders.rules import (
    MOVES,
    PAYABLE,
    MoveKind,
    PreparationState,
    Status,
    check_hand_move,
    check_released,
    undo_target,
)
from apps.promotions import facade as promotions

EXPIRED_A_LOOK = 50
STEP_FIELDS = (
    "status",
    "version",
    "moved_at",
    "paid_at",
    "queue_at",
    "promised_at",
    "ready_at",
    "expires_at",
    "cancel_reason",
    "release",
    "released_at",
    "released_by_id",
)
THINGS = """
    SELECT line.id, NULL::uuid, line.station, product.prep_minutes
    FROM orders_orderline line JOIN catalog_product product ON product.id = line.product_id
    WHERE line.order_id = %s AND NOT EXISTS (SELECT FROM orders_orderslot slot WHERE slot.line_id = line.id)
    UNION ALL
    SELECT slot.line_id, slot.id, slot.station, product.prep_minutes
    FROM orders_orderline line JOIN orders_orderslot slot ON slot.line_id = line.id
        JOIN catalog_product product ON product.id = slot.product_id
    WHERE line.order_id = %s
"""
BEGUN = """
    UPDATE orders_preparation SET state = 'started', started_at = %s
    WHERE state = 'queued' AND line_id IN (SELECT id FROM orders_orderline WHERE order_id = %s)
"""
MADE = """
    UPDATE orders_preparation SET state = 'done', done_at = %s
    WHERE state IN ('queued', 'started') AND line_id IN (SELECT id FROM orders_orderline WHERE order_id = %s)
"""
FOLLOWS = {Status.IN_PREPARATION: BEGUN, Status.READY: MADE}
HOLD = "UPDATE orders_order SET expires_at = %s WHERE id = %s AND status = %s AND expires_at < %s"
ATTACH = "UPDATE orders_order SET payment_id = %s WHERE id = %s AND status = %s AND release = ANY(%s)"
KITCHEN_ROLES = frozenset({Role.BOARD, Role.KITCHEN, Role.CASHIER, Role.MANAGER, Role.OWNER})


@transaction.atomic
def move_order(*, order_id: UUID, to: Status, by: Actor, at: datetime) -> Order:
    """Move one order a step along its life, as kitchen and counter do it by hand.

    Repeating a move that already happened changes nothing and emits nothing.

    Raises:
        OrderNotFoundError: no such order in the actor's stores.
        IllegalMoveError: the order's life has no such step by hand; names the legal ones.

    Locks: the order row, until commit. Emits: ``OrderStatusChanged``; ``OrderReady`` the first time it is ready,
    ``OrderHandedOver`` when it is finished.
    """
    order = lock_for_kitchen(order_id, by)
    if order.status == to:
        return order
    check_hand_move(Status(order.status), to)
    step_with_all(order, to, MoveKind.MOVE, by, at)
    return order


@transaction.atomic
def undo_move(*, order_id: UUID, by: Actor, at: datetime) -> Order:
    """Take the last step back, within ten seconds of it.

    Raises:
        OrderNotFoundError: no such order in the actor's stores.
        IllegalMoveError: nothing to undo, or too late.

    Locks: the order row, until commit. Emits: ``OrderStatusChanged``.
    """
    order = lock_for_kitchen(order_id, by)
    last = order.history.order_by("-seq").first()
    if last is None or last.kind != MoveKind.MOVE:
        raise IllegalMoveError(Status(order.status).label, "desfazer", [])
    step_with_all(order, undo_target(Status(order.status), order.moved_at, at), MoveKind.UNDO, by, at)
    return order


@transaction.atomic
def recall_order(*, order_id: UUID, by: Actor, at: datetime) -> Order:
    """Bring a ready order back to the kitchen, to its old place; the guest is not told a second time.

    Raises:
        OrderNotFoundError: no such order in the actor's stores.
        IllegalMoveError: the order is not ready.

    Locks: the order row, until commit. Emits: ``OrderStatusChanged``.
    """
    order = lock_for_kitchen(order_id, by)
    if order.status == Status.IN_PREPARATION:
        return order
    if order.status not in MOVES[MoveKind.RECALL]:
        raise IllegalMoveError(Status(order.status).label, Status.IN_PREPARATION.label, [])
    step_with_all(order, Status.IN_PREPARATION, MoveKind.RECALL, by, at)
    return order


def expire_unpaid(*, at: datetime) -> int:
    """Expire orders whose time to be paid is over by the database's clock, each in its own transaction; return how many.

    Locks: one order row at a time, then its coupon, reservations and stock levels; an order being paid right now is skipped.
    Emits: ``OrderStatusChanged``, ``OrderExpired``, ``InventoryUpdated`` for each.
    """
    overdue = Order.objects.filter(status=Status.AWAITING_PAYMENT, expires_at__lte=Now()).order_by("expires_at")
    return sum(_expire(order_id, at) for order_id in overdue.values_list("id", flat=True)[:EXPIRED_A_LOOK])


@transaction.atomic
def _expire(order_id: UUID, at: datetime) -> bool:
    waiting = Order.objects.filter(id=order_id, status=Status.AWAITING_PAYMENT, expires_at__lte=Now())
    order = waiting.select_for_update(skip_locked=True).first()
    if order is None:
        return False
    step_with_all(order, Status.EXPIRED, MoveKind.MOVE, SYSTEM, at)
    publish(OrderExpired(subject=order.id, store=order.store_id, seq=order.version, at=at))
    promotions.return_coupon(order_id=order.id, at=at)
    inventory.release_reserved(order_id=order.id, at=at)
    return True


def hold_until(*, order_id: UUID, until: datetime) -> None:
    """Let an order that waits for money wait until a later moment; it never waits shorter than before.

    Locks: the order row, until commit.
    """
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [until, order_id, int(Status.AWAITING_PAYMENT), until])


def lock_for_payment(*, order_id: UUID) -> Order:
    """Return one order locked, for ``payments`` to decide about its money.

    Raises:
        OrderNotFoundError: no such order.

    Locks: the order row, until commit; the charge comes after it in the lock order.
    """
    order = prepared.read_one(Order, "WHERE id = %s FOR UPDATE", [order_id])
    if order is None:
        raise OrderNotFoundError
    return order


def attach_payment(*, order_id: UUID, payment_id: UUID) -> None:
    """Remember which charge is the current one of an order that waits for money. One statement.

    Raises:
        OrderNotFoundError: no such order.
        AlreadyPaidError: it does not wait for money.
        ReleaseRequiredError: staff have to let it go first.

    Locks: the order row, until commit.
    """
    with connection.cursor() as cursor:
        cursor.execute(ATTACH, [payment_id, order_id, int(Status.AWAITING_PAYMENT), [*PAYABLE]])
        if cursor.rowcount:
            return
    order = Order.objects.filter(id=order_id).first()
    if order is None:
        raise OrderNotFoundError
    check_released(order.release)
    raise AlreadyPaidError("Este pedido já foi pago ou encerrado.")


@transaction.atomic
def mark_paid(*, order_id: UUID, by: Actor, at: datetime) -> bool:
    """Hand a paid order to the kitchen; return False when it no longer waits for money.

    In the same transaction as the charge's settlement: the reservation is taken, each thing to make gets its preparation
    row, the order its place in the queue.

    Raises:
        OrderNotFoundError: no such order.
        ReleaseRequiredError: staff have to let it go first; ``AlreadyPaidError`` of ``take_paid`` does not arise.

    Locks: the order row, then its reservations and stock levels, until commit.
    Emits: ``OrderPaid``, ``OrderStatusChanged``, ``InventoryUpdated``.
    """
    order = lock_for_payment(order_id=order_id)
    if order.status != Status.AWAITING_PAYMENT:
        return False
    take_paid(order, by=by, at=at)
    return True


@transaction.atomic(savepoint=False)
def take_paid(order: Order, *, by: Actor, at: datetime) -> None:
    """Hand an order that waits for money to the kitchen, as ``mark_paid`` does, for a caller who has locked it.

    Raises:
        AlreadyPaidError: it does not wait for money.
        ReleaseRequiredError: staff have to let it go first.

    Locks: its reservations and stock levels, until commit. Emits: as ``mark_paid``.
    """
    if order.status != Status.AWAITING_PAYMENT:
        raise AlreadyPaidError("Este pedido já foi pago ou encerrado.")
    check_released(order.release)
    _receive(order, by, at)


@transaction.atomic
def revive_expired(*, order_id: UUID, by: Actor, at: datetime) -> bool:
    """Hand an expired order whose money came late to the kitchen, if all it held can still be had; tell whether it could.

    It keeps its number and is queued as of now. What it held is reserved again, its coupon used again; if either cannot be,
    nothing changes and the money has to go back.

    Raises:
        OrderNotFoundError: no such order.

    Locks: the order row, then its coupon, reservations and stock levels, until commit.
    Emits: as ``mark_paid``; nothing when it returns False.
    """
    order = lock_for_payment(order_id=order_id)
    if order.status != Status.EXPIRED or order.release not in PAYABLE:
        return False
    try:
        with transaction.atomic():
            promotions.use_coupon_again(order_id=order_id)
            inventory.reserve_again(order_id=order_id, at=at)
            _receive(order, by, at)
    except (promotions.CouponRefusedError, inventory.OutOfStockError):
        return False
    return True


def _receive(order: Order, by: Actor, at: datetime) -> None:
    order.paid_at = order.queue_at = at
    order.expires_at = None
    things = _things_to_make(order.id)
    order.promised_at = at + queries.promise(order.store_id, [(each.station, each.prep_minutes) for each in things], at)
    step_with_all(order, Status.RECEIVED, MoveKind.MOVE, by, at)
    prepared.insert(*things)
    inventory.take_reserved(order_id=order.id, by=by, at=at)


def _things_to_make(order_id: UUID) -> list[Preparation]:
    """Return a new row for each single's line and each slot of a combo's."""
    with connection.cursor() as cursor:
        cursor.execute(THINGS, [order_id, order_id])
        return [
            Preparation(id=new_id(), line_id=line_id, slot_id=slot_id, station=station, prep_minutes=minutes)
            for line_id, slot_id, station, minutes in cursor.fetchall()
        ]


def lock_for_kitchen(order_id: UUID, by: Actor) -> Order:
    """Return one order locked, for kitchen and counter to work on.

    Raises:
        OrderNotFoundError: no such order in the actor's stores.
    """
    order = prepared.read_one(Order, "WHERE id = %s FOR UPDATE", [order_id])
    if order is None or not by.roles_at(order.store_id) & KITCHEN_ROLES:
        raise OrderNotFoundError
    return order


def step_with_all(order: Order, to: Status, kind: MoveKind, by: Actor, at: datetime) -> None:
    """Take one step with everything there is to make in the order."""
    _follow(order, to, kind, at)
    take_step(order, to, kind, by, at)


def take_step(order: Order, to: Status, kind: MoveKind, by: Actor, at: datetime) -> None:
    """Write one step: the row, the history, the events. The caller holds the lock and knows it is legal.

    It is never told before the last one: of two callers, the one that waited for the lock, or whose clock is slow, may
    bring an earlier moment.
    """
    at = max(at, order.moved_at)
    was = Status(order.status)
    first_ready = to == Status.READY and order.ready_at is None
    order.status, order.version, order.moved_at = to, order.version + 1, at
    if first_ready:
        order.ready_at = at
    prepared.update(order, STEP_FIELDS)
    also: list[Event] = []
    if first_ready:
        also.append(OrderReady(subject=order.id, store=order.store_id, seq=order.version, at=at, number=order.number))
    if to == Status.FINISHED:
        also.append(OrderHandedOver(subject=order.id, store=order.store_id, seq=order.version, at=at))
    if to == Status.RECEIVED and kind == MoveKind.MOVE:
        also.append(OrderPaid(subject=order.id, store=order.store_id, seq=order.version, at=at))
    history.record(order, from_status=was, by=by, at=at, kind=kind, also=also)


def _follow(order: Order, to: Status, kind: MoveKind, at: datetime) -> None:
    """Let the things to make follow a step of the whole order, before it is taken; an undo leaves alone what was made before."""
    if kind == MoveKind.MOVE and to != Status.CANCELLED:
        if to in FOLLOWS:  # elsewhere on the way of every order there is nothing to follow
            with connection.cursor() as cursor:
                cursor.execute(FOLLOWS[to], [at, order.id])
        return
    rows = Preparation.objects.filter(line__order_id=order.id).exclude(state=PreparationState.VOIDED)
    if to == Status.RECEIVED:
        rows.update(state=PreparationState.QUEUED, started_at=None, done_at=None)
    elif to == Status.IN_PREPARATION:
        rows.filter(state=PreparationState.QUEUED).update(state=PreparationState.STARTED, started_at=at)
        made = rows.filter(state=PreparationState.DONE)
        if kind == MoveKind.UNDO:
            made = made.filter(done_at__gte=order.moved_at)
        made.update(state=PreparationState.STARTED, done_at=None)
    elif to == Status.CANCELLED:
        rows.update(state=PreparationState.VOIDED)

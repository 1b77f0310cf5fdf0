"""Reading orders; every list is bounded."""

import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import (
    Model,
    Prefetch,
    Q,
    QuerySet,
)
from django.utils import timezone

from apps.core.facade import Actor, Role, prepared
from apps.orders.documents import Standing, stored_order_document
from apps.orders.errors import OrderNotFoundError
from apps.orders.models import (
    Acknowledgement,
    Order,
    OrderDiscount,
    OrderLine,
    OrderLineOption,
    OrderSlot,
    Preparation,
    StatusChange,
)
from apps.orders.promise import promised_minutes
from apps.orders.rules import ON_BOARD, Status
from apps.stores.facade import actor_names

BOARD_LIMIT = 200
SHOWN_AHEAD = timedelta(minutes=10)
COOKED_WITHIN = timedelta(hours=2)  # who has waited longer has been forgotten and is before nobody
QUEUE_KNOWN_SECONDS = 2.0
CANCELLED_WITHIN = timedelta(hours=12)  # what nobody acknowledged by then was another day's
DONE_LISTED = 12
DONE_WITHIN = timedelta(hours=2)
SEES_STORE = frozenset(
    {Role.BOARD, Role.KITCHEN, Role.CASHIER, Role.MANAGER, Role.OWNER, Role.AUDITOR, Role.ORDERS_READ}
)
MOST_TOLD = 10_000
MOST_ASKED_FOR = 10
STANDING = """
    SELECT id, number, status, promised_at, version, store_id, placed_by_kind, placed_by_id, release
    FROM orders_order WHERE id = %s
"""
# Statuses stand in the text, else Postgres could not tell that an index on just these orders serves.
ON_BOARD_NOW = """
    WHERE store_id = %s AND status IN (1, 2, 3) AND queue_at <= %s ORDER BY status DESC, queue_at LIMIT %s
"""
VERSIONS_NOW = f"SELECT id, version FROM orders_order {ON_BOARD_NOW}"  # noqa: S608 - of our own texts
CANCELLED_NOW = """
    WHERE store_id = %s AND status = 6 AND moved_at >= %s AND queue_at <= moved_at + make_interval(secs => %s)
        AND NOT EXISTS (SELECT FROM orders_acknowledgement seen WHERE seen.order_id = orders_order.id AND seen.line_id IS NULL)
    ORDER BY moved_at DESC LIMIT %s
"""
HANDED_OVER = """
    WHERE store_id = %s AND placed_at >= %s AND status = %s AND moved_at >= %s ORDER BY moved_at DESC LIMIT %s
"""
QUEUED_MINUTES = """
    SELECT thing.station, sum(
        CASE thing.state
        WHEN 'started' THEN greatest(thing.prep_minutes - extract(epoch FROM %s - thing.started_at) / 60, 0)
        ELSE thing.prep_minutes END)
    FROM orders_order waiting JOIN orders_orderline line ON line.order_id = waiting.id
        JOIN orders_preparation thing ON thing.line_id = line.id
    WHERE waiting.store_id = %s AND waiting.status IN (1, 2) AND waiting.queue_at BETWEEN %s AND %s
        AND thing.state IN ('queued', 'started')
    GROUP BY thing.station
"""
SEEN: Any = OrderLine._meta.get_field("acknowledgement")  # noqa: SLF001 - Django's documented way to a relation
SAID = re.compile(r"([A-Z]?)([0-9]{1,6})")
PICKUP_DIGITS = 4


def with_lines(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Read lines, slots, options, preparations and discounts along, in five more queries whatever their number."""
    return orders.prefetch_related(_lines(), _discounts())


def read_lines(orders: Sequence[Order]) -> None:
    """Read lines, slots, options and preparations of orders that came without, in five queries whatever their number."""
    if not orders:
        return
    lines = prepared.read(OrderLine, "WHERE order_id = ANY(%s) ORDER BY position", [[order.id for order in orders]])
    ids = [line.id for line in lines]
    seen = {seen.line_id: seen for seen in prepared.read(Acknowledgement, "WHERE line_id = ANY(%s)", [ids])}
    for line in lines:
        SEEN.set_cached_value(line, seen.get(line.id))
    # Options as they were chosen: ids rise.
    options = prepared.read(OrderLineOption, "WHERE line_id = ANY(%s) ORDER BY id", [ids])
    _keep_with(lines, "options", options, by="line_id")
    _keep_with(
        lines, "slots", prepared.read(OrderSlot, "WHERE line_id = ANY(%s) ORDER BY position", [ids]), by="line_id"
    )
    _keep_with(lines, "preparations", prepared.read(Preparation, "WHERE line_id = ANY(%s)", [ids]), by="line_id")
    _keep_with(orders, "lines", lines, by="order_id")


def read_all(orders: Sequence[Order]) -> None:
    """Read what ``with_lines`` does of orders that came without."""
    if not orders:
        return
    read_lines(orders)
    ids = [order.id for order in orders]
    discounts = prepared.read(OrderDiscount, "WHERE order_id = ANY(%s) ORDER BY name, id", [ids])
    _keep_with(orders, "discounts", discounts, by="order_id")


def _keep_with(owners: Sequence[Model], name: str, rows: Iterable[Model], *, by: str) -> None:
    """Give each owner its rows, as ``prefetch_related`` would; a tuple, which can be gone through with ``all()`` and no more."""
    of: dict[UUID, list[Model]] = {}
    for row in rows:
        of.setdefault(getattr(row, by), []).append(row)
    for owner in owners:
        owner.__dict__.setdefault("_prefetched_objects_cache", {})[name] = tuple(of.get(owner.pk, ()))


def _discounts() -> "Prefetch[str]":
    return Prefetch("discounts", OrderDiscount.objects.order_by("name", "id"))


def _lines() -> "Prefetch[str]":
    slots = Prefetch("slots", OrderSlot.objects.order_by("position"))
    options = Prefetch("options", OrderLineOption.objects.order_by("id"))  # as they were chosen: ids rise
    lines = OrderLine.objects.order_by("position").select_related("acknowledgement")
    return Prefetch("lines", lines.prefetch_related(options, "preparations", slots))


def order_for(order_id: UUID, actor: Actor) -> Order:
    """Return one order with its lines, if this actor may see it: who placed it, or board and staff of its store.

    Raises:
        OrderNotFoundError: no such order, or not for this actor.
    """
    order = narrow_order_for(order_id, actor)
    read_all([order])
    return order


def may_see(order: "Order | Standing", actor: Actor) -> bool:
    """Tell whether an actor may see an order."""
    placed_it = (order.placed_by_kind, order.placed_by_id) == (actor.kind, actor.id)
    return placed_it or bool(actor.roles_at(order.store_id) & SEES_STORE)


def narrow_order_for(order_id: UUID, actor: Actor) -> Order:
    """Return one order without its lines, in one query; as ``order_for`` otherwise."""
    order = order_alone(order_id)
    if not may_see(order, actor):
        raise OrderNotFoundError
    return order


def standing(order_id: UUID) -> Standing:
    """Return where one order stands, for a caller who has already been let in.

    One narrow query without the ORM: nothing else is asked as often.

    Raises:
        OrderNotFoundError: no such order.
    """
    with connection.cursor() as cursor:
        cursor.execute(STANDING, [order_id])
        row = cursor.fetchone()
    if row is None:
        raise OrderNotFoundError
    return Standing(*row)


def standing_for(order_id: UUID, actor: Actor) -> Standing:
    """Return where one order stands; as ``order_for`` otherwise."""
    order = standing(order_id)
    if not may_see(order, actor):
        raise OrderNotFoundError
    return order


def board(store_id: UUID, at: datetime) -> list[Order]:
    """Return what a store's kitchen has to see, at most ``BOARD_LIMIT``: ready, in preparation, received; each by its place.

    Without their lines, see ``read_lines``.
    """
    return prepared.read(Order, ON_BOARD_NOW, [store_id, at + SHOWN_AHEAD, BOARD_LIMIT])


def board_versions(store_id: UUID, at: datetime) -> list[tuple[UUID, int]]:
    """Return id and version of what ``board`` does, in its order: a busy board is drawn many times a second."""
    with connection.cursor() as cursor:
        cursor.execute(VERSIONS_NOW, [store_id, at + SHOWN_AHEAD, BOARD_LIMIT])
        return [(order_id, version) for order_id, version in cursor.fetchall()]


def orders_with_lines(ids: Collection[UUID]) -> list[Order]:
    """Return some orders with their lines, in no order, for a caller who has already been let in."""
    orders = prepared.read(Order, "WHERE id = ANY(%s)", [[*ids]]) if ids else []
    read_lines(orders)
    return orders


def board_with_lines(store_id: UUID, at: datetime) -> list[Order]:
    """Return what ``board`` does, with everything of each order."""
    orders = board(store_id, at)
    read_all(orders)
    return orders


def cancelled_on_board(store_id: UUID, at: datetime) -> list[tuple[Order, Status]]:
    """Return what a store's kitchen had and has not seen cancelled yet, with where each stood, at most ``BOARD_LIMIT``.

    One query when there is none, as nearly always.
    """
    orders = prepared.read(
        Order,
        CANCELLED_NOW,
        [store_id, at - CANCELLED_WITHIN, SHOWN_AHEAD.total_seconds(), BOARD_LIMIT],
    )
    if not orders:
        return []
    read_all(orders)
    last = "WHERE order_id = ANY(%s) AND to_status = %s"
    steps = prepared.read(StatusChange, last, [[order.id for order in orders], int(Status.CANCELLED)])
    stood = {step.order_id: Status(step.from_status) for step in steps if step.from_status is not None}
    return [(order, stood[order.id]) for order in orders]


def unpaid(store_id: UUID) -> list[Order]:
    """Return a store's orders that wait for money with their lines, the oldest first, at most ``BOARD_LIMIT``."""
    orders = Order.objects.filter(store_id=store_id, status=Status.AWAITING_PAYMENT)
    return list(with_lines(orders.order_by("placed_at", "id"))[:BOARD_LIMIT])


def to_hand_over(store_id: UUID) -> list[Order]:
    """Return a store's ready orders with their lines, the one that waits longest first, at most ``BOARD_LIMIT``."""
    orders = Order.objects.filter(store_id=store_id, status=Status.READY)
    return list(with_lines(orders.order_by("ready_at", "id"))[:BOARD_LIMIT])


def asked_for(store_id: UUID, said: str) -> list[Order]:
    """Return what somebody at a store's counter may mean, with lines, ready ones first, at most ``MOST_ASKED_FOR``.

    Args:
        said: a number with or without its letter and zeros, or the four digits of the guest's proof; else finds nothing.
    """
    found = SAID.fullmatch(said.strip().upper())
    if found is None:
        return []
    letter, digits = found.groups()
    meant = Q(number__regex=f"^{letter or '[A-Z]'}0*{int(digits)}$")
    if not letter and len(digits) == PICKUP_DIGITS:
        meant |= Q(pickup_code=digits)
    orders = Order.objects.filter(meant, store_id=store_id, status__in=[int(status) for status in ON_BOARD])
    return list(with_lines(orders.order_by("-status", "queue_at", "id"))[:MOST_ASKED_FOR])


def placed_at(store_id: UUID, actor: Actor) -> "QuerySet[Order]":
    """Return a store's orders; a kiosk's are those it placed."""
    orders = Order.objects.filter(store_id=store_id)
    if Role.KIOSK in actor.roles_at(store_id):
        orders = orders.filter(placed_by_kind=actor.kind, placed_by_id=actor.id)
    return orders


def of_customer(customer_id: UUID | None) -> "QuerySet[Order]":
    """Return the orders of a customer, placed while signed in or at a kiosk that knew them, at whatever store."""
    return Order.objects.filter(customer_id=customer_id) if customer_id else Order.objects.none()


def narrowed(orders: "QuerySet[Order]", *, statuses: Collection[Status], since: datetime | None) -> "QuerySet[Order]":
    """Return some of the orders with their lines, for a page of them. No statuses means all."""
    orders = with_lines(orders)
    if statuses:
        orders = orders.filter(status__in=[int(status) for status in statuses])
    return orders.filter(placed_at__gte=since) if since else orders


def handed_over(store_id: UUID, at: datetime) -> list[Order]:
    """Return the orders a store handed over last, newest first, at most ``DONE_LISTED``. One query."""
    since = at - DONE_WITHIN
    return prepared.read(Order, HANDED_OVER, [store_id, since, int(Status.FINISHED), since, DONE_LISTED])


def queued_minutes(store_id: UUID, at: datetime) -> dict[str, float]:
    """Return the minutes of work that wait at each station of a store, less what has passed of things begun. One query."""
    with connection.cursor() as cursor:
        cursor.execute(QUEUED_MINUTES, [at, store_id, at - COOKED_WITHIN, at])
        return {station: float(minutes) for station, minutes in cursor.fetchall()}


def promise(store_id: UUID, things: Iterable[tuple[str, int]], at: datetime) -> timedelta:
    """Return how long an order of these things, as (station, minutes), takes from now on. One query."""
    return timedelta(minutes=promised_minutes(things, queued_minutes(store_id, at), settings.STATION_PARALLEL))


_queues: dict[UUID, tuple[float, Mapping[str, float]]] = {}


def quoted_minutes(store_id: UUID, things: Iterable[tuple[str, int]]) -> int:
    """Return in how many minutes a cart of these things would be ready, by queues at most two seconds old."""
    now = time.monotonic()
    known_until, queued = _queues.get(store_id, (0.0, {}))
    if now >= known_until:
        queued = queued_minutes(store_id, timezone.now())
        _queues[store_id] = (now + QUEUE_KNOWN_SECONDS, queued)
    return promised_minutes(things, queued, settings.STATION_PARALLEL)


def order_by_token(token: str) -> Order | None:
    """Return the order behind a tracking page with its lines, or None."""
    return with_lines(Order.objects.filter(tracking_token=token).select_related("store")).first()


def told_of(customer_id: UUID) -> list[dict[str, Any]]:
    """Return everything kept of a customer's orders, first to last, as they themselves may see it; ready for JSON."""
    orders = of_customer(customer_id).order_by("placed_at", "id")
    return [stored_order_document(order) for order in with_lines(orders)[:MOST_TOLD]]


def history_of(order: Order) -> tuple[list[StatusChange], dict[UUID, str]]:
    """Return an order's steps, first to last, and how the people and devices in it are called."""
    changes = list(order.history.order_by("seq")[:200])
    staff = {change.actor_id for change in changes if change.actor_kind == "staff" and change.actor_id}
    devices = {change.actor_id for change in changes if change.actor_kind == "device" and change.actor_id}
    return changes, actor_names(staff=staff, devices=devices)


def order_alone(order_id: UUID) -> Order:
    """Return one order without its lines, for a caller who has already been let in.

    Raises:
        OrderNotFoundError: no such order.
    """
    order = prepared.read_one(Order, "WHERE id = %s", [order_id])
    if order is None:
        raise OrderNotFoundError
    return order

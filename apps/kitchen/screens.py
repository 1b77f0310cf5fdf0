"""What board and panel show, as their templates need it."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string

from apps.catalog.facade import STATIONS
from apps.core.facade import Drawing, iso
from apps.kitchen.models import Call
from apps.orders.facade import (
    Order,
    OrderLine,
    Status,
    board,
    cancelled_on_board,
    handed_over,
    item_state,
    options_of,
    read_lines,
)

NEXT = {
    Status.RECEIVED: (Status.IN_PREPARATION, "Começar"),
    Status.IN_PREPARATION: (Status.READY, "Pronto"),
    Status.READY: (Status.FINISHED, "Entregue"),
}
TO_MAKE = ("queued", "started")
CALLS_SHOWN = 8
MOST_DRAWN = 2000
CALLS_KEPT = timedelta(hours=2)

_drawn: dict[tuple[UUID, int], dict[str, Any]] = {}


def shown_on_board(store_id: UUID, at: datetime) -> dict[str, Any]:
    """Return what the board's templates need."""
    orders = board(store_id, at)
    tickets = _tickets(orders)
    struck = [_cancelled_ticket(order, stood) for order, stood in cancelled_on_board(store_id, at)]
    return {
        "orders": tickets,
        "tickets": sorted([*tickets, *struck], key=lambda ticket: ticket["queue_at"]),
        "stations": [{"code": code, "label": label} for code, label in STATIONS],
        "all_day": _all_day(tickets),
        "recent": [
            {"id": order.id, "number": order.number, "is_ready": order.status == Status.READY, "at": order.moved_at}
            for order in [*sorted(orders, key=_newest_first), *handed_over(store_id, at)]
            if order.status in (Status.READY, Status.FINISHED)
        ],
    }


def shown_on_panel(store_id: UUID, at: datetime) -> dict[str, Any]:
    """Return what the panel's templates need; the order called last comes first."""
    orders = board(store_id, at)
    calls = recent_calls(store_id, at)
    called_at = {call.order_id: call.called_at for call in calls}
    ready = [order for order in orders if order.status == Status.READY]
    ready.sort(key=lambda order: called_at.get(order.id, order.moved_at), reverse=True)
    showing = {order.id for order in ready}
    return {
        "ready": [{"number": order.number} for order in ready],
        "preparing": [{"number": order.number} for order in orders if order.status != Status.READY],
        "calls": [
            {"number": call.number, "called_at": iso(call.called_at)} for call in calls if call.order_id in showing
        ][:CALLS_SHOWN],
    }


def recent_calls(store_id: UUID, at: datetime) -> list[Call]:
    """Return the last calls of a store, newest first, at most 50."""
    return list(Call.objects.filter(store_id=store_id, called_at__gte=at - CALLS_KEPT).order_by("-called_at")[:50])


def board_drawing(store_id: UUID, at: datetime) -> Drawing:
    """Draw the board of a store."""
    shown = shown_on_board(store_id, at)
    html = render_to_string("kitchen/_orders.html", shown)
    version = sum(ticket["version"] for ticket in shown["tickets"])
    return Drawing(event="board", version=version, data={"html": html, "version": version})


def panel_drawing(store_id: UUID, at: datetime) -> Drawing:
    """Draw the panel of a store."""
    shown = shown_on_panel(store_id, at)
    html = render_to_string("kitchen/_panel.html", shown)
    return Drawing(event="panel", version=len(shown["calls"]), data={"html": html, "calls": shown["calls"]})


def _newest_first(order: Order) -> float:
    return -order.moved_at.timestamp()


def _to_make(lines: Sequence[OrderLine]) -> Counter[tuple[str, str]]:
    """Return how many of each thing of these lines are still to be made at each station."""
    units: Counter[tuple[str, str]] = Counter()
    for line in lines:
        names = {slot.id: slot.name for slot in line.slots.all()} | {None: line.name}
        for row in line.preparations.all():
            if row.state in TO_MAKE:
                units[row.station, names[row.slot_id]] += line.quantity
    return units


def _all_day(tickets: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how many of each thing are still to be made, station by station, most first."""
    units: Counter[tuple[str, str]] = Counter()
    for ticket in tickets:
        units.update(ticket["to_make"])
    counted = sorted(units.items(), key=lambda each: (-each[1], each[0]))
    return [
        {
            "code": code,
            "label": label,
            "things": [{"name": name, "units": count} for (station, name), count in counted if station == code],
        }
        for code, label in STATIONS
        if any(station == code for station, _ in units)
    ]


def _stations(lines: Sequence[OrderLine]) -> list[dict[str, Any]]:
    """Return where things of these lines are made, and whether all of them there are."""
    states: dict[str, list[str]] = {}
    for row in (row for line in lines for row in line.preparations.all()):
        states.setdefault(row.station, []).append(row.state)
    return [
        {
            "code": code,
            "label": label,
            "is_done": "done" in states[code] and not any(state in TO_MAKE for state in states[code]),
        }
        for code, label in STATIONS
        if code in states
    ]


def _tickets(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Return the tickets of orders; one that was drawn before at the order's version is neither read nor drawn again."""
    tickets = {(order.id, order.version): _drawn.get((order.id, order.version)) for order in orders}
    new = [order for order in orders if tickets[order.id, order.version] is None]
    read_lines(new)
    if len(_drawn) > MOST_DRAWN:
        _drawn.clear()
    for order in new:
        ticket = _ticket(order)
        ticket["html"] = render_to_string("kitchen/_ticket.html", {"order": ticket})
        tickets[order.id, order.version] = _drawn[order.id, order.version] = ticket
    return [ticket for ticket in tickets.values() if ticket is not None]


def _ticket(order: Order) -> dict[str, Any]:
    next_status, next_label = NEXT[Status(order.status)]
    lines = _shown_lines(order)
    return {
        "id": order.id,
        "number": order.number,
        "version": order.version,
        "status": Status(order.status).code,
        "status_label": Status(order.status).label,
        "stage": Status(order.status).code,
        "channel": order.channel,
        "dining_option": order.dining_option,
        "guest_name": order.guest_name,
        "placed_at": order.placed_at,
        "paid_at": order.paid_at,
        "queue_at": order.queue_at,
        "promised_at": order.promised_at,
        "stations": _stations(lines),
        "next_status": next_status.code,
        "next_label": next_label,
        "can_recall": order.status == Status.READY,
        "to_make": _to_make(list(order.lines.all())),
        "items": _items(lines),
    }


def _cancelled_ticket(order: Order, stood: Status) -> dict[str, Any]:
    """Return the ticket of an order that was cancelled, at the place where it stood."""
    lines = _shown_lines(order)
    return {
        "id": order.id,
        "number": order.number,
        "version": order.version,
        "status": Status(order.status).code,
        "stage": stood.code,
        "guest_name": order.guest_name,
        "queue_at": order.queue_at,
        "cancelled_at": order.moved_at,
        "reason": order.cancel_reason,
        "stations": _stations(lines),
        "items": _items(lines),
    }


def _shown_lines(order: Order) -> list[OrderLine]:
    """Return the lines of a ticket; one that was voided stays until the kitchen has seen it."""
    return [line for line in order.lines.all() if not hasattr(line, "acknowledgement")]


def _items(lines: Sequence[OrderLine]) -> list[dict[str, Any]]:
    return [
        {
            "id": line.id,
            "stations": _stations([line]),
            "quantity": line.quantity,
            "name": line.name,
            "options": options_of(line),
            "slots": [{"name": slot.name, "options": options_of(line, slot.id)} for slot in line.slots.all()],
            "note": line.note,
            "needs_release": line.needs_release,
            "state": item_state(row.state for row in line.preparations.all()),
        }
        for line in lines
    ]

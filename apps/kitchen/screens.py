"""What board and panel show, as their templates need it."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.html import format_html_join

from apps.catalog.facade import STATIONS
from apps.core.facade import Drawing, iso
from apps.kitchen.models import Call
from apps.orders.facade import (
    Order,
    OrderLine,
    Status,
    board,
    board_versions,
    cancelled_on_board,
    handed_over,
    item_state,
    options_of,
    orders_with_lines,
)

NEXT = {
    Status.RECEIVED: (Status.IN_PREPARATION, "Começar"),
    Status.IN_PREPARATION: (Status.READY, "Pronto"),
    Status.READY: (Status.FINISHED, "Entregue"),
}
STAGES = (
    (Status.READY, "Pronto", "Nada esperando retirada."),
    (Status.IN_PREPARATION, "Em preparação", "Toque em “Começar” num pedido recebido."),
    (Status.RECEIVED, "Recebido", "Tudo em dia. Os próximos pedidos pagos aparecem aqui."),
)
TO_MAKE = ("queued", "started")
CALLS_SHOWN = 8
MOST_DRAWN = 2000
CALLS_KEPT = timedelta(hours=2)

_drawn: dict[tuple[UUID, int], dict[str, Any]] = {}


def shown_on_board(store_id: UUID, at: datetime) -> dict[str, Any]:
    """Return what the board's templates need."""
    tickets = _tickets(board_versions(store_id, at))
    struck = [_cancelled_ticket(order, stood) for order, stood in cancelled_on_board(store_id, at)]
    shown = sorted([*tickets, *struck], key=lambda ticket: ticket["queue_at"])
    ready = [ticket for ticket in tickets if ticket["status"] == Status.READY.code]
    return {
        "orders": tickets,
        "tickets": shown,
        "stages": [_stage(stage, title, empty, shown) for stage, title, empty in STAGES],
        "stations": [{"code": code, "label": label} for code, label in STATIONS],
        "all_day": _all_day(tickets),
        "recent": [
            {"id": ticket["id"], "number": ticket["number"], "is_ready": True, "at": ticket["moved_at"]}
            for ticket in sorted(ready, key=lambda ticket: ticket["moved_at"], reverse=True)
        ]
        + [
            {"id": order.id, "number": order.number, "is_ready": False, "at": order.moved_at}
            for order in handed_over(store_id, at)
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


def _stage(stage: Status, title: str, empty: str, tickets: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a column of the board; what was cancelled stays in it and is not counted."""
    here = [ticket for ticket in tickets if ticket["stage"] == stage.code]
    return {
        "code": stage.code,
        "title": title,
        "empty": empty,
        "count": sum(ticket["status"] == stage.code for ticket in here),
        "tickets": format_html_join("", "{}", ((ticket["html"],) for ticket in here)),
    }


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


def _tickets(standing: Sequence[tuple[UUID, int]]) -> list[dict[str, Any]]:
    """Return the tickets of orders; one that was drawn before at its order's version is neither read nor drawn again."""
    tickets = {order_id: _drawn.get((order_id, version)) for order_id, version in standing}
    if len(_drawn) > MOST_DRAWN:
        _drawn.clear()
    for order in orders_with_lines([order_id for order_id, ticket in tickets.items() if ticket is None]):
        if Status(order.status) in NEXT:  # not when it left the board meanwhile
            tickets[order.id] = _drawn[order.id, order.version] = _ticket(order)
    return [ticket for ticket in tickets.values() if ticket is not None]


def _ticket(order: Order) -> dict[str, Any]:
    next_status, next_label = NEXT[Status(order.status)]
    lines = _shown_lines(order)
    ticket = {
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
        "moved_at": order.moved_at,
        "stations": _stations(lines),
        "next_status": next_status.code,
        "next_label": next_label,
        "can_recall": order.status == Status.READY,
        "to_make": _to_make(list(order.lines.all())),
        "items": _items(lines),
    }
    return ticket | {"html": render_to_string("kitchen/_ticket.html", {"order": ticket})}


def _cancelled_ticket(order: Order, stood: Status) -> dict[str, Any]:
    """Return the ticket of an order that was cancelled, at the place where it stood."""
    lines = _shown_lines(order)
    ticket = {
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
    return ticket | {"html": render_to_string("kitchen/_cancelled.html", {"order": ticket})}


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

"""What board and panel show, as their templates need it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string

from apps.core.facade import Drawing, iso
from apps.kitchen.models import Call
from apps.orders.facade import Order, Status, board, item_state, options_of, panel

NEXT = {
    Status.RECEIVED: (Status.IN_PREPARATION, "Começar"),
    Status.IN_PREPARATION: (Status.READY, "Pronto"),
    Status.READY: (Status.FINISHED, "Entregue"),
}
CALLS_SHOWN = 8
CALLS_KEPT = timedelta(hours=2)


def shown_on_board(store_id: UUID, at: datetime) -> dict[str, Any]:
    """Return what the board's templates need."""
    return {"orders": [_ticket(order) for order in board(store_id, at)]}


def shown_on_panel(store_id: UUID, at: datetime) -> dict[str, Any]:
    """Return what the panel's templates need; the order called last comes first."""
    orders = panel(store_id, at)
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
    version = sum(ticket["version"] for ticket in shown["orders"])
    return Drawing(event="board", version=version, data={"html": html, "version": version})


def panel_drawing(store_id: UUID, at: datetime) -> Drawing:
    """Draw the panel of a store."""
    shown = shown_on_panel(store_id, at)
    html = render_to_string("kitchen/_panel.html", shown)
    return Drawing(event="panel", version=len(shown["calls"]), data={"html": html, "calls": shown["calls"]})


def _ticket(order: Order) -> dict[str, Any]:
    next_status, next_label = NEXT[Status(order.status)]
    return {
        "id": order.id,
        "number": order.number,
        "version": order.version,
        "status": Status(order.status).code,
        "status_label": Status(order.status).label,
        "channel": order.channel,
        "dining_option": order.dining_option,
        "guest_name": order.guest_name,
        "placed_at": order.placed_at,
        "paid_at": order.paid_at,
        "queue_at": order.queue_at,
        "next_status": next_status.code,
        "next_label": next_label,
        "can_recall": order.status == Status.READY,
        "items": [
            {
                "quantity": line.quantity,
                "name": line.name,
                "options": options_of(line),
                "slots": [{"name": slot.name, "options": options_of(line, slot.id)} for slot in line.slots.all()],
                "note": line.note,
                "state": item_state(row.state for row in line.preparations.all()),
            }
            for line in order.lines.all()
        ],
    }

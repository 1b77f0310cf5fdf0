"""What board and panel show, as their templates need it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string

from apps.core.facade import Drawing, iso
from apps.kitchen.models import Call
from apps.orders.facade import Order, Status, board, item_state, panel

NEXT = {
    Status.RECEIVED: (Status.IN_PREPARATION, "Começar"),
    Status.IN_PREPARATION: (Status.READY, "Pronto"),
    Status.READY: (Status.FINISHED, "Entregue"),
}
CALLS_SHOWN = 8
CALLS_KEPT = timedelta(hours=2)


def board_drawing(store_id: UUID, at: datetime) -> Drawing:
    """Draw the board of a store."""
    orders = board(store_id, at)
    html = render_to_string("kitchen/_orders.html", {"orders": [_ticket(order) for order in orders]})
    version = sum(order.version for order in orders)
    return Drawing(event="board", version=version, data={"html": html, "version": version})


def panel_drawing(store_id: UUID, at: datetime) -> Drawing:
    """Draw the panel of a store; the order called last comes first."""
    orders = panel(store_id, at)
    calls = list(Call.objects.filter(store_id=store_id, called_at__gte=at - CALLS_KEPT).order_by("-called_at")[:50])
    called_at = {call.order_id: call.called_at for call in calls}
    ready = [order for order in orders if order.status == Status.READY]
    ready.sort(key=lambda order: called_at.get(order.id, order.ready_at or at), reverse=True)
    preparing = [order for order in orders if order.status != Status.READY]
    html = render_to_string(
        "kitchen/_panel.html",
        {"ready": [{"number": o.number} for o in ready], "preparing": [{"number": o.number} for o in preparing]},
    )
    showing = {order.id for order in ready}
    newest = [{"number": c.number, "called_at": iso(c.called_at)} for c in calls if c.order_id in showing]
    version = sum(order.version for order in orders) + len(calls)
    return Drawing(event="panel", version=version, data={"html": html, "calls": newest[:CALLS_SHOWN]})


def _ticket(order: Order) -> dict[str, Any]:
    next_status, next_label = NEXT[Status(order.status)]
    return {
        "id": order.id,
        "number": order.number,
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
                "options": [{"name": option.name, "quantity": option.quantity} for option in line.options.all()],
                "note": line.note,
                "state": item_state(row.state for row in line.preparations.all()),
            }
            for line in order.lines.all()
        ],
    }

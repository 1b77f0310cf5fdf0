"""What the guest's phone shows."""

from typing import Any

from django.template.loader import render_to_string

from apps.core.facade import Drawing
from apps.orders.facade import Order, Status, options_of, order_by_token


def tracked(order: Order) -> dict[str, Any]:
    """Return an order as the tracking page needs it."""
    return {
        "number": order.number,
        "status": Status(order.status).code,
        "status_label": Status(order.status).label,
        "store_name": order.store.name,
        "total": order.total,
        "placed_at": order.placed_at,
        "promised_at": None,
        "items": [
            {
                "quantity": line.quantity,
                "name": line.name,
                "options": options_of(line),
                "slots": [{"name": slot.name, "options": options_of(line, slot.id)} for slot in line.slots.all()],
                "note": line.note,
                "total": line.total,
            }
            for line in order.lines.all()
        ],
    }


def tracking_drawing(token: str) -> Drawing:
    """Draw one order for the guest's phone; the caller knows that it exists."""
    order = order_by_token(token)
    if order is None:
        return Drawing(event="gone", version=0, data={})
    shown = tracked(order)
    html = render_to_string("kiosk/_tracking.html", {"order": shown})
    return Drawing(event="order", version=order.version, data={"html": html, "status": shown["status"]})

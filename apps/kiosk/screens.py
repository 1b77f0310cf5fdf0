"""What the guest's phone shows."""

from typing import Any
from uuid import UUID

from django.template.loader import render_to_string

from apps.core.facade import Drawing
from apps.orders.facade import Order, OrderLine, Status, options_of, order_by_token
from apps.payments.facade import payment_facts


def tracked(order: Order) -> dict[str, Any]:
    """Return an order as the tracking page needs it."""
    return {
        "number": order.number,
        "status": Status(order.status).code,
        "status_label": Status(order.status).label,
        "release": order.release,
        "store_name": order.store.name,
        "total": order.total,
        "placed_at": order.placed_at,
        "promised_at": order.promised_at,
        "receipt_path": f"/t/{order.tracking_token}/recibo/" if order.paid_at else "",
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


def receipt_of(order: Order) -> dict[str, Any]:
    """Return a paid order with its money, as the receipt's template needs it."""
    return {
        "number": order.number,
        "token": order.tracking_token,
        "store_name": order.store.name,
        "training": order.store.training,
        "status": Status(order.status).code,
        "dining_option": order.dining_option,
        "guest_name": order.guest_name,
        "pickup_code": order.pickup_code,
        "paid_at": order.paid_at,
        "subtotal": order.subtotal,
        "discounts": [{"name": each.name, "amount": each.amount} for each in order.discounts.all()],
        "packaging_fee": order.packaging_fee,
        "total": order.total,
        "payment": payment_facts(order.id),
        "items": [
            {
                "quantity": line.quantity,
                "name": line.name,
                "unit_price": line.unit_price,
                "total": line.total,
                "note": line.note,
                "options": _priced_options(line, None),
                "slots": [
                    {"name": slot.name, "price": slot.price_delta, "options": _priced_options(line, slot.id)}
                    for slot in line.slots.all()
                ],
            }
            for line in order.lines.all()
        ],
    }


def _priced_options(line: OrderLine, slot_id: UUID | None) -> list[dict[str, Any]]:
    return [
        {"quantity": option.quantity, "name": option.name, "price": option.unit_price}
        for option in line.options.all()
        if option.slot_id == slot_id
    ]


def tracking_drawing(token: str) -> Drawing:
    """Draw one order for the guest's phone; the caller knows that it exists."""
    order = order_by_token(token)
    if order is None:
        return Drawing(event="gone", version=0, data={})
    shown = tracked(order)
    html = render_to_string("kiosk/_tracking.html", {"order": shown})
    return Drawing(event="order", version=order.version, data={"html": html, "status": shown["status"]})

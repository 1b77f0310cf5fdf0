"""Orders in the shapes of api.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.core.facade import iso
from apps.orders.models import Order, OrderDiscount, OrderLine, OrderLineOption, OrderSlot, StatusChange
from apps.orders.rules import ChosenItem, ChosenOption, Status, item_state
from apps.promotions.facade import Price
from apps.stores.facade import is_training

OF_THE_GUEST = ("guest_name", "tracking_url", "stream_url", "pickup_code")
MONEY = ("unit_price", "price_delta", "total")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order stands, and what tells who may know it."""

    id: UUID
    number: str
    status: int
    promised_at: datetime | None
    version: int
    store_id: UUID
    placed_by_kind: str
    placed_by_id: UUID | None
    release: str


def tracking_url(order: Order) -> str:
    """Return the public page of one order."""
    return f"{settings.PUBLIC_URL}/t/{order.tracking_token}/"


def order_document(order: Order, items: list[dict[str, Any]], discounts: Sequence[OrderDiscount]) -> dict[str, Any]:
    """Say an order to somebody who may see its money; ``items`` as ``item_document`` says them."""
    return {
        "id": str(order.id),
        "number": order.number,
        "status": Status(order.status).code,
        "status_label": Status(order.status).label,
        "version": order.version,
        "store": str(order.store_id),
        "training": is_training(order.store_id),
        "channel": order.channel,
        "dining_option": order.dining_option,
        "guest_name": order.guest_name,
        "items": items,
        "subtotal": str(order.subtotal),
        "discount_total": str(order.discount_total),
        "discounts": [{"name": each.name, "amount": str(each.amount)} for each in discounts],
        "packaging_fee": str(order.packaging_fee),
        "total": str(order.total),
        "placed_at": iso(order.placed_at),
        "paid_at": iso(order.paid_at),
        "promised_at": iso(order.promised_at),
        "ready_at": iso(order.ready_at),
        "expires_at": iso(order.expires_at),
        "scheduled_for": None,
        "tracking_url": tracking_url(order),
        "stream_url": f"{settings.STREAM_URL}/api/v1/orders/{order.id}/stream",
        "pickup_code": order.pickup_code,
        "payment": str(order.payment_id) if order.payment_id else None,
        "release": order.release or None,
    }


def stored_order_document(order: Order) -> dict[str, Any]:
    """Say an order read with ``queries.with_lines``."""
    items = [stored_item_document(line) for line in order.lines.all()]
    return order_document(order, items, list(order.discounts.all()))


def board_document(order: Order) -> dict[str, Any]:
    """Say an order to the kitchen: no money, no customer."""
    items = [_without_money(stored_item_document(line)) for line in order.lines.all()]
    return {
        "id": str(order.id),
        "number": order.number,
        "status": Status(order.status).code,
        "status_label": Status(order.status).label,
        "version": order.version,
        "training": is_training(order.store_id),
        "channel": order.channel,
        "dining_option": order.dining_option,
        "guest_name": order.guest_name,
        "items": items,
        "placed_at": iso(order.placed_at),
        "paid_at": iso(order.paid_at),
        "queue_at": iso(order.queue_at),
        "ready_at": iso(order.ready_at),
        "promised_at": iso(order.promised_at),
        "scheduled_for": None,
    }


def integrator_document(order: Order) -> dict[str, Any]:
    """Say an order read with ``queries.with_lines`` to another system: with its money, without the guest or a way to them."""
    told = stored_order_document(order)
    items = [{name: value for name, value in item.items() if name != "note"} for item in told["items"]]
    return {name: value for name, value in told.items() if name not in OF_THE_GUEST} | {"items": items}


def panel_document(order: Order) -> dict[str, Any]:
    """Say an order to everybody in the room."""
    return {"number": order.number, "status": Status(order.status).code}


def narrow_document(order: Order | Standing) -> dict[str, Any]:
    """Say only where an order stands."""
    return {
        "id": str(order.id),
        "number": order.number,
        "status": Status(order.status).code,
        "status_label": Status(order.status).label,
        "promised_at": iso(order.promised_at),
        "version": order.version,
        "release": order.release or None,
    }


def history_document(change: StatusChange, names: dict[Any, str]) -> dict[str, Any]:
    """Say one step of an order's life; ``names`` says who people and devices are."""
    return {
        "from": Status(change.from_status).code if change.from_status is not None else None,
        "to": Status(change.to_status).code,
        "at": iso(change.at),
        "by": names.get(change.actor_id, change.actor_kind),
        "kind": change.kind,
    }


def item_document(
    line: OrderLine, options: Sequence[OrderLineOption], state: str, slots: Sequence[OrderSlot] = ()
) -> dict[str, Any]:
    """Say one item; ``options`` are all of its line, those of its slots among them."""
    return {
        "id": str(line.id),
        "product": str(line.product_id),
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": str(line.unit_price),
        "options": _options(options, None),
        "slots": [
            {
                "slot": str(slot.slot_id),
                "product": str(slot.product_id),
                "name": slot.name,
                "price_delta": str(slot.price_delta),
                "options": _options(options, slot.id),
            }
            for slot in slots
        ],
        "note": line.note,
        "needs_release": line.needs_release,
        "total": str(line.total),
        "state": state,
    }


def stored_item_document(line: OrderLine) -> dict[str, Any]:
    """Say one item of an order read with ``queries.with_lines``."""
    state = item_state(row.state for row in line.preparations.all())
    return item_document(line, list(line.options.all()), state, list(line.slots.all()))


def quote_document(
    items: Sequence[ChosenItem], price: Price, packaging_fee: Decimal, promised_minutes: int
) -> dict[str, Any]:
    """Say what a cart would cost, and in how many minutes it would be ready."""
    return {
        "items": [
            {
                "product": str(item.product.id),
                "name": item.product.name,
                "quantity": item.quantity,
                "unit_price": str(item.product.price),
                "options": _chosen(item.options),
                "slots": [
                    {
                        "slot": str(filled.slot.id),
                        "product": str(filled.choice.product.id),
                        "name": filled.choice.product.name,
                        "price_delta": str(filled.choice.price_delta),
                        "options": _chosen(filled.options),
                    }
                    for filled in item.slots
                ],
                "note": item.note,
                "total": str(total),
            }
            for item, total in zip(items, price.line_totals, strict=True)
        ],
        "subtotal": str(price.subtotal),
        "discount_total": str(price.discount_total),
        "discounts": [{"name": each.name, "amount": str(each.amount)} for each in price.discounts],
        "packaging_fee": str(packaging_fee),
        "total": str(price.total + packaging_fee),
        "promised_minutes": promised_minutes,
    }


def _options(options: Sequence[OrderLineOption], slot_id: UUID | None) -> list[dict[str, Any]]:
    """Say the options of one slot; of the item itself when ``slot_id`` is None."""
    return [
        {
            "option": str(option.option_id),
            "name": option.name,
            "quantity": option.quantity,
            "unit_price": str(option.unit_price),
        }
        for option in options
        if option.slot_id == slot_id
    ]


def options_of(line: OrderLine, slot_id: UUID | None = None) -> list[dict[str, Any]]:
    """Say only how the options of an item, or of one of its slots, are called, and how many; for a line read with its options."""
    return [
        {"name": option.name, "quantity": option.quantity} for option in line.options.all() if option.slot_id == slot_id
    ]


def _chosen(options: Sequence[ChosenOption]) -> list[dict[str, Any]]:
    return [
        {
            "option": str(chosen.option.id),
            "name": chosen.option.name,
            "quantity": chosen.quantity,
            "unit_price": str(chosen.option.price),
        }
        for chosen in options
    ]


def _without_money(told: dict[str, Any]) -> dict[str, Any]:
    """Leave every amount out of an item, of its slots and of their options."""
    kept = {name: value for name, value in told.items() if name not in MONEY}
    return kept | {name: [_without_money(each) for each in told[name]] for name in ("options", "slots") if name in told}

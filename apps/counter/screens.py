"""What the cashier sees, as the templates need it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string

from apps.core.facade import Drawing
from apps.orders.facade import Order, Release, Status, asked_for, options_of, to_hand_over, unpaid
from apps.payments.facade import OpenCharge, open_charges

LOOK_ALIKE_WITHIN = timedelta(minutes=10)


def shown_at_desk(store_id: UUID) -> dict[str, Any]:
    """Return what the desk's templates need: what is to be let go, who pays here or at a totem, what is to be handed over."""
    waiting = unpaid(store_id)
    charges = open_charges([order.id for order in waiting])
    cards = [_card(order, charges.get(order.id)) for order in waiting if order.release != Release.WAITING]
    _mark_look_alikes(cards)
    return {
        "to_release": [_card(order, None) for order in waiting if order.release == Release.WAITING],
        "at_counter": [card for card in cards if card["at_counter"]],
        "elsewhere": [card for card in cards if not card["at_counter"]],
        "ready": [_card(order, None) for order in to_hand_over(store_id)],
    }


def shown_for_handing_over(store_id: UUID, said: str) -> dict[str, Any]:
    """Return the orders somebody at the counter may mean by a number or by the code of their proof."""
    found = asked_for(store_id, said)
    return {"said": said, "orders": [{**_card(order, None), "by_code": order.pickup_code == said} for order in found]}


def desk_drawing(store_id: UUID) -> Drawing:
    """Draw the desk of a store."""
    shown = shown_at_desk(store_id)
    html = render_to_string("counter/_desk.html", shown)
    version = sum(card["version"] for cards in shown.values() for card in cards)
    return Drawing(event="desk", version=version, data={"html": html, "version": version})


def _card(order: Order, charge: OpenCharge | None) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "version": order.version,
        "status": Status(order.status).code,
        "status_label": Status(order.status).label,
        "is_ready": order.status == Status.READY,
        "dining_option": order.dining_option,
        "guest_name": order.guest_name,
        "total": order.total,
        "placed_at": order.placed_at,
        "expires_at": order.expires_at,
        "since": order.ready_at if order.status == Status.READY else order.placed_at,
        "charge": charge.id if charge and charge.at_counter else None,
        "at_counter": charge is not None and charge.at_counter,
        "has_code": charge is not None and charge.has_code,
        "looks_like": "",
        "items": [_item(line) for line in order.lines.all()],
    }


def _item(line: Any) -> dict[str, Any]:
    details = [told for slot in line.slots.all() for told in (slot.name, *_said(options_of(line, slot.id)))]
    details += _said(options_of(line))
    return {
        "quantity": line.quantity,
        "name": line.name,
        "needs_release": line.needs_release,
        "details": details,
        "note": line.note,
    }


def _said(options: Sequence[dict[str, Any]]) -> list[str]:
    return [f"{each['quantity']}× {each['name']}" if each["quantity"] > 1 else each["name"] for each in options]


def _mark_look_alikes(cards: list[dict[str, Any]]) -> None:
    """Say of a card which later one holds the very same things: a guest who ordered twice pays once."""
    for place, card in enumerate(cards):
        for later in cards[place + 1 :]:
            if later["placed_at"] - card["placed_at"] > LOOK_ALIKE_WITHIN:
                break
            if (later["items"], later["total"]) == (card["items"], card["total"]):
                card["looks_like"] = card["looks_like"] or later["number"]
                later["looks_like"] = later["looks_like"] or card["number"]

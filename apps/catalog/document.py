"""The menu document of api.md."""

import logging
from datetime import datetime
from typing import Any

from django.templatetags.static import static

from apps.catalog import photos
from apps.catalog.snapshot import GroupSnapshot, MenuSnapshot, ProductSnapshot, SlotSnapshot
from apps.core.facade import iso
from apps.stores.facade import StoreFacts

logger = logging.getLogger(__name__)


def menu_document(menu: MenuSnapshot, store: StoreFacts, language: str, at: datetime) -> dict[str, Any]:
    """Say a menu in the shape that kiosks read."""
    return {
        "store": {
            "id": str(store.id),
            "code": store.code,
            "name": store.name,
            "timezone": store.timezone,
            "training": store.training,
            "open": menu.opening.takes_orders(at),
            "paused": menu.opening.pauses(at),
            "opens_at": iso(menu.opening.opens_at(at)),
            "packaging_fee": str(menu.packaging_fee),
        },
        "version": menu.version,
        "valid_until": iso(valid_until(menu, at)),
        "currency": "BRL",
        "language": language,
        "categories": [
            {
                "id": str(category.id),
                "slug": category.slug,
                "name": category.name,
                "products": [product_document(product, at) for product in category.products],
            }
            for category in menu.categories
        ],
    }


def product_document(product: ProductSnapshot, at: datetime) -> dict[str, Any]:
    """Say one product."""
    unavailable, until = product.unavailable_until(at)
    return {
        "id": str(product.id),
        "slug": product.slug,
        "kind": product.kind,
        "name": product.name,
        "description": product.description,
        "price": str(product.price),
        "image": image_of(product.photo, product.picture, product.name),
        "available": not unavailable,
        "unavailable_until": iso(until),
        "marks": [
            {"kind": mark.kind, "until": iso(mark.until), "value": mark.value or None}
            for mark in product.standing_marks(at)
        ],
        "station": product.station,
        "prep_minutes": product.prep_minutes,
        "allergens": list(product.allergens),
        "tags": list(product.tags),
        "needs_release": product.needs_release,
        "nutrition": None,
        "modifier_groups": [_group_document(group, at) for group in product.groups],
        "slots": [_slot_document(slot, at) for slot in product.slots],
    }


def image_of(photo: str, picture: str, name: str) -> dict[str, str] | None:
    """Say a product's photo, else its drawing; one that is not there costs the picture and not the menu."""
    if photo:
        return {"src": photos.address_of(photo), "srcset": photos.sources_of(photo), "alt": name}
    try:
        return {"src": static(picture), "srcset": "", "alt": name} if picture else None
    except ValueError:
        logger.warning("the picture %s is not among the static files", picture)
        return None


def _group_document(group: GroupSnapshot, at: datetime) -> dict[str, Any]:
    return {
        "id": str(group.id),
        "name": group.name,
        "min": group.min,
        "max": group.max,
        "options": [
            {
                "id": str(option.id),
                "name": option.name,
                "price": str(option.price),
                "max_quantity": option.max_quantity,
                "available": option.available(at),
            }
            for option in group.options
        ],
    }


def _slot_document(slot: SlotSnapshot, at: datetime) -> dict[str, Any]:
    return {
        "id": str(slot.id),
        "name": slot.name,
        "choices": [
            {
                "product": str(choice.product.id),
                "name": choice.product.name,
                "price_delta": str(choice.price_delta),
                "available": not choice.product.unavailable_until(at)[0],
                "needs_release": choice.product.needs_release,
                "modifier_groups": [_group_document(group, at) for group in choice.product.groups],
            }
            for choice in slot.choices
        ],
    }


def valid_until(menu: MenuSnapshot, at: datetime) -> datetime | None:
    """Return when the document changes by the clock alone: the next end of a pause, of a mark or of the store's hours."""
    ends: list[datetime | None] = [menu.opening.changes_at(at)]
    for product in menu.products.values():
        ends.append(product.paused_until)
        ends += [mark.until for mark in product.marks]
        ends += [option.paused_until for group in product.groups for option in group.options]
    return min((end for end in ends if end is not None and end > at), default=None)

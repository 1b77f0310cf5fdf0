"""The menu document of api.md."""

from datetime import datetime
from typing import Any

from django.templatetags.static import static

from apps.catalog.snapshot import GroupSnapshot, MenuSnapshot, ProductSnapshot
from apps.core.facade import iso
from apps.stores.facade import StoreFacts


def menu_document(menu: MenuSnapshot, store: StoreFacts, at: datetime) -> dict[str, Any]:
    """Say a menu in the shape that kiosks read."""
    return {
        "store": {
            "id": str(store.id),
            "code": store.code,
            "name": store.name,
            "timezone": store.timezone,
            "open": True,
            "opens_at": None,
        },
        "version": menu.version,
        "valid_until": _next_pause_end(menu, at),
        "currency": "BRL",
        "language": "pt-BR",
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
    return {
        "id": str(product.id),
        "slug": product.slug,
        "kind": "single",
        "name": product.name,
        "description": product.description,
        "price": str(product.price),
        "image": {"src": static(product.picture), "srcset": "", "alt": product.name} if product.picture else None,
        "available": product.available(at),
        "unavailable_until": None if product.available(at) else iso(product.paused_until),
        "marks": [],
        "station": product.station,
        "prep_minutes": product.prep_minutes,
        "allergens": list(product.allergens),
        "tags": list(product.tags),
        "nutrition": None,
        "modifier_groups": [_group_document(group, at) for group in product.groups],
        "slots": [],
    }


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


def _next_pause_end(menu: MenuSnapshot, at: datetime) -> str | None:
    """Return when the document changes by the clock alone, or None."""
    ends = [product.paused_until for product in menu.products.values()]
    ends += [
        option.paused_until
        for product in menu.products.values()
        for group in product.groups
        for option in group.options
    ]
    coming = [end for end in ends if end is not None and end > at]
    return iso(min(coming)) if coming else None

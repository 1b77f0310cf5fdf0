"""Reading stock; every list is bounded."""

from uuid import UUID

from django.db.models import QuerySet

from apps.inventory.models import StockLevel, StockMovement

MOST_ITEMS = 500


def levels_of(store_id: UUID) -> list[StockLevel]:
    """Return what a store has of each item, by name, at most ``MOST_ITEMS``. One query."""
    levels = StockLevel.objects.filter(store_id=store_id).select_related("item").order_by("item__name", "id")
    return list(levels[:MOST_ITEMS])


def movements_of(store_id: UUID, item_id: UUID) -> "QuerySet[StockMovement]":
    """Return the movements of one item at a store, for a page of them."""
    return StockMovement.objects.filter(store_id=store_id, item_id=item_id)

"""Back-office pages of stock; levels change through movements only."""

from django.contrib import admin

from apps.inventory.models import RecipeLine, StockItem, StockLevel, StockMovement
from apps.stores.facade import EVERYBODY, OWNERS, StoreAdmin


@admin.register(StockItem)
class StockItemPage(StoreAdmin):
    """Things the chain counts."""

    store_lookup = ""
    viewers = EVERYBODY
    editors = OWNERS
    list_display = ["name", "unit"]
    search_fields = ["name"]


@admin.register(RecipeLine)
class RecipeLinePage(StoreAdmin):
    """What products take."""

    store_lookup = ""
    viewers = EVERYBODY
    editors = OWNERS
    list_display = ["product", "item", "quantity"]
    list_select_related = ["product", "item"]
    search_fields = ["product__name", "item__name"]


@admin.register(StockLevel)
class StockLevelPage(StoreAdmin):
    """What each store has."""

    list_display = ["item", "store", "on_hand", "reserved"]
    list_filter = ["store"]
    list_select_related = ["item", "store"]
    search_fields = ["item__name"]


@admin.register(StockMovement)
class StockMovementPage(StoreAdmin):
    """Every change of stock."""

    list_display = ["at", "item", "store", "delta", "reason"]
    list_filter = ["reason", "store"]
    list_select_related = ["item", "store"]
    ordering = ["-id"]
    show_full_result_count = False

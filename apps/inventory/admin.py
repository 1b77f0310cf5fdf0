"""Back-office pages of stock; levels change through movements only."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from apps.inventory.models import RecipeLine, StockItem, StockLevel, StockMovement
from apps.inventory.services import recipes_changed
from apps.stores.facade import EVERYBODY, OWNERS, LongListAdmin, MadeFilter, StoreAdmin, who_did


@admin.register(StockItem)
class StockItemPage(StoreAdmin):
    """Things the chain counts."""

    store_lookup = ""
    viewers = EVERYBODY
    editors = OWNERS
    list_display = ["name", "unit"]
    list_filter = ["unit"]
    search_fields = ["name"]
    ordering = ["name"]


@admin.register(RecipeLine)
class RecipeLinePage(StoreAdmin):
    """What products take."""

    store_lookup = ""
    viewers = EVERYBODY
    editors = OWNERS
    list_display = ["product", "item", "quantity"]
    ordering = ["product__name", "item__name"]
    list_select_related = ["product", "item"]
    search_fields = ["product__name", "item__name"]

    def save_model(self, request: HttpRequest, obj: RecipeLine, form: "ModelForm[Any]", change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Save it, and let the menus know what can be made now."""
        before = RecipeLine.objects.filter(pk=obj.pk).values_list("product_id", flat=True)
        products = {*before, obj.product_id}
        super().save_model(request, obj, form, change)
        recipes_changed(products=products, at=timezone.now())


@admin.register(StockLevel)
class StockLevelPage(StoreAdmin):
    """What each store has."""

    list_display = ["item", "store", "on_hand", "reserved"]
    ordering = ["item__name", "store__name"]
    list_filter = ["store"]
    list_select_related = ["item", "store"]
    search_fields = ["item__name"]


@admin.register(StockMovement)
class StockMovementPage(LongListAdmin):
    """Every change of stock, newest first."""

    list_display = ["at", "item", "store", "delta", "reason"]
    list_filter = [("at", MadeFilter), "reason", "store"]
    list_select_related = ["item", "store"]
    fields = [*list_display, "note", "order", "who"]
    readonly_fields = ["order", "who"]

    @admin.display(description="pedido")
    def order(self, movement: StockMovement) -> str:
        """Lead to the order it was for."""
        if movement.order_id is None:
            return "—"
        return format_html('<a href="{}">abrir</a>', reverse("admin:orders_order_change", args=[movement.order_id]))

    @admin.display(description="quem")
    def who(self, movement: StockMovement) -> str:
        """Name who moved it."""
        return who_did(movement.actor_kind, movement.actor_id)

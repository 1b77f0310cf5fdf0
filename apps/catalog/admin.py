"""Back-office pages of the menu."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import TabularInline

from apps.catalog import services
from apps.catalog.models import (
    Category,
    ModifierGroup,
    Option,
    Product,
    ProductModifierGroup,
    StoreProduct,
)
from apps.stores.facade import EVERYBODY, OWNERS, StoreAdmin, every_store_id


class MenuAdmin(StoreAdmin):
    """A page whose changes are seen on every store's menu."""

    store_lookup = ""
    viewers = EVERYBODY
    editors = OWNERS

    def save_related(self, request: HttpRequest, form: "ModelForm[Any]", formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Raise the menu versions in the transaction that saves the rows."""
        with transaction.atomic():
            super().save_related(request, form, formsets, change)
            services.menu_changed(store_ids=every_store_id(), at=timezone.now())


class ChainInline(TabularInline):  # type: ignore[misc]
    """Rows edited with their parent, by whoever may edit the parent."""

    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Follow the parent page."""
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Follow the parent page."""
        return MenuAdmin(self.parent_model, self.admin_site).has_change_permission(request)

    has_add_permission = has_change_permission
    has_delete_permission = has_change_permission


class OptionInline(ChainInline):
    """Options of a group."""

    model = Option


class GroupInline(ChainInline):
    """Groups asked about a product."""

    model = ProductModifierGroup


class StoreProductInline(ChainInline):
    """What differs per store."""

    model = StoreProduct


@admin.register(Category)
class CategoryPage(MenuAdmin):
    """Shelves of the menu."""

    list_display = ["name", "slug", "position", "archived_at"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Product)
class ProductPage(MenuAdmin):
    """Products of the chain."""

    list_display = ["name", "category", "price", "station", "prep_minutes", "archived_at"]
    list_filter = ["category", "station"]
    list_select_related = ["category"]
    search_fields = ["name", "description"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [GroupInline, StoreProductInline]


@admin.register(ModifierGroup)
class ModifierGroupPage(MenuAdmin):
    """Questions asked about products."""

    list_display = ["name", "min", "max"]
    search_fields = ["name"]
    inlines = [OptionInline]

"""Back-office pages of the menu."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import TabularInline

from apps.catalog import services
from apps.catalog.models import (
    Category,
    ComboSlot,
    Mark,
    ModifierGroup,
    Option,
    Product,
    ProductModifierGroup,
    SlotChoice,
    StoreProduct,
)
from apps.catalog.snapshot import ProductKind
from apps.core.facade import DomainError
from apps.stores.facade import EVERYBODY, OWNERS, StoreAdmin, every_store_id, staff_of


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


class SlotFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """The slots on a product's page; only a combo has any."""

    def clean(self) -> None:
        """Refuse slots on a single, and a combo that became one and still has some."""
        super().clean()
        deleted = self.deleted_forms
        kept = [form for form in self.forms if form not in deleted and (form.instance.name or form.has_changed())]
        if kept and self.instance.kind != ProductKind.COMBO:
            raise ValidationError("Só um combo tem partes: mude o tipo do produto ou remova as partes.")


class SlotInline(ChainInline):
    """What a combo is made of; each slot has its own page with its choices."""

    model = ComboSlot
    formset = SlotFormSet
    show_change_link = True


class ChoiceFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """The choices on a slot's page."""

    def clean(self) -> None:
        """Refuse more off than the combo costs."""
        super().clean()
        combo = Product.objects.filter(id=self.instance.product_id).first()
        deltas = [form.cleaned_data.get("price_delta") or 0 for form in self.forms if form not in self.deleted_forms]
        if combo is not None and min(deltas, default=0) < -combo.price:
            raise ValidationError("Um desconto é maior do que o preço do combo.")


class ChoiceInline(ChainInline):
    """Products that may fill a slot."""

    model = SlotChoice
    formset = ChoiceFormSet


class StoreProductInline(ChainInline):
    """What differs per store."""

    model = StoreProduct

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoreProduct]:
        """Show only the reader's stores."""
        rows: QuerySet[StoreProduct] = super().get_queryset(request)
        actor = staff_of(request)
        stores = actor.store_ids() if actor else frozenset()
        return rows if stores is None else rows.filter(store__in=stores)


@admin.register(Category)
class CategoryPage(MenuAdmin):
    """Shelves of the menu."""

    list_display = ["name", "slug", "position", "archived_at"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Product)
class ProductPage(MenuAdmin):
    """Products of the chain."""

    list_display = ["name", "kind", "category", "price", "station", "prep_minutes", "archived_at"]
    list_filter = ["kind", "category", "station"]
    list_select_related = ["category"]
    search_fields = ["name", "description"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [SlotInline, GroupInline, StoreProductInline]
    actions = ["pause_one_hour", "pause_two_hours", "pause_four_hours", "sell_again"]

    def has_pause_permission(self, request: HttpRequest) -> bool:
        """Let those pause who may do it in the API."""
        return self._holds(request, services.PAUSERS)

    @admin.action(description="Pausar por 1 hora nas minhas lojas", permissions=["pause"])
    def pause_one_hour(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        """Take products off the reader's menus for an hour."""
        self._pause(request, products, hours=1)

    @admin.action(description="Pausar por 2 horas nas minhas lojas", permissions=["pause"])
    def pause_two_hours(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        """Take products off the reader's menus for two hours."""
        self._pause(request, products, hours=2)

    @admin.action(description="Pausar por 4 horas nas minhas lojas", permissions=["pause"])
    def pause_four_hours(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        """Take products off the reader's menus for four hours."""
        self._pause(request, products, hours=4)

    @admin.action(description="Voltar a vender nas minhas lojas", permissions=["pause"])
    def sell_again(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        """Put paused products back on the reader's menus."""
        self._pause(request, products, hours=0)

    def _pause(self, request: HttpRequest, products: QuerySet[Product], *, hours: int) -> None:
        """Pause at every store where the reader may, one service call each, and show refusals."""
        by, at = staff_of(request), timezone.now()
        if by is None:
            return
        until: datetime | None = at + timedelta(hours=hours) if hours else None
        stores = [store_id for store_id in every_store_id() if by.roles_at(store_id) & services.PAUSERS]
        for product in products:
            try:
                for store_id in stores:
                    services.pause_product(product_id=product.id, store_id=store_id, until=until, by=by, at=at)
            except DomainError as refusal:
                messages.error(request, f"{product}: {refusal.detail}")
            else:
                messages.success(request, f"{product}: {'em pausa' if hours else 'à venda'}.")


@admin.register(ComboSlot)
class ComboSlotPage(MenuAdmin):
    """One slot of a combo and its choices; slots are removed on the combo's page."""

    list_display = ["name", "product", "position"]
    list_select_related = ["product"]
    search_fields = ["name", "product__name"]
    inlines = [ChoiceInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Leave a slot in its combo."""
        return ["product"] if obj is not None else []


@admin.register(ModifierGroup)
class ModifierGroupPage(MenuAdmin):
    """Questions asked about products."""

    list_display = ["name", "min", "max"]
    search_fields = ["name"]
    inlines = [OptionInline]


@admin.register(Mark)
class MarkPage(StoreAdmin):
    """What stock, kitchen and promotions say of products; written by them alone."""

    list_display = ["product", "store", "kind", "until", "value"]
    list_filter = ["kind", "store"]
    list_select_related = ["product", "store"]
    search_fields = ["product__name"]

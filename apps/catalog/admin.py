"""Back-office pages of the menu."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, BooleanField, FileField, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from apps.catalog import document, photos, services
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
from apps.stores.facade import EVERYBODY, OWNERS, HistoryAdmin, StoreAdmin, every_store_id, staff_of


class MenuAdmin(HistoryAdmin):
    """A page whose changes are seen on every store's menu."""

    store_lookup = ""
    viewers = EVERYBODY
    editors = OWNERS

    def save_related(self, request: HttpRequest, form: "ModelForm[Any]", formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Raise the menu versions in the transaction that saves the rows."""
        with transaction.atomic():
            super().save_related(request, form, formsets, change)
            services.menu_changed(store_ids=every_store_id(), at=timezone.now())


class ChainInline(TabularInline):
    """Rows edited with their parent, by whoever may edit the parent."""

    extra = 0

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Name each field for who does not see the column's head."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            widget = getattr(field.widget, "widget", field.widget)
            widget.attrs["aria-label"] = str(field.label)
        return field

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
    list_filter = [("archived_at", admin.EmptyFieldListFilter)]
    search_fields = ["name"]
    ordering = ["position", "name"]
    prepopulated_fields = {"slug": ["name"]}


class ProductForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A product's columns, and a new photo for it."""

    new_photo = FileField(
        label="Nova foto",
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text="JPEG, PNG ou WebP de até 10 MB; é cortada em 4:3 pelo meio.",
    )
    remove_photo = BooleanField(label="Tirar a foto", required=False, widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = Product
        fields = "__all__"  # noqa: DJ007 - the page names them

    def clean_new_photo(self) -> photos.Photo | None:
        """Make a photo of the file, or say why not."""
        upload = self.cleaned_data.get("new_photo")
        if not upload:
            return None
        try:
            return photos.read(upload.file, size=upload.size)
        except photos.PhotoRefusedError as refusal:
            raise ValidationError(str(refusal)) from None


@admin.register(Product)
class ProductPage(MenuAdmin):
    """Products of the chain."""

    form = ProductForm
    list_display = ["thumbnail", "name", "kind", "category", "price", "station", "prep_minutes", "on_menu"]
    list_display_links = ["name"]
    list_filter = ["kind", "category", "station", "needs_release", ("archived_at", admin.EmptyFieldListFilter)]
    ordering = ["name", "id"]
    readonly_fields = ["preview"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "kind", "category", "description", "price", "needs_release"]}),
        ("Foto", {"fields": ["preview", "new_photo", "remove_photo", "picture"]}),
        ("Preparo", {"fields": ["station", "prep_minutes"]}),
        ("Para quem escolhe", {"fields": ["allergens", "tags", "position", "archived_at"]}),
    ]
    list_select_related = ["category"]
    search_fields = ["name", "description"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [SlotInline, GroupInline, StoreProductInline]
    actions = ["pause_one_hour", "pause_two_hours", "pause_four_hours", "sell_again"]

    @admin.display(description="foto")
    def thumbnail(self, product: Product) -> str:
        """Show it small."""
        return _picture(product, 64, 48)

    @admin.display(description="foto atual")
    def preview(self, product: Product) -> str:
        """Show it as the kiosks do."""
        return _picture(product, 320, 240)

    @admin.display(description="no cardápio", boolean=True)
    def on_menu(self, product: Product) -> bool:
        """Say whether it has not been archived."""
        return product.archived_at is None

    def save_model(self, request: HttpRequest, obj: Product, form: "ModelForm[Any]", change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Save it with its new photo; the old one is kept for a while, for menus still on a screen."""
        before, photo = obj.photo, form.cleaned_data.get("new_photo")
        if photo is not None:
            obj.photo = photos.keep(photo)
        elif form.cleaned_data.get("remove_photo"):
            obj.photo = ""
        super().save_model(request, obj, form, change)
        if before and before != obj.photo:
            transaction.on_commit(lambda: photos.let_go(before))

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


def _picture(product: Product, width: int, height: int) -> str:
    picture = document.image_of(product.photo, product.picture, product.name)
    if picture is None:
        return "—"
    # The name stands beside every picture.
    return format_html(
        '<img src="{}" alt="" width="{}" height="{}" loading="lazy" style="object-fit: contain; border-radius: 6px">',
        picture["src"],
        width,
        height,
    )


@admin.register(ComboSlot)
class ComboSlotPage(MenuAdmin):
    """One slot of a combo and its choices; slots are removed on the combo's page."""

    list_display = ["name", "product", "position"]
    ordering = ["product__name", "position"]
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
    ordering = ["name"]
    search_fields = ["name"]
    inlines = [OptionInline]


@admin.register(Mark)
class MarkPage(StoreAdmin):
    """What stock, kitchen and promotions say of products; written by them alone."""

    list_display = ["product", "store", "kind", "until", "value"]
    ordering = ["product__name", "id"]
    list_filter = ["kind", "store"]
    list_select_related = ["product", "store"]
    search_fields = ["product__name"]

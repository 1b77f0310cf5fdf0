"""Back-office pages of promotions and coupons."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from apps.core.facade import Role
from apps.promotions.models import Coupon, Promotion
from apps.promotions.services import refresh_marks
from apps.stores.facade import EVERYBODY, MANAGERS, StoreAdmin, staff_of

CHAIN_WIDE = "Só o dono cria promoções para a rede toda: escolha uma loja."


class TermsAdmin(StoreAdmin):
    """Managers make offers for their own stores, owners also for the whole chain."""

    viewers = EVERYBODY
    editors = MANAGERS

    def get_form(self, request: HttpRequest, obj: object = None, change: bool = False, **kwargs: object) -> type:  # noqa: FBT001, FBT002 - Django's signature
        """Require a store of whoever does not own the chain."""
        form: type[ModelForm[Any]] = super().get_form(request, obj, change, **kwargs)
        actor = staff_of(request)
        owns_chain = actor is not None and any(g.role == Role.OWNER and g.store is None for g in actor.grants)
        if "store" in form.base_fields:
            form.base_fields["store"].required = not owns_chain
            form.base_fields["store"].error_messages["required"] = CHAIN_WIDE
        return form


@admin.register(Promotion)
class PromotionPage(TermsAdmin):
    """Offers that hold by themselves; the menus show a change at once."""

    def save_model(self, request: HttpRequest, obj: Promotion, form: "ModelForm[Any]", change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Save it and let the menus know."""
        super().save_model(request, obj, form, change)
        refresh_marks(at=timezone.now())

    list_display = ["name", "kind", "value", "product", "category", "store", "starts_at", "ends_at", "active"]
    list_filter = ["active", "store"]
    list_select_related = ["product", "category", "store"]
    search_fields = ["name"]
    fieldsets = [
        (None, {"fields": ["name", "kind", "value", "active"]}),
        (
            "Onde",
            {"fields": ["store", "product", "category"], "description": "Sem produto nem categoria: no pedido todo."},
        ),
        ("Quando", {"fields": ["starts_at", "ends_at", "from_time", "to_time"]}),
    ]


@admin.register(Coupon)
class CouponPage(TermsAdmin):
    """Codes that guests type."""

    list_display = ["code", "name", "kind", "value", "store", "used", "use_limit", "ends_at", "active"]
    list_filter = ["active", "store"]
    list_select_related = ["store"]
    search_fields = ["code", "name"]
    readonly_fields = ["used"]

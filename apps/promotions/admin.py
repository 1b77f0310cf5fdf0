"""Back-office pages of promotions and coupons."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from apps.promotions.models import Coupon, Promotion
from apps.promotions.services import refresh_marks
from apps.stores.facade import EVERYBODY, MANAGERS, HistoryAdmin


@admin.register(Promotion)
class PromotionPage(HistoryAdmin):
    """Offers that hold by themselves; the menus show a change at once."""

    viewers = EVERYBODY
    editors = MANAGERS

    def save_model(self, request: HttpRequest, obj: Promotion, form: "ModelForm[Any]", change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Save it and let the menus know."""
        super().save_model(request, obj, form, change)
        refresh_marks(at=timezone.now())

    list_display = ["name", "kind", "value", "product", "category", "store", "starts_at", "ends_at", "active"]
    list_filter = ["active", "store"]
    list_select_related = ["product", "category", "store"]
    search_fields = ["name"]
    ordering = ["name", "id"]
    fieldsets = [
        (None, {"fields": ["name", "kind", "value", "active"]}),
        (
            "Onde",
            {"fields": ["store", "product", "category"], "description": "Sem produto nem categoria: no pedido todo."},
        ),
        ("Quando", {"fields": ["starts_at", "ends_at", "from_time", "to_time"]}),
    ]


@admin.register(Coupon)
class CouponPage(HistoryAdmin):
    """Codes that guests type."""

    viewers = EVERYBODY
    editors = MANAGERS

    list_display = ["code", "name", "kind", "value", "store", "used", "use_limit", "ends_at", "active"]
    list_filter = ["active", "store"]
    list_select_related = ["store"]
    search_fields = ["code", "name"]
    ordering = ["code", "id"]
    readonly_fields = ["used"]

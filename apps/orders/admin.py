"""Back-office pages of orders: to look, not to change."""

from django.contrib import admin
from unfold.admin import TabularInline

from apps.orders.models import Order, OrderLine, StatusChange
from apps.stores.facade import StoreAdmin


class ReadOnlyInline(TabularInline):  # type: ignore[misc]
    """Rows shown with their order."""

    extra = 0
    can_delete = False

    def has_view_permission(self, request: object, obj: object = None) -> bool:
        """Follow the parent page."""
        return True

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Let nobody."""
        return False

    has_add_permission = has_change_permission


class LineInline(ReadOnlyInline):
    """What was bought."""

    model = OrderLine
    fields = ["quantity", "name", "unit_price", "total", "station", "note"]


class HistoryInline(ReadOnlyInline):
    """What became of it."""

    model = StatusChange
    fields = ["seq", "from_status", "to_status", "kind", "at", "actor_kind"]
    ordering = ["seq"]


@admin.register(Order)
class OrderPage(StoreAdmin):
    """Orders of the reader's stores, newest first."""

    list_display = ["number", "business_day", "store", "status", "total", "placed_at", "paid_at"]
    list_filter = ["status", "store", "channel"]
    list_select_related = ["store"]
    search_fields = ["number", "guest_name"]
    ordering = ["-placed_at"]
    show_full_result_count = False
    exclude = ["tracking_token", "placed_by_id", "payment_id"]
    inlines = [LineInline, HistoryInline]

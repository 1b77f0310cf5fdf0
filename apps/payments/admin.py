"""Back-office pages of money: to look, not to change."""

from django.contrib import admin

from apps.payments.models import Charge, WebhookEvent
from apps.stores.facade import BOOKS, OWNERS, StoreAdmin


@admin.register(Charge)
class ChargePage(StoreAdmin):
    """Charges of the reader's stores, newest first."""

    store_lookup = "order__store"
    viewers = BOOKS
    list_display = ["created_at", "order", "method", "state", "amount", "paid_amount", "mismatch"]
    list_filter = ["state", "method"]
    list_select_related = ["order"]
    search_fields = ["order__number", "provider_order_id", "reference"]
    ordering = ["-created_at"]
    show_full_result_count = False
    exclude = ["create_body", "request_hash", "principal", "client_key", "create_key", "qr_data"]


@admin.register(WebhookEvent)
class WebhookEventPage(StoreAdmin):
    """Notifications as they came in, newest first."""

    store_lookup = ""
    viewers = OWNERS
    list_display = ["received_at", "topic", "resource_id", "action", "outcome", "processed_at"]
    list_filter = ["topic", "outcome"]
    search_fields = ["resource_id"]
    ordering = ["-received_at"]
    show_full_result_count = False
    exclude = ["body", "dedup_key"]

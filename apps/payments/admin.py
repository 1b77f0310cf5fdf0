"""Back-office pages of money: to look, not to change."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.payments import inbox
from apps.payments.models import Charge, WebhookEvent
from apps.stores.facade import BOOKS, OWNERS, StoreAdmin

SHOWN_OF_A_BODY = 4096


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
    list_display = [
        "received_at",
        "kind",
        "resource_id",
        "action",
        "signature",
        "outcome",
        "copies",
        "processed_at",
    ]
    list_filter = ["kind", "signature", "outcome"]
    search_fields = ["resource_id"]
    ordering = ["-received_at"]
    show_full_result_count = False
    raw_id_fields = ["charge"]
    fields = [*list_display[:-1], "topic", "account", "charge", "processed_at", "headers", "text"]
    readonly_fields = ["text"]
    actions = ["look_again"]

    @admin.display(description="conteúdo")
    def text(self, event: WebhookEvent) -> str:
        """Show the beginning of the body as text, whatever it is; the template escapes it."""
        return bytes(event.body)[:SHOWN_OF_A_BODY].decode(errors="replace")

    @admin.action(description="Olhar de novo", permissions=["view"])
    def look_again(self, request: HttpRequest, events: QuerySet[WebhookEvent]) -> None:
        """Ask the provider again about the charges these notifications name."""
        again = inbox.look_again(event_ids=list(events.values_list("id", flat=True)))
        if again:
            messages.success(request, f"Avisos a olhar de novo em instantes: {again}.")
        else:
            messages.warning(request, "Nenhum destes avisos fala de uma cobrança nossa; não há o que perguntar.")

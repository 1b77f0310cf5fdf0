"""Back-office pages of stores, roles and devices."""

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.stores import services
from apps.stores.admin_base import EVERYBODY, MANAGERS, OWNERS, HistoryAdmin, StoreAdmin
from apps.stores.models import Device, StaffRole, Store


@admin.register(Store)
class StorePage(HistoryAdmin):
    """Stores of the chain."""

    store_lookup = "pk"
    viewers = EVERYBODY
    editors = OWNERS
    list_display = ["name", "code", "timezone", "day_starts_at"]
    ordering = ["name", "id"]
    search_fields = ["name", "code"]


@admin.register(StaffRole)
class StaffRolePage(StoreAdmin):
    """Who may do what, where."""

    viewers = OWNERS
    editors = OWNERS
    list_display = ["user", "role", "store"]
    ordering = ["user__email", "id"]
    list_filter = ["role", "store"]
    list_select_related = ["user", "store"]
    search_fields = ["user__email", "user__name"]


@admin.register(Device)
class DevicePage(StoreAdmin):
    """Kiosks, boards and panels."""

    viewers = MANAGERS
    editors = MANAGERS
    list_display = ["name", "kind", "store", "paired_at", "revoked_at"]
    search_fields = ["name"]
    ordering = ["store__name", "name"]
    list_filter = ["kind", "store"]
    list_select_related = ["store"]
    readonly_fields = ["paired_at", "revoked_at"]
    actions = ["issue_pairing_code", "revoke"]

    @admin.action(description="Gerar código de pareamento", permissions=["change"])
    def issue_pairing_code(self, request: HttpRequest, devices: QuerySet[Device]) -> None:
        """Show a code to type on the device, good once and for ten minutes."""
        for device in devices[:10]:
            with transaction.atomic():
                code = services.issue_pairing_code(device_id=device.id, at=timezone.now())
                self.record(request, "stores.pairing_code_issued", device)
            spaced = " ".join((code[:3], code[3:6], code[6:]))
            messages.success(request, f"{device.name}: digite {spaced} no aparelho (vale 10 minutos).")

    @admin.action(description="Revogar", permissions=["change"])
    def revoke(self, request: HttpRequest, devices: QuerySet[Device]) -> None:
        """Take devices out of service at once."""
        for device in devices:
            with transaction.atomic():
                services.revoke_device(device_id=device.id, at=timezone.now())
                self.record(request, "stores.device_revoked", device)
            messages.success(request, f"{device.name} foi revogado.")

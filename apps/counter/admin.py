"""Back-office pages of the counter: to look, not to change."""

from django.contrib import admin

from apps.core.facade import Role
from apps.counter.models import CashMovement, Shift
from apps.stores.facade import LongListAdmin, MadeFilter, StoreAdmin

WHO_CHECKS = frozenset({Role.OWNER, Role.MANAGER, Role.AUDITOR})


@admin.register(Shift)
class ShiftPage(StoreAdmin):
    """Shifts of the reader's stores, newest first."""

    viewers = WHO_CHECKS
    list_display = ["opened_at", "person", "store", "closed_at", "expected_cash", "counted_cash", "difference"]
    list_filter = ["store", ("closed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["opened_by", "store"]
    search_fields = ["opened_by__name", "opened_by__email", "note"]
    ordering = ["-opened_at"]
    show_full_result_count = False

    @admin.display(description="aberto por", ordering="opened_by__name")
    def person(self, shift: Shift) -> str:
        """Name them; the address is wider than a column."""
        return shift.opened_by.name or str(shift.opened_by)


@admin.register(CashMovement)
class CashMovementPage(LongListAdmin):
    """Cash that moved without a sale, newest first."""

    store_lookup = "shift__store"
    viewers = WHO_CHECKS
    list_display = ["at", "kind", "amount", "reason", "by", "shift"]
    list_filter = [("at", MadeFilter), "kind"]
    list_select_related = ["by", "shift__opened_by"]
    search_fields = ["reason", "by__name"]

"""The back office: one admin site, and the pages of rows that belong to no store."""

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from apps.core import dispatch
from apps.core.models import FailedDelivery, StoredEvent, User
from apps.orders.models import CancelStep
from apps.payments import facade as payments
from apps.stores.facade import BOOKS, OWNERS, StoreAdmin, staff_of
from breadmate import trail_page  # noqa: F401 - registers its page

site = admin.site
site.unregister(Group)  # what people may do is said by their roles alone
site.unregister([OutstandingToken, BlacklistedToken])  # they show refresh tokens whole, which anybody may use


@admin.register(User)
class UserPage(StoreAdmin):
    """People who may sign in; what they may do is said by their roles."""

    store_lookup = ""
    viewers = OWNERS
    editors = OWNERS
    list_display = ["email", "name", "is_active", "is_staff", "last_login"]
    search_fields = ["email", "name"]
    fields = ["email", "name", "is_active", "is_staff"]


@admin.register(StoredEvent)
class StoredEventPage(StoreAdmin):
    """Everything that happened, newest first."""

    store_lookup = "store_id"
    viewers = OWNERS
    list_display = ["occurred_at", "type", "subject_id", "seq", "dispatched_at"]
    list_filter = ["type"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(FailedDelivery)
class FailedDeliveryPage(StoreAdmin):
    """Events that a subscriber could not handle; the engine tries those again that are let."""

    store_lookup = ""
    viewers = OWNERS
    list_display = ["handler", "event_id", "tries", "next_try_at", "dead_at"]
    list_filter = [("dead_at", admin.EmptyFieldListFilter)]
    ordering = ["-id"]
    actions = ["try_again"]

    @admin.action(description="Tentar de novo", permissions=["retry"])
    def try_again(self, request: HttpRequest, failures: QuerySet[FailedDelivery]) -> None:
        """Hand given-up deliveries back to the engine, one by one."""
        now = timezone.now()
        revived = 0
        for failure in failures:
            with transaction.atomic():
                if dispatch.revive(failure_id=failure.id, at=now):
                    self.record(request, "core.delivery_retried", failure)
                    revived += 1
        if revived:
            messages.success(request, f"{revived} voltaram para a fila; somem daqui quando derem certo.")
        else:
            messages.warning(request, "Nenhuma destas tinha sido abandonada; o sistema ainda tenta sozinho.")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Let owners."""
        return self.has_view_permission(request)


@admin.register(CancelStep)
class CancelStepPage(StoreAdmin):
    """What follows cancelled orders; each step that somebody has to look after can be tried again."""

    store_lookup = "order__store"
    viewers = BOOKS
    list_display = ["order", "kind", "state", "detail", "done_at"]
    list_filter = ["state", "kind"]
    list_select_related = ["order"]
    search_fields = ["order__number"]
    ordering = ["-id"]
    show_full_result_count = False
    actions = ["try_again"]

    @admin.action(description="Tentar de novo", permissions=["counter"])
    def try_again(self, request: HttpRequest, steps: QuerySet[CancelStep]) -> None:
        """Let the owner of each step try again; only money can be refused."""
        by, now = staff_of(request), timezone.now()
        if by is not None:
            self.one_by_one(
                request,
                steps.filter(kind="refund"),
                lambda step: payments.retry_cancelled(order_id=step.order_id, by=by, at=now),
                "de volta à fila.",
            )

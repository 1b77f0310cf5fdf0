"""The back office: one admin site, and the pages of rows that belong to no store."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from apps.contracts import events
from apps.core import dispatch
from apps.core.facade import DomainError
from apps.core.models import FailedDelivery, StoredEvent, User
from apps.orders.admin import OrderPage, ReadOnlyInline
from apps.orders.models import CancelStep, Order
from apps.orders.rules import CancelKind, CancelState
from apps.payments import facade as payments
from apps.stores.facade import BOOKS, COUNTER, OWNERS, LongListAdmin, MadeFilter, StoreAdmin, staff_of
from breadmate import trail_page, training_page  # noqa: F401 - they register their pages

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


class TypeFilter(admin.SimpleListFilter):
    """By type, of those there are; Django's own would look for them in every row."""

    title = "tipo"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name them."""
        return [(event.type, event.type) for event in sorted(events.Event.__subclasses__(), key=lambda each: each.type)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StoredEvent]) -> QuerySet[StoredEvent]:
        """Keep one."""
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(StoredEvent)
class StoredEventPage(LongListAdmin):
    """Everything that happened, newest first."""

    store_lookup = "store_id"
    viewers = OWNERS
    list_display = ["occurred_at", "type", "subject_id", "seq", "dispatched_at"]
    list_filter = [("occurred_at", MadeFilter), TypeFilter]


@admin.register(FailedDelivery)
class FailedDeliveryPage(StoreAdmin):
    """Events that a subscriber could not handle; the engine tries those again that are let."""

    store_lookup = ""
    of_chain_alone = True
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


NOTHING = "\N{NO-BREAK SPACE}"  # an empty cell would be a dash
RETRIES: Mapping[str, Callable[..., int]] = {CancelKind.REFUND: payments.retry_cancelled}
"""Who goes on with a step that is not done; the others are done in the transaction of the cancellation."""


class CancelStepInline(ReadOnlyInline):
    """What follows an order's cancellation, step by step; whoever works at its counter can hurry a step on."""

    model = CancelStep
    fields = ["kind", "state", "detail", "done_at"]
    readonly_fields = ["again"]
    ordering = ["id"]

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> list[str]:
        """Add the buttons while there is something to press one for."""
        by = staff_of(request)
        if obj is None or by is None or not by.roles_at(obj.store_id) & COUNTER:
            return self.fields
        open_steps = CancelStep.objects.filter(order=obj, kind__in=RETRIES).exclude(state=CancelState.DONE)
        return [*self.fields, "again"] if open_steps.exists() else self.fields

    @admin.display(description="")
    def again(self, step: CancelStep) -> str:
        """Show the button of a step that somebody goes on with; the page's own form sends it."""
        if step.state == CancelState.DONE or step.kind not in RETRIES:
            return NOTHING
        return render_to_string("admin/retry_step.html", {"step": step})


OrderPage.inlines = [*OrderPage.inlines, CancelStepInline]


@admin.register(CancelStep)
class CancelStepPage(StoreAdmin):
    """What follows cancelled orders; each step that is not done can be tried again, here or on its order's page."""

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
        """Let the owner of each step go on with it."""
        for step in steps:
            self._retry(request, step)

    def get_urls(self) -> list[URLPattern]:
        """Add what the button on an order's page does."""
        again = self.admin_site.admin_view(self.again)
        return [path("<uuid:step_id>/tentar/", again, name="orders_cancelstep_again"), *super().get_urls()]

    def again(self, request: HttpRequest, step_id: UUID) -> HttpResponse:
        """Let the owner of one step go on with it, and show the order again."""
        if request.method != "POST" or not self.has_counter_permission(request):
            raise PermissionDenied
        step = get_object_or_404(self.get_queryset(request), id=step_id)
        self._retry(request, step)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[step.order_id]))

    def _retry(self, request: HttpRequest, step: CancelStep) -> None:
        by, name = staff_of(request), step.get_kind_display().capitalize()
        retry = RETRIES.get(step.kind)
        if by is None or retry is None or step.state == CancelState.DONE:
            messages.info(request, f"{name}: já foi feito, não há o que tentar de novo.")
            return
        try:
            count = retry(order_id=step.order_id, by=by, at=timezone.now())
        except DomainError as refusal:
            messages.error(request, f"{name}: {refusal.detail}")
            return
        if count:
            messages.success(request, f"{name}: de novo na fila. Atualize a página em instantes para ver se deu certo.")
        else:
            messages.info(request, f"{name}: o sistema já está tentando. Atualize a página em instantes.")

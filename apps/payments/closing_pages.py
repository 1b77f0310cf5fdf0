"""Back-office pages of the closings, and the money desk: every real that is not where it should be."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from unfold.admin import TabularInline

from apps.core.facade import Actor, DomainError, brl
from apps.orders import facade as orders
from apps.payments import closing, desk, refunds, services
from apps.payments.desk import ACTORS, VIEWERS, Action
from apps.payments.models import Closing, ClosingLine
from apps.stores.facade import StoreAdmin, actor_names, staff_of

LONGEST_NOTE = 200
REASON = "Dinheiro fora do lugar"

Deed = Callable[[UUID, str, Actor, datetime], object]

DEEDS: dict[str, tuple[Deed, str]] = {
    Action.ASK_CHARGE: (
        lambda id_, _, by, at: services.ask_again(charge_id=id_, by=by, at=at),
        "Perguntamos ao Mercado Pago.",
    ),
    Action.GIVE_BACK: (
        lambda id_, _, by, at: refunds.request_refund(charge_id=id_, amount=None, reason=REASON, by=by, at=at),
        "Devolução pedida.",
    ),
    Action.RETRY_REFUND: (
        lambda id_, _, by, at: refunds.retry_refund(refund_id=id_, by=by, at=at),
        "A devolução voltou para a fila.",
    ),
    Action.ASK_REFUND: (
        lambda id_, _, by, at: refunds.look_now(refund_id=id_, by=by, at=at),
        "Conferimos no Mercado Pago.",
    ),
    Action.REPAIR: (lambda id_, _, by, at: closing.repair_line(line_id=id_, by=by, at=at), "Conferimos de novo."),
    Action.NOTE: (
        lambda id_, note, by, at: closing.note_line(line_id=id_, note=note, by=by, at=at),
        "Dado por visto, com a sua anotação.",
    ),
    Action.SEEN: (
        lambda id_, _, by, at: orders.unflag_order(order_id=id_, by=by, at=at),
        "Marcado como resolvido.",
    ),
}


class LineInline(TabularInline):
    """What the two books did not agree on."""

    model = ClosingLine
    fields = ["kind", "order", "provider_order_id", "ours", "theirs", "reason", "note", "repaired_at"]
    readonly_fields = fields
    ordering = ["repaired_at", "found_at"]
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Follow the parent page."""
        return True

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let nobody."""
        return False

    has_add_permission = has_change_permission


@admin.register(Closing)
class ClosingPage(StoreAdmin):
    """Closings of the reader's stores, newest first; and the way to the money desk."""

    viewers = VIEWERS
    list_display = [
        "day",
        "store",
        "state",
        "charges",
        "ours_paid",
        "theirs_paid",
        "ours_refunded",
        "theirs_refunded",
    ]
    list_filter = ["store", "state"]
    list_select_related = ["store"]
    ordering = ["-day"]
    show_full_result_count = False
    fields = [*list_display, "searched", "counter_takings", "problem", "started_at", "finished_at"]
    readonly_fields = ["counter_takings"]
    inlines = [LineInline]
    actions = ["again"]

    @admin.display(description="recebido no caixa")
    def counter_takings(self, row: Closing) -> str:
        """Say what each person took without the provider."""
        names = actor_names(staff={UUID(each["confirmed_by"]) for each in row.at_counter}, devices=set())
        told = (
            (names.get(UUID(each["confirmed_by"]), "alguém"), brl(Decimal(each["cash"])), brl(Decimal(each["card"])))
            for each in row.at_counter
        )
        return format_html_join("", "<div>{}: {} em dinheiro, {} na maquininha</div>", told) or "—"

    @admin.action(description="Fechar de novo", permissions=["counter"])
    def again(self, request: HttpRequest, rows: QuerySet[Closing]) -> None:
        """Do the closings again, one by one."""
        by, now = staff_of(request), timezone.now()
        if by is not None:
            self.one_by_one(
                request,
                rows,
                lambda row: closing.close_again(store_id=row.store_id, day=row.day, by=by, at=now),
                "de novo na fila.",
            )

    def get_urls(self) -> list[URLPattern]:
        """Add the desk to the pages of the closings."""
        site = self.admin_site
        return [
            path("dinheiro/", site.admin_view(self.money_desk), name="money_desk"),
            path("dinheiro/<str:action>/<uuid:id_>/", site.admin_view(self.do), name="money_desk_do"),
            *super().get_urls(),
        ]

    def money_desk(self, request: HttpRequest) -> HttpResponse:
        """Show every real that is not where it should be."""
        by = self._viewer(request)
        acts_at = by.stores_with(ACTORS)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Dinheiro fora do lugar",
            "desk": desk.desk(by.stores_with(VIEWERS), at=timezone.now()),
            "acts_everywhere": acts_at is None,
            "acts_at": acts_at or frozenset(),
            "note_action": Action.NOTE.value,
            "longest_note": LONGEST_NOTE,
        }
        return TemplateResponse(request, "admin/money_desk.html", context)

    def do(self, request: HttpRequest, action: str, id_: UUID) -> HttpResponse:
        """Do one thing about one real, and show what was refused."""
        by = self._viewer(request)
        note = request.POST.get("note", "").strip()[:LONGEST_NOTE]
        if request.method != "POST" or action not in DEEDS:
            raise PermissionDenied
        if action == Action.NOTE and not note:
            messages.error(request, "Escreva o que você viu, para quem olhar depois.")
            return HttpResponseRedirect(reverse("admin:money_desk"))
        deed, done = DEEDS[action]
        try:
            deed(id_, note, by, timezone.now())
        except DomainError as refusal:
            messages.error(request, refusal.detail)
        else:
            messages.success(request, done)
        return HttpResponseRedirect(reverse("admin:money_desk"))

    def _viewer(self, request: HttpRequest) -> Actor:
        by = staff_of(request)
        if by is None or not by.has_any(VIEWERS):
            raise PermissionDenied
        return by

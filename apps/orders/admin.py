"""Back-office pages of orders: to look, and to take back."""

from collections.abc import Sequence
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.orders.cancel import cancel_order, unflag_order
from apps.orders.models import Order, OrderLine, StatusChange
from apps.orders.rules import CANCELLABLE_PAID, MoveKind, PreparationState
from apps.stores.facade import ACTORS, LongListAdmin, MadeFilter, TrainingFilter, staff_of, who_did

KINDS = {
    MoveKind.MOVE: "passo",
    MoveKind.UNDO: "desfeito",
    MoveKind.RECALL: "chamado de volta",
    MoveKind.RELEASE: "liberado",
}

BACK, GONE = "back", "gone"


class ReadOnlyInline(TabularInline):
    """Rows shown with their order."""

    extra = 0
    can_delete = False
    hide_title = True

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
    fields = ["quantity", "name", "unit_price", "total", "station", "note", "needs_release"]


class HistoryInline(ReadOnlyInline):
    """What became of it."""

    model = StatusChange
    fields = ["from_status", "to_status", "how", "at", "who"]
    readonly_fields = ["how", "who"]
    ordering = ["seq"]

    @admin.display(description="como")
    def how(self, change: StatusChange) -> str:
        """Say what kind of step it was."""
        return KINDS[MoveKind(change.kind)]

    @admin.display(description="por")
    def who(self, change: StatusChange) -> str:
        """Say who took it."""
        return ACTORS.get(change.actor_kind, change.actor_kind)


class CancelForm(forms.Form):
    """Why orders are taken back; of a single paid one, also what becomes of each item's goods."""

    reason = forms.CharField(label="Motivo", max_length=140, widget=UnfoldAdminTextInputWidget())

    def __init__(self, data: QueryDict | None, orders: Sequence[Order]) -> None:
        super().__init__(data)
        self.lines = _lines_with_goods(orders[0]) if len(orders) == 1 else []
        for line in self.lines:
            self.fields[str(line.id)] = forms.ChoiceField(
                label=f"Estoque de {line.quantity}× {line.name}",
                choices=[("", _by_itself(line)), (BACK, "volta ao estoque"), (GONE, "não volta")],
                required=False,
                widget=UnfoldAdminSelectWidget(),
            )

    def restock(self) -> dict[UUID, bool]:
        """Return what somebody decided, by line; the kitchen's state decides the rest."""
        said = {line.id: self.cleaned_data[str(line.id)] for line in self.lines}
        return {line: word == BACK for line, word in said.items() if word}


def _lines_with_goods(order: Order) -> list[OrderLine]:
    """Return the lines of a paid order whose goods were taken, items voided before left out."""
    if order.status not in CANCELLABLE_PAID:
        return []
    lines = order.lines.prefetch_related("preparations").order_by("position")
    return [line for line in lines if _states(line)]


def _states(line: OrderLine) -> set[str]:
    return {each.state for each in line.preparations.all()} - {PreparationState.VOIDED}


def _by_itself(line: OrderLine) -> str:
    states = _states(line)
    if states == {PreparationState.QUEUED}:
        return "a cozinha não começou: volta ao estoque"
    if PreparationState.QUEUED in states:
        return "a cozinha começou uma parte: só o resto volta"
    return "a cozinha já começou: não volta"


@admin.register(Order)
class OrderPage(LongListAdmin):
    """Orders of the reader's stores, newest first."""

    list_display = ["number", "business_day", "store", "status", "total", "placed_at", "paid_at", "attention"]
    list_filter = [
        ("placed_at", MadeFilter),
        "status",
        "store",
        TrainingFilter,
        "channel",
        "release",
        ("attention", admin.EmptyFieldListFilter),
    ]
    actions = ["take_back", "seen"]
    list_select_related = ["store"]
    search_fields = ["number", "guest_name"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "store",
                    "business_day",
                    "number",
                    "status",
                    "attention",
                    "cancel_reason",
                    "customer",
                    "guest_name",
                ]
            },
        ),
        ("Valores", {"fields": ["subtotal", "discount_total", "packaging_fee", "total"]}),
        ("Atendimento", {"fields": ["channel", "placed_by", "dining_option", "table_tracker", "pickup_code"]}),
        (
            "Horários",
            {"fields": ["placed_at", "expires_at", "paid_at", "queue_at", "promised_at", "ready_at", "moved_at"]},
        ),
        ("Itens com liberação", {"fields": ["release", "released_at", "released_by"]}),
    ]
    readonly_fields = ["placed_by", "released_by"]
    inlines = [LineInline, HistoryInline]

    @admin.display(description="feito por")
    def placed_by(self, order: Order) -> str:
        """Name who placed it."""
        return who_did(order.placed_by_kind, order.placed_by_id)

    @admin.display(description="liberado por")
    def released_by(self, order: Order) -> str:
        """Name who let it go."""
        return who_did("staff", order.released_by_id) if order.released_by_id else "—"

    @admin.action(description="Cancelar e devolver o dinheiro", permissions=["counter"])
    def take_back(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        """Ask why, then cancel, order by order."""
        form = CancelForm(request.POST if "asked" in request.POST else None, list(orders[:2]))
        by = staff_of(request)
        if by is None or not form.is_valid():
            return self.ask_first(request, orders, form, "Cancelar pedido")
        now, reason = timezone.now(), form.cleaned_data["reason"]
        self.one_by_one(
            request,
            orders,
            lambda order: cancel_order(order_id=order.id, by=by, at=now, reason=reason, restock=form.restock()),
            "cancelado; o que falta está na página do pedido.",
        )
        return None

    @admin.action(description="Já cuidei disto", permissions=["counter"])
    def seen(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        """Take the flag down."""
        by, now = staff_of(request), timezone.now()
        if by is not None:
            self.one_by_one(
                request, orders, lambda order: unflag_order(order_id=order.id, by=by, at=now), "sem pendência."
            )

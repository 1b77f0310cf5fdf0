"""The first page of the back office, and what its side bar leads to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import site
from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst

from apps.catalog.models import Mark
from apps.catalog.snapshot import MarkKind
from apps.core.facade import brl
from apps.inventory.models import StockLevel
from apps.orders.models import Order, OrderLine
from apps.orders.rules import ON_BOARD, Status
from apps.payments.facade import DESK_VIEWERS, money_out_of_place
from apps.stores.facade import BOOKS, EVERYBODY, staff_of

FEW_LEFT = 10
MOST_ROWS = 8
ON_DASHBOARD = (Status.AWAITING_PAYMENT, *ON_BOARD)
NOT_A_SALE = (Status.EXPIRED, Status.CANCELLED)

# Which pages stand together, and their signs; a page that is not named here comes last.
GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Hoje", (("orders.order", "receipt_long"), ("payments.charge", "payments"))),
    ("Dinheiro", (("payments.refund", "undo"), ("payments.closing", "event_available"))),
    (
        "Cardápio",
        (
            ("catalog.product", "bakery_dining"),
            ("catalog.category", "category"),
            ("catalog.comboslot", "lunch_dining"),
            ("catalog.modifiergroup", "tune"),
            ("catalog.mark", "sell"),
        ),
    ),
    ("Ofertas", (("promotions.promotion", "percent"), ("promotions.coupon", "confirmation_number"))),
    (
        "Estoque",
        (
            ("inventory.stocklevel", "inventory_2"),
            ("inventory.stockmovement", "swap_vert"),
            ("inventory.stockitem", "egg"),
            ("inventory.recipeline", "menu_book"),
        ),
    ),
    ("Clientes", (("customers.customer", "group"), ("customers.customerread", "visibility"))),
    (
        "Casa",
        (
            ("stores.store", "storefront"),
            ("stores.device", "tablet"),
            ("core.user", "person"),
            ("stores.staffrole", "badge"),
            ("core.auditentry", "history"),
        ),
    ),
    (
        "Sistema",
        (("payments.webhookevent", "webhook"), ("core.storedevent", "bolt"), ("core.faileddelivery", "error")),
    ),
)
MONEY = "Dinheiro"
REST, REST_ICON = "Mais", "chevron_right"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages the reader may open, in their groups."""
    pages = {model._meta.label_lower: (model, page) for model, page in site._registry.items()}  # noqa: SLF001 - it has no public name
    named = {label for _, signs in GROUPS for label, _ in signs}
    rest = tuple((label, REST_ICON) for label in sorted(pages.keys() - named))
    groups: list[dict[str, Any]] = [{"items": [_item("Início", "home", reverse("admin:index"))]}]
    for title, signs in (*GROUPS, (REST, rest)):
        items = [
            _item(capfirst(str(pages[label][0]._meta.verbose_name_plural)), sign, _list_of(label))  # noqa: SLF001 - public API
            for label, sign in signs
            if label in pages and pages[label][1].has_view_permission(request)
        ]
        if title == MONEY and (desk := _desk_item(request)):
            items.insert(0, desk)
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what happens today in the reader's stores. A fixed number of queries, each over few rows."""
    return {**context, "subtitle": None, "title": "Início", "board": _board(request, timezone.now())}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with what it is, and where its rows are."""

    label: str
    value: str
    link: str


def _board(request: HttpRequest, at: datetime) -> dict[str, Any]:
    actor = staff_of(request)
    if actor is None:
        return {}
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    found: dict[str, Any] = {"at": timezone.localtime(at)}
    if actor.has_any(BOOKS):
        paid = _of(Order.objects.all(), actor.stores_with(BOOKS)).filter(
            paid_at__gte=midnight, paid_at__lt=midnight + timedelta(days=1)
        )
        if actor.has_any(DESK_VIEWERS):
            found["misplaced"] = money_out_of_place(actor.stores_with(DESK_VIEWERS), at=at)
        found |= _sales(paid.exclude(status__in=NOT_A_SALE), midnight)
    stores = actor.stores_with(EVERYBODY)
    waiting = dict(
        _of(Order.objects.filter(Q(status=Status.AWAITING_PAYMENT) | Q(status__in=ON_BOARD)), stores)  # an index each
        .values_list("status")
        .annotate(Count("id"))
        .order_by("status")
    )
    found["states"] = [
        Figure(
            str(status.label), str(waiting.get(status, 0)), f"{_list_of('orders.order')}?status__exact={status.value}"
        )
        for status in ON_DASHBOARD
    ]
    levels = _of(StockLevel.objects.all(), stores).annotate(free=F("on_hand") - F("reserved"))
    found["low"] = (
        levels.filter(item__unit="un", free__lte=FEW_LEFT)
        .select_related("item", "store")
        .order_by("free", "item__name")[:MOST_ROWS]
    )
    sold_out = _of(Mark.objects.filter(kind=MarkKind.SOLD_OUT), stores)
    found["sold_out"] = sold_out.select_related("product", "store").order_by("product__name")[:MOST_ROWS]
    return found


def _sales(paid: "QuerySet[Order]", midnight: datetime) -> dict[str, Any]:
    told = paid.aggregate(orders=Count("id"), total=Sum("total"))
    orders, total = told["orders"], told["total"] or Decimal(0)
    link = f"{_list_of('orders.order')}?{urlencode({'placed_at_from': date_format(midnight, 'd/m/Y'), 'o': '-7'})}"
    figures = [
        Figure("Vendas de hoje", brl(total), link),
        Figure("Pedidos pagos", str(orders), link),
        Figure("Valor médio", brl(total / orders) if orders else "—", link),
    ]
    lines = OrderLine.objects.filter(order__in=paid).values("name")
    top = lines.annotate(sold=Sum("quantity"), brought=Sum("total")).order_by("-sold", "name")[:MOST_ROWS]
    return {"figures": figures, "top": [{**row, "brought": brl(row["brought"])} for row in top]}


def _of(rows: "QuerySet[Any]", stores: "frozenset[Any] | None") -> "QuerySet[Any]":
    """Keep rows of these stores; what is practised in a store for training is in no figure."""
    real = rows.filter(store__training=False)
    return real if stores is None else real.filter(store__in=stores)


def _list_of(label: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


def _desk_item(request: HttpRequest) -> dict[str, Any] | None:
    """Lead to the money desk, with how much waits there; None for whoever may not see it."""
    actor = staff_of(request)
    if actor is None or not actor.has_any(DESK_VIEWERS):
        return None
    item = _item("Dinheiro fora do lugar", "savings", reverse("admin:money_desk"))
    waiting = money_out_of_place(actor.stores_with(DESK_VIEWERS), at=timezone.now())
    return item | ({"badge": str(waiting), "badge_variant": "danger"} if waiting else {})


def _item(title: str, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link}

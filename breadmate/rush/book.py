"""Book-keeping after a rush: what guests were told, what is written here, and what the provider has, row by row."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce

from apps.core.audit import Verdict, audit
from apps.orders.models import Order, OrderLine, Preparation, StatusChange
from apps.orders.rules import MoveKind, Status
from apps.payments.models import Charge
from apps.payments.rules import Method
from breadmate.rush.tally import Placed

ZERO = Decimal("0.00")
MADE = (Status.RECEIVED, Status.IN_PREPARATION, Status.READY, Status.FINISHED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One order as it is written here."""

    order: str
    number: str
    place: str  # store and day: where its number may be used once
    status: int
    total: Decimal
    kept: Decimal  # of the provider's money, after refunds
    paying: int  # charges that pay it
    received: int  # times it went to the kitchen
    things: int  # to make, by its lines
    tickets: int  # told to the stations


@dataclass(frozen=True, slots=True)
class Books:
    """The sums of both sides and everything that does not fit."""

    orders: int
    paid: int
    here: Decimal
    there: Decimal
    complaints: tuple[str, ...]
    verdicts: tuple[Verdict, ...] = ()

    @property
    def is_right(self) -> bool:
        """Tell whether nothing is lost, doubled or miscounted."""
        return not self.complaints and not any(verdict.violations for verdict in self.verdicts)


def compare(told: Sequence[Placed], here: Iterable[Entry], there: Mapping[str, Decimal]) -> Books:
    """Compare the three.

    Args:
        told: orders as their guests were told of them.
        here: the orders of the rush's totems since its beginning.
        there: what the provider keeps of each of its orders, after refunds.
    """
    written = {entry.order: entry for entry in here}
    complaints = [
        complaint
        for placed in told
        for complaint in _of_guest(placed, written.get(placed.order), there.get(placed.reference, ZERO))
    ]
    known = {placed.order for placed in told}
    complaints += [
        complaint for entry in written.values() for complaint in _of_entry(entry, is_known=entry.order in known)
    ]
    numbers = Counter((entry.place, entry.number) for entry in written.values())
    complaints += [f"o número {number} foi dado {times} vezes" for (_, number), times in numbers.items() if times > 1]
    mine = [placed.reference for placed in told if placed.reference]
    return Books(
        orders=len(told),
        paid=sum(1 for placed in told if placed.paid_s is not None),
        here=sum((entry.kept for entry in written.values()), ZERO),
        there=sum((there.get(reference, ZERO) for reference in mine), ZERO),
        complaints=tuple(complaints),
    )


def _of_guest(placed: Placed, entry: Entry | None, kept: Decimal) -> Iterator[str]:
    """Complain about what a guest was told and is not so; ``kept`` is what the provider has of it."""
    if entry is None:
        yield f"o pedido {placed.number} foi confirmado ao cliente e não existe"
        return
    if (entry.number, entry.total) != (placed.number, placed.total):
        yield f"o pedido {placed.number} não é o que o cliente viu"
    if kept and entry.status not in MADE:
        yield f"o pedido {placed.number} foi pago e não está na cozinha"
    if kept != entry.kept:
        yield f"do pedido {placed.number} o provedor tem {kept} e aqui constam {entry.kept}"


def _of_entry(entry: Entry, *, is_known: bool) -> Iterator[str]:
    """Complain about what is written and cannot be."""
    made = entry.status in MADE
    if not is_known:
        yield f"o pedido {entry.number} existe e nenhum cliente soube dele"
    if made and entry.received != 1:
        yield f"o pedido {entry.number} foi {entry.received} vezes à cozinha"
    if made and entry.total and entry.paying != 1:
        yield f"o pedido {entry.number} é pago por {entry.paying} cobranças"
    if entry.tickets != (entry.things if made else 0):
        yield f"do pedido {entry.number} há {entry.tickets} preparos e {entry.things} itens"


def written_since(at: datetime, devices: Sequence[UUID]) -> list[Entry]:
    """Return the orders these totems placed since then. Seven queries, whatever their number."""
    orders = Order.objects.filter(placed_by_id__in=devices, placed_at__gte=at)
    ids = orders.values("id")
    received = _counted(
        StatusChange.objects.filter(order_id__in=ids, to_status=Status.RECEIVED, kind=MoveKind.MOVE), F("order_id")
    )
    singles = _counted(OrderLine.objects.filter(order_id__in=ids, slots=None), F("order_id"))
    slots = _counted(OrderLine.objects.filter(order_id__in=ids, slots__isnull=False), F("order_id"))
    tickets = _counted(Preparation.objects.filter(line__order_id__in=ids), F("line__order_id"))
    charges = Charge.objects.filter(order_id__in=ids, method=Method.MERCADO_PAGO_QR)
    paying = _counted(charges.filter(pays_order=True), F("order_id"))
    money = dict(
        charges.values_list("order_id").annotate(kept=Coalesce(Sum(F("paid_amount") - F("refunded_amount")), ZERO))
    )
    return [
        Entry(
            order=str(order.id),
            number=order.number,
            place=f"{order.store_id} {order.business_day}",
            status=order.status,
            total=order.total,
            kept=money.get(order.id, ZERO),
            paying=paying.get(order.id, 0),
            received=received.get(order.id, 0),
            things=singles.get(order.id, 0) + slots.get(order.id, 0),
            tickets=tickets.get(order.id, 0),
        )
        for order in orders.only("id", "number", "store_id", "business_day", "status", "total")
    ]


def _counted(rows: Any, by: F) -> dict[UUID, int]:
    """Count rows by order."""
    return dict(rows.order_by().annotate(order_key=by).values_list("order_key").annotate(count=Count("*")))


def kept_here() -> Decimal:
    """Return what is written here of the provider's money, after refunds, BRL."""
    charges = Charge.objects.filter(method=Method.MERCADO_PAGO_QR)
    kept: Decimal = charges.aggregate(kept=Coalesce(Sum(F("paid_amount") - F("refunded_amount")), ZERO))["kept"]
    return kept


def kept_there(rows: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Read the provider's list of orders: what it keeps of each, BRL."""
    return {row["id"]: Decimal(row["paid"]) - Decimal(row["refunded"]) for row in rows}


def audited() -> tuple[Verdict, ...]:
    """Check every rule that must hold over the whole database."""
    return tuple(audit())

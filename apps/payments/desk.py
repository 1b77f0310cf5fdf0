"""The money desk: every real that is not where it should be, its reason, and what can be done about it.

Each source is one query of at most ``MOST`` rows which also counts and adds up all of its rows; a real is in one source only.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, TextChoices, Window
from django.db.models.functions import Abs, Coalesce

from apps.core.facade import Memory, Role, brl
from apps.orders.facade import Order
from apps.payments import lines
from apps.payments.breaker import Passage
from apps.payments.differences import REPAIR, Kind
from apps.payments.models import Charge, Closing, ClosingLine, Refund
from apps.payments.queries import LIVE
from apps.payments.rules import ENDED, REFUND_OPEN, ZERO, Cause, Method, RefundState, State

MOST = 50
TOO_LONG = timedelta(minutes=15)
LOOKED_BACK = timedelta(days=2)  # further back the closings look
COUNT_SECONDS = 10.0
VIEWERS = frozenset({Role.OWNER, Role.MANAGER, Role.AUDITOR})
ACTORS = frozenset({Role.OWNER, Role.MANAGER})

Stores = frozenset[UUID] | None


class Action(TextChoices):
    """What a button does; the page calls one service for each."""

    ASK_CHARGE = "ask_charge", "Perguntar agora"
    GIVE_BACK = "give_back", "Devolver tudo"
    RETRY_REFUND = "retry_refund", "Tentar de novo"
    ASK_REFUND = "ask_refund", "Conferir agora"
    REPAIR = "repair", "Resolver"
    NOTE = "note", "Dar por visto"
    SEEN = "seen", "Já cuidei disto"


@dataclass(frozen=True, slots=True)
class Item:
    """One real out of place. ``actions`` are (action, what its button says)."""

    id: UUID
    title: str
    amount: Decimal
    since: datetime
    reason: str
    order_id: UUID | None
    number: str
    store_id: UUID
    store: str
    actions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """What is out of place in some stores. ``total`` is all of it, also what is beyond the rows; BRL."""

    items: tuple[Item, ...]
    count: int
    total: Decimal
    at_risk: Decimal
    ways: tuple[str, ...]
    last: Closing | None

    @property
    def hidden(self) -> int:
        """Return how many there are beyond the rows."""
        return self.count - len(self.items) - len(self.ways)


@dataclass(frozen=True, slots=True)
class Source:
    """One way for money to be out of place: its rows, the oldest first, and what a row is to people.

    ``store`` leads from a row to its store. ``at_risk`` money may still come in on a code that should be closed.
    """

    rows: Callable[[datetime], "QuerySet[Any]"]
    item: Callable[[Any], Item]
    store: str
    at_risk: bool = False


def desk(stores: Stores, *, at: datetime) -> Desk:
    """Look for money out of place in some stores; None means all of the chain. A fixed number of queries."""
    items: list[Item] = []
    count, sums = 0, {False: ZERO, True: ZERO}
    for source in SOURCES:
        counted = source.rows(at).annotate(
            all_rows=Window(Count("*")),
            all_money=Window(Sum("out_of_place")),
            of_store=F(f"{source.store}_id"),
            store_name=F(f"{source.store}__name"),
        )
        rows = list(_of(counted, source.store, stores).order_by("since", "id")[:MOST])
        if rows:
            count += rows[0].all_rows
            sums[source.at_risk] += rows[0].all_money
        items += [source.item(row) for row in rows]
    closed = Closing.objects.filter(finished_at__isnull=False).select_related("store").order_by("-day", "-finished_at")
    ways = tuple(_ways(at))
    return Desk(
        items=tuple(sorted(items, key=lambda item: item.since)),
        count=count + len(ways),
        total=sums[False],
        at_risk=sums[True],
        ways=ways,
        last=_of(closed, "store", stores).first(),
    )


def count_for(stores: Stores, *, at: datetime) -> int:
    """Count what is out of place, for a badge; at most ten seconds old in this process."""
    return _counts.get((stores, at.replace(second=0, microsecond=0))) or 0


def _count(key: tuple[Stores, datetime]) -> int:
    stores, at = key
    found = sum(_of(source.rows(at), source.store, stores).count() for source in SOURCES)
    return found + sum(1 for _ in _ways(at))


def _of(rows: "QuerySet[Any]", store: str, stores: Stores) -> "QuerySet[Any]":
    """Keep rows of these stores; money of a store for training is none, wherever it is."""
    real = rows.filter(**{f"{store}__training": False})
    return real if stores is None else real.filter(**{f"{store}__in": stores})


def _ways(at: datetime) -> Iterator[str]:
    """Say of each account whose way is not open what that means."""
    for passage in lines.passages(at).values():
        if passage == Passage.REFUSED:
            yield "O Mercado Pago recusa o access token de uma conta: copie-o de novo em Contas do Mercado Pago."
        elif passage != Passage.OPEN:
            yield "O Mercado Pago não responde por uma das contas: o que está pendente espera e vai sozinho."


def _refunds(at: datetime) -> QuerySet[Refund]:
    slow = Q(state__in=REFUND_OPEN) & (Q(cause__in=[Cause.LATE, Cause.DOUBLE]) | Q(created_at__lt=at - TOO_LONG))
    rows = Refund.objects.filter(Q(state=RefundState.REFUSED) | slow).exclude(charge__state__in=ENDED)
    return rows.select_related("charge__order").annotate(out_of_place=F("amount"), since=F("created_at"))


def _refund(refund: Refund) -> Item:
    why = refund.get_cause_display()
    if refund.state == RefundState.REFUSED:
        title, reason = "Devolução recusada", f"{why.capitalize()}: {refund.problem}"
        action = Action.RETRY_REFUND
    else:
        late = refund.cause in (Cause.LATE, Cause.DOUBLE)
        title = "Pago fora de hora" if late else "Devolução demorada"
        reason = f"{why.capitalize()}; {refund.problem or 'a devolução ao cliente está ' + refund.get_state_display()}."
        action = Action.ASK_REFUND
    return _item(refund, title, reason, refund.charge.order, (_button(action),))


def _charges_unowed(_: datetime) -> QuerySet[Charge]:
    promised = Refund.objects.filter(charge=OuterRef("pk")).order_by().values("charge").annotate(sum=Sum("amount"))
    left = F("paid_amount") - Coalesce(Subquery(promised.values("sum")), ZERO)
    rows = Charge.objects.filter(state__in=[State.MISMATCH, State.LATE]).annotate(out_of_place=left)
    rows = rows.filter(out_of_place__gt=0)
    return rows.select_related("order").annotate(since=F("settled_at"))


def _charge_unowed(charge: Charge) -> Item:
    reason = f"O que foi pago não é o que foi pedido: {charge.mismatch}."
    if charge.state == State.LATE:
        reason = "Pago fora de hora, e ninguém devolveu ainda."
    actions = (_button(Action.GIVE_BACK), _button(Action.ASK_CHARGE))
    return _item(charge, "Pagamento divergente", reason, charge.order, actions)


def _contested(_: datetime) -> QuerySet[Charge]:
    rows = Charge.objects.filter(state=State.CHARGED_BACK).exclude(order__attention="")
    return rows.select_related("order").annotate(
        out_of_place=F("amount") - F("refunded_amount"), since=Coalesce("settled_at", "created_at")
    )


def _contested_item(charge: Charge) -> Item:
    reason = "O banco do cliente tomou o dinheiro de volta: responda no Mercado Pago e depois marque aqui."
    return _item(charge, "Contestado pelo banco", reason, charge.order, (_button(Action.SEEN),), id_=charge.order_id)


def _outside(_: datetime) -> QuerySet[Refund]:
    rows = Refund.objects.filter(cause=Cause.OUTSIDE, state=RefundState.DONE, charge__order__status__in=LIVE)
    rows = rows.exclude(charge__order__attention="").select_related("charge__order")
    return rows.annotate(out_of_place=F("amount"), since=F("done_at"))


def _outside_item(refund: Refund) -> Item:
    reason = "Devolvido direto no Mercado Pago, e o pedido continua valendo: cancele-o ou marque que está certo."
    order = refund.charge.order
    return _item(refund, "Devolvido por fora", reason, order, (_button(Action.SEEN),), id_=order.id)


def _closing_long(at: datetime) -> QuerySet[Charge]:
    shown = TOO_LONG + timedelta(seconds=settings.MP_QR_TTL_SECONDS)
    rows = Charge.objects.filter(state=State.CLOSING, created_at__lt=at - shown).exclude(method=Method.COUNTER)
    return rows.select_related("order").annotate(out_of_place=F("amount"), since=F("created_at"))


def _closing_long_item(charge: Charge) -> Item:
    reason = "O QR ainda não foi fechado no Mercado Pago: se alguém pagar, o dinheiro volta sozinho."
    return _item(charge, "QR aberto demais", reason, charge.order, (_button(Action.ASK_CHARGE),))


def _bare(at: datetime) -> QuerySet[Order]:
    rows = Order.objects.filter(status__in=LIVE, paid_at__gt=at - LOOKED_BACK, total__gt=0)
    rows = rows.exclude(Exists(Charge.objects.filter(order=OuterRef("pk"), pays_order=True)))
    return rows.annotate(out_of_place=F("total"), since=F("paid_at"))


def _bare_item(order: Order) -> Item:
    reason = "O pedido foi à cozinha e nenhuma cobrança o paga: confira o extrato e fale com o suporte."
    return _item(order, "Pedido sem pagamento", reason, order, ())


def _lines(at: datetime) -> QuerySet[ClosingLine]:
    rows = ClosingLine.objects.filter(repaired_at=None).exclude(kind=Kind.KEPT, **_seen_as_bare(at))
    return rows.select_related("closing", "order").annotate(
        out_of_place=Abs(F("theirs") - F("ours")), since=F("found_at")
    )


def _seen_as_bare(at: datetime) -> dict[str, Any]:
    """Leave to the source of orders what it shows itself."""
    return {"order__paid_at__gt": at - LOOKED_BACK, "theirs": ZERO, "order__status__in": LIVE}


def _line(line: ClosingLine) -> Item:
    kind = Kind(line.kind)
    sums = f"Aqui {brl(line.ours)}, lá {brl(line.theirs)} (dia {line.closing.day:%d/%m})."
    reason = f"{line.reason} {sums}"
    actions = ((Action.REPAIR.value, str(REPAIR[kind].label)), _button(Action.NOTE))
    return _item(line, kind.label.capitalize(), reason, line.order, actions)


def _button(action: Action) -> tuple[str, str]:
    return action.value, str(action.label)


def _item(
    row: Any,
    title: str,
    reason: str,
    order: Order | None,
    actions: tuple[tuple[str, str], ...],
    *,
    id_: UUID | None = None,
) -> Item:
    return Item(
        id=id_ or row.id,
        title=title,
        amount=row.out_of_place,
        since=row.since,
        reason=reason,
        order_id=order.id if order else None,
        number=order.number if order else "",
        store_id=row.of_store,
        store=row.store_name,
        actions=actions,
    )


SOURCES = (
    Source(_refunds, _refund, "charge__order__store"),
    Source(_charges_unowed, _charge_unowed, "order__store"),
    Source(_contested, _contested_item, "order__store"),
    Source(_outside, _outside_item, "charge__order__store"),
    Source(_closing_long, _closing_long_item, "order__store", at_risk=True),
    Source(_bare, _bare_item, "store"),
    Source(_lines, _line, "closing__store"),
)
_counts = Memory(_count, seconds=COUNT_SECONDS)
_counts.forget_changes_of(Charge, Refund, ClosingLine)

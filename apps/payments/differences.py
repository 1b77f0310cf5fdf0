"""What our books and the provider's may disagree on, pure: one charge beside one order of theirs."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import TextChoices

from apps.payments.rules import ZERO, ProviderState, RefundState, State, refund_state_from

TOOK_MONEY = ("processed", "refunded", "charged_back")


class Kind(TextChoices):
    """In what way they disagree."""

    ORPHAN = "orphan", "dinheiro lá sem cobrança aqui"
    NOT_HERE = "not_here", "pago lá, não recebido aqui"
    NOT_THERE = "not_there", "recebido aqui, não pago lá"
    AMOUNT = "amount", "valores diferentes"
    REFUND_NOT_HERE = "refund_not_here", "devolvido lá, não anotado aqui"
    REFUND_NOT_THERE = "refund_not_there", "devolvido aqui, não lá"
    CONTESTED = "contested", "contestado pelo banco"
    KEPT = "kept", "pedido e pagamento não batem"


class Repair(TextChoices):
    """What one click does about it."""

    ASK = "ask", "Perguntar de novo"
    GIVE_BACK = "give_back", "Devolver ao cliente"


REPAIR = dict.fromkeys(Kind, Repair.ASK) | {Kind.ORPHAN: Repair.GIVE_BACK}


class ClosingState(TextChoices):
    """How far a closing is."""

    WAITING = "waiting", "na fila"
    LISTING = "listing", "lendo o Mercado Pago"
    ASKING = "asking", "perguntando uma a uma"
    DONE = "done", "conferido"


@dataclass(frozen=True, slots=True)
class Ours:
    """A charge as our books have it, BRL. ``under_way`` is what is promised back and not yet there."""

    state: str
    paid: Decimal
    refunded: Decimal
    under_way: Decimal


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement; ``reason`` is for people."""

    kind: Kind
    ours: Decimal
    theirs: Decimal
    reason: str


def paid_there(told: ProviderState | None) -> Decimal:
    """Return what the provider took for an order, BRL."""
    return told.paid if told is not None and told.status in TOOK_MONEY else ZERO


def refunded_there(told: ProviderState | None, *, final: bool = True) -> Decimal:
    """Return what it has given back; without ``final`` also what is on its way."""
    wanted = (RefundState.DONE,) if final else (RefundState.DONE, RefundState.PROCESSING)
    listed = told.refunds if told is not None else ()
    return sum((each.amount for each in listed if refund_state_from(each.status) in wanted), ZERO)


def differences(ours: Ours, told: ProviderState | None) -> list[Difference]:
    """Compare a charge with what the provider says of it; None: it knows no such order.

    What is on its way back explains a gap, so that nothing is reported which the next minute mends by itself.
    """
    if ours.state == State.CHARGED_BACK:
        return []
    theirs = paid_there(told)
    if told is not None and told.status == "charged_back":
        return [Difference(Kind.CONTESTED, ours.paid, ZERO, "O banco do cliente tomou o dinheiro de volta.")]
    if theirs and not ours.paid:
        return [Difference(Kind.NOT_HERE, ZERO, theirs, "O cliente pagou e o sistema não ficou sabendo.")]
    if ours.paid and not theirs:
        known = "diz que não foi pago" if told is not None else "não conhece esta cobrança"
        return [Difference(Kind.NOT_THERE, ours.paid, ZERO, f"O Mercado Pago {known}.")]
    found = []
    if ours.paid != theirs:
        found.append(Difference(Kind.AMOUNT, ours.paid, theirs, "O Mercado Pago recebeu outro valor."))
    promised, there = ours.refunded + ours.under_way, refunded_there(told, final=False)
    if there > promised:
        reason = "Alguém devolveu direto no Mercado Pago, e o sistema não ficou sabendo."
        found.append(Difference(Kind.REFUND_NOT_HERE, promised, there, reason))
    if there < ours.refunded:
        reason = "O sistema anotou uma devolução que o Mercado Pago não tem."
        found.append(Difference(Kind.REFUND_NOT_THERE, ours.refunded, there, reason))
    return found


def span_of(day: date, *, zone: str, starts_at: time) -> tuple[datetime, datetime]:
    """Return when a store's business day begins, and when the next one does."""
    return tuple(  # type: ignore[return-value]  # of two
        datetime.combine(each, starts_at, ZoneInfo(zone)) for each in (day, day + timedelta(days=1))
    )


def day_at(at: datetime, *, zone: str, starts_at: time) -> date:
    """Return the business day a moment belongs to."""
    local = at.astimezone(ZoneInfo(zone))
    return local.date() - timedelta(days=local.time() < starts_at)

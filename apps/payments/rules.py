"""A charge's life, pure: what the provider's answer means and which way states may move."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import TextChoices


class Method(TextChoices):
    """How a guest pays."""

    MERCADO_PAGO_QR = "mercado_pago_qr", "QR Mercado Pago"
    COUNTER = "counter", "No caixa"


class Tender(TextChoices):
    """What a guest hands over at the counter."""

    CASH = "cash", "dinheiro"
    CARD_MACHINE = "card_machine", "maquininha"


class State(TextChoices):
    """Where a charge stands, named as in the API."""

    CREATING = "creating", "criando"
    QUEUED = "queued", "na fila"
    PENDING = "pending", "aguardando"
    CLOSING = "closing", "encerrando"
    EXPIRED = "expired", "expirada"
    CANCELLED = "cancelled", "cancelada"
    FAILED = "failed", "recusada pelo provedor"
    MISMATCH = "mismatch", "divergente"
    APPROVED = "approved", "aprovada"
    LATE = "late", "paga fora de hora"


OPEN = ("creating", "queued", "pending")
ACTIVE = (*OPEN, "closing")  # somebody still has to ask the provider about these
SETTLED = ("approved", "late")  # the provider has said its last word
PAID = ("approved",)
RANK = {
    State.CREATING: 1,
    State.QUEUED: 1,
    State.PENDING: 2,
    State.CLOSING: 3,
    State.EXPIRED: 4,
    State.CANCELLED: 4,
    State.FAILED: 4,
    State.MISMATCH: 5,
    State.APPROVED: 6,
    State.LATE: 6,
}
FIRST_MINUTE = timedelta(seconds=60)
OFTEN = timedelta(seconds=15)
SELDOM = timedelta(seconds=30)
EAGER = ((timedelta(seconds=6), timedelta(seconds=2)), (timedelta(seconds=15), timedelta(seconds=3)))
EAGER_LATER = timedelta(seconds=5)
POS_DIGITS = 12
HOLD_AFTER_QR = timedelta(seconds=60)
MOST_QR_CODES = 3
ASK_AT_MOST_EVERY = timedelta(seconds=2)  # about one charge, however much news of it there is


STATE_FROM = {
    "processed": State.APPROVED,
    "refunded": State.MISMATCH,  # given back at the provider without us: somebody has to look
    "expired": State.EXPIRED,
    "canceled": State.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class ProviderState:
    """What the provider says of one of its orders; amounts are BRL.

    ``status`` is its own word, ``payment`` the number of the payment once there is one.
    """

    provider_order_id: str
    status: str
    amount: Decimal
    paid: Decimal
    refunded: Decimal
    currency: str
    reference: str
    account: str
    qr_data: str = ""
    expires_at: datetime | None = None
    payment: str = ""


def state_from(provider_status: str) -> State:
    """Translate the provider's word; one we do not know is never a payment."""
    return STATE_FROM.get(provider_status, State.PENDING)


def mismatch(told: ProviderState, *, amount: Decimal, reference: str, account: str) -> str:
    """Return what about a paid order differs from what we asked for, or an empty string."""
    differences = ["devolvido no provedor"] if told.refunded else []
    if told.paid != amount or told.amount != amount:
        differences.append(f"valor {told.paid} em vez de {amount}")
    if told.currency != "BRL":
        differences.append(f"moeda {told.currency or '?'}")
    if told.reference != reference:
        differences.append("referência de outra cobrança")
    if account and told.account != account:
        differences.append("conta de outro vendedor")
    return "; ".join(differences)


def next_check(created_at: datetime, at: datetime, *, eager: bool = False) -> datetime:
    """Return when to ask the provider next about a charge that is not final.

    Args:
        eager: nobody will tell us and a guest looks at the screen: after 2, 4, 6, 9, 12, 15 s, then every 5 s.
    """
    age = at - created_at
    if eager:
        return at + next((gap for until, gap in EAGER if age < until), EAGER_LATER)
    return at + (OFTEN if age < FIRST_MINUTE else SELDOM)


def pos_external_id(store_code: str, device_id: UUID | None = None) -> str:
    """Return the id of a point of sale at the provider, a store's or a kiosk's: letters and digits only, below 40."""
    return f"BM{store_code}{device_id.hex[-POS_DIGITS:].upper() if device_id else ''}"

"""A charge's life, pure: what the provider's answer means and which way states may move."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import TextChoices


class Method(TextChoices):
    """How a guest pays. Nobody asks for ``TRAINING``: in a store for training it is what a QR is."""

    MERCADO_PAGO_QR = "mercado_pago_qr", "QR Mercado Pago"
    COUNTER = "counter", "No caixa"
    TRAINING = "training", "QR de treino"


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
    PARTIALLY_REFUNDED = "partially_refunded", "devolvida em parte"
    REFUNDED = "refunded", "devolvida"
    CHARGED_BACK = "charged_back", "contestada pelo banco"


class RefundState(TextChoices):
    """Where a refund stands."""

    QUEUED = "queued", "na fila"
    SENDING = "sending", "enviada"
    PROCESSING = "processing", "em processamento"
    DONE = "done", "devolvido"
    REFUSED = "refused", "precisa de alguém"


class Cause(TextChoices):
    """Why money goes back."""

    REQUESTED = "requested", "pedido da equipe"
    ORDER_CANCELLED = "order_cancelled", "pedido cancelado"
    ITEM_VOIDED = "item_voided", "item anulado"
    LATE = "late", "paga fora de hora"
    DOUBLE = "double", "paga duas vezes"
    OUTSIDE = "outside", "devolvido direto no provedor"


ZERO = Decimal("0.00")
ASKED_FOR = (Method.MERCADO_PAGO_QR, Method.COUNTER)
OPEN = ("creating", "queued", "pending")
ACTIVE = (*OPEN, "closing")  # somebody still has to ask the provider about these
ENDED = ("refunded", "charged_back")
SETTLED = ("approved", "late", "partially_refunded", *ENDED)  # no longer asked about by the clock
PAID = ("approved", "partially_refunded")
HOLDS_MONEY = (*PAID, "late", "mismatch")
OUT_OF_PLACE = ("closing", "mismatch", "late", "charged_back")  # what the money desk looks for
REFUND_OPEN = ("queued", "sending", "processing")
REFUND_COUNTS = (*REFUND_OPEN, "done")  # a refused one gives nothing back unless it is tried again
KEEPS_ORDER = ("requested", "item_voided", "outside")  # money back while the order goes on
REFUND_MOVES: dict[str, tuple[str, ...]] = {
    "queued": ("sending", "processing", "done", "refused"),
    "sending": ("queued", "processing", "done", "refused"),
    "processing": ("done", "refused"),
    "refused": ("queued", "done"),
}
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
    State.PARTIALLY_REFUNDED: 7,
    State.REFUNDED: 8,
    State.CHARGED_BACK: 9,
}
KEY_LIVES = timedelta(hours=23)  # the provider remembers keys for 24 h
AFTER_BAD_CREDENTIALS = timedelta(minutes=5)
LONGEST_WAIT = timedelta(minutes=10)
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
    "charged_back": State.CHARGED_BACK,
}
REFUSALS = {
    "unsupported_partially_refunds": "O provedor não devolve em parte: devolva tudo e cobre de novo.",
    "refund_amount_exceeds": "O provedor diz que não resta tanto a devolver.",
    "order_already_refunded": "O provedor diz que já devolveu tudo.",
    "invalid_order_status": "O provedor não devolve neste estado.",
    "idempotency_key_already_used": "O provedor já viu esta chave com outro conteúdo.",
}
REFUND_STATE_FROM = {
    "processed": RefundState.DONE,
    "failed": RefundState.REFUSED,
    "rejected": RefundState.REFUSED,
    "canceled": RefundState.REFUSED,
    "cancelled": RefundState.REFUSED,
}


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """One refund as the provider lists it. ``status`` is its own word; the amount is BRL."""

    id: str
    amount: Decimal
    status: str


@dataclass(frozen=True, slots=True)
class ProviderState:
    """What the provider says of one of its orders; amounts are BRL.

    ``status`` is its own word, ``payment`` the number of the payment once there is one, ``pos`` the till it was made at.
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
    payment_id: str = ""
    refunds: tuple[ProviderRefund, ...] = ()
    made_at: datetime | None = None
    pos: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of what the provider has, as far as it is ours."""

    states: tuple[ProviderState, ...]
    is_last: bool


def state_from(provider_status: str) -> State:
    """Translate the provider's word; one we do not know is never a payment."""
    return STATE_FROM.get(provider_status, State.PENDING)


def refund_state_from(provider_status: str) -> RefundState:
    """Translate the provider's word for one of its refunds; one we do not know is not yet money back."""
    return REFUND_STATE_FROM.get(provider_status, RefundState.PROCESSING)


def why_refused(code: str) -> str:
    """Say the provider's refusal of a refund to staff."""
    return f"{REFUSALS.get(code, 'O provedor recusou.')} ({code})"


def worth_a_look(state: str, action: str) -> bool:
    """Tell whether a notification is a reason to ask about a charge in this state.

    A settled one is asked about again only for news of something else than the payment it is settled by.
    """
    return state not in SETTLED or (state not in ENDED and action != "order.processed")


def next_refund_try(attempts: int, at: datetime) -> datetime:
    """Return when to try a refund again that got no answer: after 15 s, then twice as long each time, 10 min at most."""
    return at + min(OFTEN * (1 << min(attempts, 10)), LONGEST_WAIT)


def mismatch(told: ProviderState, *, amount: Decimal, reference: str, account: str) -> str:
    """Return what about a paid order differs from what we asked for, or an empty string."""
    differences = ["devolvido no provedor"] if told.refunded or told.status == "refunded" else []
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

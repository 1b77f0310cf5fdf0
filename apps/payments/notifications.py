"""What a notification names, read without believing any of it. Pure."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from django.db.models import TextChoices

LONGEST_QUERY = 2048


class Kind(TextChoices):
    """What a notification is about, whatever the provider calls it."""

    ORDER = "order", "pedido"
    PAYMENT = "payment", "pagamento"
    MERCHANT_ORDER = "merchant_order", "pedido (forma antiga)"
    CHARGEBACK = "chargeback", "contestação"
    CLAIM = "claim", "reclamação"
    STOP_DELIVERY = "stop_delivery", "suspeita de fraude"
    OTHER = "other", "outro"


class Outcome(TextChoices):
    """What became of a notification."""

    WAITING = "", "esperando"
    UNKNOWN = "unknown", "não é nosso"
    LOOK = "look", "pergunta marcada"
    FINAL = "final", "nada a perguntar"
    SWEPT = "swept", "cobranças abertas verificadas"
    CHARGEBACK = "chargeback", "contestação: ver no provedor"
    NOTED = "noted", "anotado: ver no provedor"


TOPICS = {
    "order": Kind.ORDER,
    "orders": Kind.ORDER,
    "payment": Kind.PAYMENT,
    "merchant_order": Kind.MERCHANT_ORDER,
    "topic_merchant_order_wh": Kind.MERCHANT_ORDER,
    "chargebacks": Kind.CHARGEBACK,
    "topic_chargebacks_wh": Kind.CHARGEBACK,
    "topic_claims_integration_wh": Kind.CLAIM,
    "stop_delivery_op_wh": Kind.STOP_DELIVERY,
}
FOR_PEOPLE = frozenset({Kind.CHARGEBACK, Kind.CLAIM, Kind.STOP_DELIVERY})


@dataclass(frozen=True, slots=True)
class Notification:
    """What it is about. ``topic`` is the provider's own word.

    ``order``, ``reference`` and ``payment`` are names a charge of ours may have at the provider; empty ones were not told.
    """

    topic: str
    kind: Kind
    resource: str
    action: str
    account: str
    version: str
    signed_id: str
    order: str
    reference: str
    payment: str


def read(*, query: str, body: bytes) -> Notification:
    """Read the query and the body of a notification, whatever they are; what cannot be read is empty.

    Topic and id stand in the query in the newer form (``type``, ``data.id``) and in the older one (``topic``, ``id``), and again
    in the body; the query goes first, because only it can be signed.
    """
    asked = dict(parse_qsl(query[:LONGEST_QUERY], errors="replace"))
    told = _json_object(body)
    data = _object(told.get("data"))
    topic = _first(asked.get("type"), asked.get("topic"), told.get("type"), told.get("topic"), longest=40)
    kind = TOPICS.get(topic, Kind.OTHER)
    resource = _first(asked.get("data.id"), asked.get("id"), data.get("id"), _end_of(told.get("resource")), longest=64)
    return Notification(
        topic=topic,
        kind=kind,
        resource=resource,
        action=_first(told.get("action"), longest=40),
        account=_first(told.get("user_id"), longest=32),
        version=_first(data.get("version"), told.get("id"), longest=64),
        signed_id=_first(asked.get("data.id"), longest=64),
        order=resource,
        reference=_first(data.get("external_reference"), told.get("external_reference"), longest=64),
        payment=resource if kind == Kind.PAYMENT else _first(data.get("payment_id"), longest=64),
    )


def _first(*candidates: object, longest: int) -> str:
    """Return the first that is text or a number and not empty, without what Postgres cannot keep in text."""
    for value in candidates:
        if isinstance(value, str | int | float) and not isinstance(value, bool) and (text := _storable(str(value))):
            return text[:longest]
    return ""


def _end_of(address: object) -> str:
    """Return the id at the end of the address by which the older form names a resource."""
    return address.rstrip("/").rpartition("/")[2] if isinstance(address, str) else ""


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        return _object(orjson.loads(body))
    except orjson.JSONDecodeError:
        return {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode(errors="replace").decode()

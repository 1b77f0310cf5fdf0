"""The webhook inbox: one insert when it comes in, a look at the provider later."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from apps.core.facade import News, new_id, tell
from apps.payments.models import Charge, WebhookEvent
from apps.payments.rules import SETTLED

KEPT_HEADERS = ("X-Request-Id", "X-Signature", "X-Retry", "User-Agent", "Content-Type")
BATCH = 100


def receive(*, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
    """Keep one notification as it came; the same one again is kept once. One statement.

    Nothing in it is believed: it only names a resource to ask the provider about.
    """
    data = _json_object(body)
    inner = _object(data.get("data"))
    topic = str(query.get("type") or query.get("topic") or data.get("type") or "")[:40]
    resource = str(query.get("data.id") or query.get("id") or inner.get("id") or "")[:64]
    action = str(data.get("action") or "")[:40]
    told = (topic, resource, action, str(inner.get("version") or data.get("id") or headers.get("X-Request-Id") or ""))
    event_id = new_id()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO payments_webhookevent
                (id, received_at, topic, resource_id, action, signature, dedup_key, headers, body, outcome)
            VALUES (%s, now(), %s, %s, %s, 'unchecked', %s, %s, %s, '')
            ON CONFLICT (dedup_key) DO NOTHING
            """,
            [
                event_id,
                *(_storable(text) for text in (topic, resource, action)),
                hashlib.sha256("\n".join(told).encode(errors="replace")).digest(),
                _storable(orjson.dumps({name: headers[name] for name in KEPT_HEADERS if name in headers}).decode()),
                body,
            ],
        )
    tell(News(type="payments.webhook", store=None, subject=event_id))


@transaction.atomic
def process(*, at: datetime) -> int:
    """Turn waiting notifications into charges to look at now; return how many were handled.

    An id we did not create costs nothing further, and no call.

    Locks: the notifications it takes, until commit; another engine skips them.
    """
    waiting = WebhookEvent.objects.filter(processed_at=None).order_by("received_at")
    events = list(waiting.select_for_update(skip_locked=True)[:BATCH])
    named = {event.resource_id for event in events if event.resource_id}
    ours: dict[str | None, tuple[UUID, str]] = {
        provider_id: (charge_id, state)
        for provider_id, charge_id, state in Charge.objects.filter(provider_order_id__in=named).values_list(
            "provider_order_id", "id", "state"
        )
    }
    for event in events:
        event.processed_at = at
        if event.resource_id not in ours:
            event.outcome = "unknown"
        else:
            event.outcome = "look" if ours[event.resource_id][1] not in SETTLED else "final"
    WebhookEvent.objects.bulk_update(events, ["processed_at", "outcome"])
    to_look_at = [charge_id for charge_id, state in ours.values() if state not in SETTLED]
    Charge.objects.filter(id__in=to_look_at).exclude(state__in=SETTLED).update(next_check_at=at)
    return len(events)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        return _object(orjson.loads(body))
    except orjson.JSONDecodeError:
        return {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _storable(text: str) -> str:
    """Drop what Postgres cannot keep in text."""
    return text.replace("\x00", "").encode(errors="replace").decode()

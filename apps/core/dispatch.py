"""Delivering stored events to their after-commit subscribers; run by the engine, by several at once if need be."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.contracts.events import Envelope
from apps.core import prepared
from apps.core.models import FailedDelivery, StoredEvent

logger = logging.getLogger(__name__)

Handler = Callable[[Envelope], None]
Subscriptions = Mapping[str, Sequence[Handler]]

BATCH = 100
TRIES = 5
MARKED_AT_ONCE = 1000
AWAITED = "WHERE dispatched_at IS NULL AND type = ANY(%s) ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED"
MARK = "UPDATE core_storedevent SET dispatched_at = %s WHERE id = ANY(%s)"
MARK_OTHERS = """
    UPDATE core_storedevent SET dispatched_at = %s WHERE id IN (
        SELECT id FROM core_storedevent WHERE dispatched_at IS NULL AND type <> ALL(%s)
        ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
"""
RECEIPT = "INSERT INTO core_receipt (event_id, handler, handled_at) VALUES (%s, %s, now()) ON CONFLICT DO NOTHING"
BACK_OFF_SECONDS = (1, 5, 30, 120)


def name_of(handler: Handler) -> str:
    """Return the stable name a receipt is kept under, e.g. ``kitchen.on_order_ready``."""
    return f"{handler.__module__.split('.')[1]}.{handler.__name__}"


@transaction.atomic
def deliver_new(subscriptions: Subscriptions, *, at: datetime) -> int:
    """Deliver up to ``BATCH`` events nobody has seen yet, oldest first; return how many were seen to.

    Those that nobody waits for are only marked, many at a time, and not even read. Each handler runs in its own savepoint
    together with its receipt. One that fails is left to ``retry_failed`` and does not hold the others up.

    Locks: the events it takes, until commit; another engine skips them.
    """
    awaited = [type_ for type_, handlers in subscriptions.items() if handlers]
    events = prepared.read(StoredEvent, AWAITED, [awaited, BATCH])
    for event in events:
        for handler in subscriptions.get(event.type, ()):
            error = _handle(event, handler)
            if error:
                _remember_failure(event.id, handler, error, at)
    with connection.cursor() as cursor:
        if events:
            cursor.execute(MARK, [at, [event.id for event in events]])
        cursor.execute(MARK_OTHERS, [at, awaited, MARKED_AT_ONCE])
        return len(events) + int(cursor.rowcount)


@transaction.atomic
def retry_failed(subscriptions: Subscriptions, *, at: datetime) -> int:
    """Try failed deliveries that are due again; return how many were tried.

    Locks: the deliveries it takes, until commit.
    """
    due = FailedDelivery.objects.filter(dead_at=None, next_try_at__lte=at).order_by("next_try_at")
    failures = list(due.select_for_update(skip_locked=True)[:BATCH])
    handlers = {name_of(handler): handler for group in subscriptions.values() for handler in group}
    for failure in failures:
        event = StoredEvent.objects.filter(id=failure.event_id).first()
        handler = handlers.get(failure.handler)
        if event is None or handler is None:
            failure.delete()  # the subscriber was taken out of the program since
            continue
        error = _handle(event, handler)
        if error:
            _remember_failure(event.id, handler, error, at)
        else:
            failure.delete()
    return len(failures)


@transaction.atomic
def revive(*, failure_id: UUID, at: datetime) -> bool:
    """Let a delivery that was given up be tried again from the start; return whether there was one.

    Locks: the delivery, until commit.
    """
    dead = FailedDelivery.objects.filter(id=failure_id, dead_at__isnull=False)
    return bool(dead.update(tries=0, next_try_at=at, dead_at=None))


def _handle(event: StoredEvent, handler: Handler) -> str:
    """Run one handler once; return an empty string or what went wrong."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(RECEIPT, [event.id, name_of(handler)])
                is_new = cursor.rowcount
            if is_new:
                handler(_envelope(event))
    except Exception as problem:
        logger.exception("handler %s failed on event %s", name_of(handler), event.id)
        return repr(problem)[:2000]
    return ""


def _remember_failure(event_id: UUID, handler: Handler, error: str, at: datetime) -> None:
    failure = FailedDelivery.objects.filter(event_id=event_id, handler=name_of(handler)).first()
    if failure is None:
        failure = FailedDelivery(event_id=event_id, handler=name_of(handler), tries=0)
    failure.tries += 1
    failure.error = error
    if failure.tries >= TRIES:
        failure.next_try_at = failure.dead_at = at
        logger.error("event %s is dead for %s after %s tries", event_id, failure.handler, TRIES)
    else:
        failure.next_try_at = at + timedelta(seconds=BACK_OFF_SECONDS[failure.tries - 1])
    failure.save()


def _envelope(event: StoredEvent) -> Envelope:
    return Envelope(
        id=event.id,
        type=event.type,
        version=event.version,
        occurred_at=event.occurred_at,
        store=event.store_id,
        subject=event.subject_id,
        seq=event.seq,
        correlation_id=event.correlation_id,
        payload=event.payload,
    )

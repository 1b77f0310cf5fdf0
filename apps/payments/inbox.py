"""The webhook inbox: one insert when it comes in, a look at the provider later (ADR 0006, 0013)."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import orjson
import psycopg
from django.db import connection, transaction
from django.db.models import F, Q

from apps.core.facade import News, new_id, prepared, tell
from apps.payments import accounts, lines
from apps.payments.models import Charge, WebhookEvent
from apps.payments.notifications import FOR_PEOPLE, Kind, Notification, Outcome
from apps.payments.rules import ASK_AT_MOST_EVERY, ENDED, Method, State, worth_a_look
from apps.payments.signatures import Verdict

logger = logging.getLogger(__name__)

KEPT_HEADERS = ("X-Request-Id", "X-Signature", "X-Retry", "User-Agent", "Content-Type", "Content-Encoding")
LONGEST_HEADER = 512
LONGEST_BODY = 8 * 1024
"""How much is kept of a body; the provider's own are around one KiB."""
BATCH = 100
UNTIED_BATCH = 500
SWEEP_MOST = 5
STRANGE = frozenset({"unknown", "dropped"})
KEPT_TIED = timedelta(days=90)
KEPT_UNTIED = timedelta(days=7)
A_WHILE = timedelta(minutes=1)
PURGE_BATCH = 1000

TIED = """
    WHERE processed_at IS NULL AND charge_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM payments_charge asked WHERE asked.id = charge_id AND asked.leased_until > %s)
    ORDER BY received_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
UNTIED = "WHERE processed_at IS NULL AND charge_id IS NULL ORDER BY received_at LIMIT %s FOR UPDATE SKIP LOCKED"
LOOK_SOON = """
    UPDATE payments_charge SET next_check_at = least(next_check_at, greatest(%s, last_asked_at + make_interval(secs => %s)))
    WHERE id = ANY(%s) AND state <> ALL(%s)
"""
KEEP = """
    WITH tied AS (
        SELECT coalesce(
            (SELECT id FROM payments_charge WHERE provider_order_id = %(order)s),
            (SELECT id FROM payments_charge WHERE reference = %(reference)s),
            (SELECT id FROM payments_charge
             WHERE provider_payment_id = %(payment)s AND provider_payment_id <> '' LIMIT 1)
        ) AS charge
    )
    INSERT INTO payments_webhookevent AS kept
        (id, received_at, topic, kind, resource_id, action, account, signature, dedup_key, headers, body, copies,
         charge_id, processed_at, outcome)
    SELECT %(id)s, now(), %(topic)s, %(kind)s, %(resource)s, %(action)s, %(account)s, %(signature)s, %(dedup_key)s,
        %(headers)s::jsonb, %(body)s, 1, charge,
        CASE WHEN charge IS NULL AND NOT %(waits)s THEN now() END,
        CASE WHEN charge IS NULL AND NOT %(waits)s THEN 'unknown' ELSE '' END
    FROM tied WHERE charge IS NOT NULL OR %(room)s
    ON CONFLICT (dedup_key) DO UPDATE SET copies = kept.copies + 1, charge_id = excluded.charge_id,
        processed_at = excluded.processed_at, outcome = excluded.outcome
    RETURNING charge_id IS NOT NULL, copies
"""


def receive(
    *, told: Notification, verdict: Verdict, headers: dict[str, str], body: bytes, has_room: Callable[[], bool]
) -> str:
    """Keep one notification; a repeat is kept once. One statement.

    One that names no charge of ours is done with at once, and dropped when ``has_room`` says no; the others wait for
    ``process``. Returns what became of it: kept, repeated, unknown or dropped.
    """
    waits = told.kind == Kind.MERCHANT_ORDER or told.kind in FOR_PEOPLE
    version = told.version or headers.get("X-Request-Id", "")
    identity = f"{told.topic}\n{told.resource}\n{told.action}\n{version}\n{verdict}"
    kept_headers = {name: headers[name][:LONGEST_HEADER] for name in KEPT_HEADERS if name in headers}
    event_id = new_id()
    connection.ensure_connection()
    # The driver's own cursor, because Django's has Postgres plan the statement anew each time.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            KEEP,
            {
                "id": event_id,
                "topic": told.topic,
                "kind": told.kind.value,
                "resource": told.resource,
                "action": told.action,
                "account": told.account,
                "signature": verdict.value,
                "dedup_key": hashlib.sha256(identity.encode(errors="replace")).digest(),
                "headers": orjson.dumps(kept_headers).decode().replace("\\u0000", ""),
                "body": body[:LONGEST_BODY],
                "order": told.order,
                "reference": told.reference,
                "payment": told.payment,
                "waits": waits,
                "room": verdict == Verdict.VALID or has_room(),
            },
            prepare=True,
        )
        row = cursor.fetchone()
    if row is None:
        return "dropped"
    tied, copies = row
    if tied or waits:
        tell(News(type="payments.webhook", store=None, subject=event_id))
    if copies > 1:
        return "repeated"
    return "kept" if tied or waits else "unknown"


def process(*, at: datetime) -> int:
    """Turn waiting notifications into charges to look at now; return how many were handled.

    Locks: the notifications it takes, then their charges by id, until commit; another engine skips them.
    """
    return _process_tied(at) + _process_untied(at)


@transaction.atomic
def _process_tied(at: datetime) -> int:
    """Make the charges due, each once in ``ASK_AT_MOST_EVERY`` however much news of it there is.

    News of a charge that the provider is being asked about right now waits for the end of that question, whose answer may be
    older than the news.
    """
    events = prepared.read(WebhookEvent, TIED, [at, BATCH])
    if not events:
        return 0
    named = {event.charge_id for event in events if event.charge_id}
    known = prepared.read(Charge, "WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [[*named]])
    state_of = {charge.id: charge.state for charge in known}
    for event in events:
        event.processed_at = at
        if event.kind in FOR_PEOPLE:
            event.outcome = _call_people(event)
        else:
            worth = event.charge_id is not None and worth_a_look(state_of[event.charge_id], event.action)
            event.outcome = Outcome.LOOK if worth else Outcome.FINAL
    lines.heard({accounts.key_of(charge) for charge in known}, at=at)
    for event in events:
        prepared.update(event, ("processed_at", "outcome"))
    asks = (Outcome.LOOK, Outcome.CHARGEBACK)  # of what a bank has taken back, the provider's order says so too
    to_look_at = {event.charge_id for event in events if event.outcome in asks and event.charge_id}
    _look_soon(to_look_at, at)
    return len(events)


@transaction.atomic
def _process_untied(at: datetime) -> int:
    """See to what names no charge: call people, or look at the charges that guests are paying just now.

    A ``merchant_order`` carries a number we were never told. Looking that number up would let anybody make us call out, so
    our own open charges of the same account are asked about instead: ``SWEEP_MOST`` of them, those not asked about for
    longest, once in ``ASK_AT_MOST_EVERY``. What comes too soon waits for the next time.
    """
    events = prepared.read(WebhookEvent, UNTIED, [UNTIED_BATCH])
    done = []
    sweeps: dict[str, bool] = {}
    for event in events:
        if event.kind == Kind.MERCHANT_ORDER:
            if event.account not in sweeps:
                sweeps[event.account] = _sweep(event.account, at)
            if not sweeps[event.account]:
                continue
            event.outcome = Outcome.SWEPT
        else:
            event.outcome = _call_people(event) if event.kind in FOR_PEOPLE else Outcome.UNKNOWN
        event.processed_at = at
        done.append(event)
    WebhookEvent.objects.bulk_update(done, ["processed_at", "outcome"])
    return len(done)


def _sweep(account: str, at: datetime) -> bool:
    """Make open charges of one account due, of all when none is told; False when that was done a moment ago."""
    lately = at - ASK_AT_MOST_EVERY
    swept = WebhookEvent.objects.filter(charge=None, outcome=Outcome.SWEPT, account=account)
    if swept.filter(received_at__gt=at - A_WHILE, processed_at__gt=lately).exists():
        return False
    charges = Charge.objects.filter(state=State.PENDING, method=Method.MERCADO_PAGO_QR)
    charges = charges.filter(Q(last_asked_at=None) | Q(last_asked_at__lte=lately))
    if account:
        charges = charges.filter(provider_account=account)
    asked_longest_ago = charges.order_by(F("last_asked_at").asc(nulls_first=True))
    ids = list(asked_longest_ago.select_for_update(skip_locked=True).values_list("id", flat=True)[:SWEEP_MOST])
    _look_soon(ids, at)
    return True


def _look_soon(charges: Iterable[UUID], at: datetime) -> None:
    """Make charges due now, or as soon as they were not asked about for ``ASK_AT_MOST_EVERY``; never later than before."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK_SOON, [at, ASK_AT_MOST_EVERY.total_seconds(), [*charges], [*ENDED]])


def _call_people(event: WebhookEvent) -> Outcome:
    """Tell people of what no program decides; loudly only when it names a charge or is signed."""
    say = logger.error if event.charge_id or event.signature == Verdict.VALID else logger.warning
    say("provider reports a %s: %s, charge %s", event.kind, event.resource_id, event.charge_id or "unknown")
    return Outcome.CHARGEBACK if event.kind == Kind.CHARGEBACK else Outcome.NOTED


def look_again(*, event_ids: Sequence[UUID]) -> int:
    """Let the engine handle notifications anew, as if they had just come; return how many name a charge.

    Locks: the notifications, for the length of one statement.
    """
    events = WebhookEvent.objects.filter(id__in=event_ids, charge__isnull=False)
    return events.update(processed_at=None, outcome=Outcome.WAITING)


def purge(at: datetime) -> int:
    """Delete a batch of what is too old: notifications of ours after 90 days, others after 7; return how many."""
    tied, untied = Q(charge__isnull=False), Q(charge=None)
    old = (
        tied & Q(received_at__lt=at - KEPT_TIED),
        untied & Q(received_at__lt=at - KEPT_UNTIED),
    )
    return sum(map(_purge_batch, old))


def _purge_batch(too_old: Q) -> int:
    events = WebhookEvent.objects.filter(too_old, processed_at__isnull=False).order_by("received_at")
    deleted, _ = WebhookEvent.objects.filter(id__in=list(events.values_list("id", flat=True)[:PURGE_BATCH])).delete()
    return deleted

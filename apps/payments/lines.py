"""The ways to the provider, one row an account, shared by all processes.

They live in Postgres, without which no charge is worked on anyway (ADR-0012). Every function commits by itself and is never
called with a transaction open, so no lock is held over a call.
"""

import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from apps.core.facade import prepared
from apps.payments import breaker
from apps.payments.errors import ProviderUnavailableError
from apps.payments.models import ProviderLine

logger = logging.getLogger(__name__)

DEAF_AFTER = timedelta(days=7)
# ``breaker.enter`` of a way that is open and has enough in its bucket, which is nearly always: one statement, one short lock.
GO = """
    UPDATE payments_providerline SET
        tokens = least(tokens + greatest(extract(epoch FROM statement_timestamp() - filled_at)::float8, 0) * %(rate)s::float8,
            %(size)s::float8) - 1,
        filled_at = greatest(statement_timestamp(), filled_at)
    WHERE key = %(key)s AND shut_until IS NULL AND %(needed)s::float8 <= least(
        tokens + greatest(extract(epoch FROM statement_timestamp() - filled_at)::float8, 0) * %(rate)s::float8,
        %(size)s::float8)
"""
WAY_FIELDS = ("tokens", "filled_at", "outcomes", "shut_until", "trying_until", "refused")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # since then any bucket has filled up


@transaction.atomic(durable=True)
def enter(key: str, *, patient: bool) -> bool:
    """Take one call's place on the way to an account; return True for the one call that tries a way that was shut.

    Raises:
        ProviderUnavailableError: not now; says when.

    Locks: the line, for this one step.
    """
    size, rate = breaker.size_of(settings.MP_RATE), settings.MP_RATE
    with connection.cursor() as cursor:
        least = breaker.needed(rate, patient=patient)
        cursor.execute(GO, {"key": key, "size": size, "rate": rate, "needed": least})
        if cursor.rowcount:
            return False
    line, now = _for_update(key)
    way, verdict = breaker.enter(line.way, now, rate=settings.MP_RATE, patient=patient)
    _keep(line, way)
    if verdict.wait:
        reason = "over its rate" if breaker.passage(way, now) == breaker.Passage.OPEN else "shut"
        raise ProviderUnavailableError(f"the way to account {key} is {reason}", retry_after=verdict.wait)
    return verdict.trial


def leave(key: str, outcome: breaker.Outcome, *, trial: bool) -> None:
    """Record what became of a call that was let in.

    Locks: the line, for this one step; none, and nothing is written, while all goes well.
    """
    if outcome == breaker.Outcome.ANSWERED:
        known = prepared.read_one(ProviderLine, "WHERE key = %s", [key])
        if known is not None and known.shut_until is None and not known.outcomes:
            return
    _note(key, outcome, trial=trial)


@transaction.atomic(durable=True)
def _note(key: str, outcome: breaker.Outcome, *, trial: bool) -> None:
    line, now = _for_update(key)
    before = breaker.passage(line.way, now)
    way = breaker.leave(line.way, now, outcome, trial=trial)
    _keep(line, way)
    after = breaker.passage(way, now)
    if after == breaker.Passage.REFUSED:
        logger.error("the provider refuses the access token of account %s", key)
    elif after != before:
        logger.warning("the way to account %s at the provider is %s", key, after)


def forgive(key: str) -> None:
    """Open the way at once: the account has new credentials."""
    ProviderLine.objects.filter(key=key).update(shut_until=None, trying_until=None, refused=False, outcomes=[])


def heard(keys: Collection[str], *, at: datetime) -> None:
    """Remember that the provider's notifications reach us for these accounts. One statement."""
    ProviderLine.objects.filter(key__in=keys).update(last_webhook_at=at)


def is_deaf(key: str, at: datetime) -> bool:
    """Tell whether no notification has come for an account in the last week, as in a shop behind a closed router."""
    return not prepared.read(ProviderLine, "WHERE key = %s AND last_webhook_at > %s", [key, at - DEAF_AFTER])


def passages(now: datetime) -> dict[str, breaker.Passage]:
    """Return how every account's way stands. One query."""
    return {line.key: breaker.passage(line.way, now) for line in ProviderLine.objects.all()}


def _for_update(key: str) -> tuple[ProviderLine, datetime]:
    """Lock an account's line, by the database's clock, which all processes share."""
    line = prepared.read_one(ProviderLine, "WHERE key = %s FOR UPDATE", [key])
    if line is None:
        ProviderLine.objects.bulk_create([ProviderLine(key=key, filled_at=LONG_AGO)], ignore_conflicts=True)
        (line,) = prepared.read(ProviderLine, "WHERE key = %s FOR UPDATE", [key])
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        return line, cursor.fetchone()[0]


def _keep(line: ProviderLine, way: breaker.Way) -> None:
    if way != line.way:
        line.way = way
        prepared.update(line, WAY_FIELDS)

"""Limits that protect people: counted in Postgres, so that all processes share them and no lost cache opens them.

A limit allows ``most`` calls in any ``seconds``: the calls of the present window plus, weighted by how much of it still
reaches into the last ``seconds``, those of the window before. A refused call is not counted, so that whoever keeps
knocking is let in again as soon as the limit allows it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from apps.core.errors import DomainError
from apps.core.models import RateWindow

KEPT = timedelta(days=2)
LONGEST_SECONDS = 24 * 60 * 60
IPV6_NETWORK = 64  # what one household gets; its addresses cost nothing

EARLIER = """
    earlier AS (
        SELECT coalesce(max(count), 0) * %(weight)s::double precision AS calls FROM core_ratewindow
        WHERE scope = %(scope)s AND key_hash = %(key)s AND window_start = %(before)s
    )
"""
COUNT_ONE = """
    INSERT INTO core_ratewindow AS present (scope, key_hash, window_start, count)
    SELECT %(scope)s, %(key)s, %(start)s, 1 FROM earlier WHERE earlier.calls + 1 <= %(most)s {unless}
    ON CONFLICT (scope, key_hash, window_start) DO UPDATE SET count = present.count + 1
    WHERE present.count + 1 + (SELECT calls FROM earlier) <= %(most)s
    RETURNING count
"""
COUNT = f"WITH {EARLIER} {COUNT_ONE.format(unless='')}"


class LimitedError(DomainError):
    """Too many calls; ``retry_after_seconds`` says when the next one is let in."""

    code = "throttled"
    status = 429
    title = "Muitas tentativas"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("Aguarde um pouco e tente de novo.")
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` calls of one ``key`` in ``seconds``; ``scope`` names what is counted."""

    scope: str
    key: str
    most: int
    seconds: int


def hit(limits: Sequence[Limit], *, at: datetime) -> None:
    """Count one call under several limits, or under none of them when one is used up. One statement a limit.

    Give them from the narrowest to the widest: a caller over its own limit then takes nothing from the shared one.

    Raises:
        LimitedError: one of the limits is used up.

    Locks: the windows in the order given, until all are counted; commits by itself, whatever becomes of the request.
    """
    with transaction.atomic(durable=True):
        for limit in limits:
            if not _counted(limit, at):
                raise LimitedError(wait_seconds(limit, at))


def give_back(limits: Sequence[Limit], *, at: datetime) -> None:
    """Uncount a call that ``hit`` counted at this moment: it turned out to be one that the limits are not for.

    Locks: the windows in the order given, until all are done; commits by itself.
    """
    with transaction.atomic(durable=True):
        for limit in limits:
            window = RateWindow.objects.filter(
                scope=limit.scope, key_hash=_hashed(limit.key), window_start=_window_start(limit, at)
            )
            if not window.filter(count__gt=1).update(count=F("count") - 1):
                window.filter(count=1).delete()


def purge(at: datetime) -> int:
    """Delete windows that no limit looks at any more; return how many."""
    deleted, _ = RateWindow.objects.filter(window_start__lt=at - KEPT).delete()
    return deleted


def client_address(request: HttpRequest) -> str:
    """Return the network a request came from: an IPv4 address, or the /64 of an IPv6 one.

    ``X-Forwarded-For`` is believed only from the right and only for ``NUM_PROXIES`` steps, because everything further to
    the left was written by the client.
    """
    address = request.META.get("REMOTE_ADDR", "")
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    if 0 < settings.NUM_PROXIES <= len(hops):
        address = hops[-settings.NUM_PROXIES].strip() or address
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(IPv6Address(int(parsed) >> IPV6_NETWORK << IPV6_NETWORK))
    return str(parsed)


def parameters(limit: Limit, at: datetime) -> dict[str, str | bytes | int | float | datetime]:
    """Return what ``COUNT`` has to be told to count one call now."""
    start = _window_start(limit, at)
    return {
        "scope": limit.scope,
        "key": _hashed(limit.key),
        "start": start,
        "before": start - timedelta(seconds=limit.seconds),
        "weight": 1 - _gone(limit, at),
        "most": limit.most,
    }


def _counted(limit: Limit, at: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, parameters(limit, at))
        return cursor.fetchone() is not None


def wait_seconds(limit: Limit, at: datetime) -> int:
    """Return how long until one more call fits, when nobody calls in between."""
    start = _window_start(limit, at)
    before = start - timedelta(seconds=limit.seconds)
    rows = RateWindow.objects.filter(scope=limit.scope, key_hash=_hashed(limit.key), window_start__in=[start, before])
    counts = dict(rows.values_list("window_start", "count"))
    present, earlier = counts.get(start, 0), counts.get(before, 0)
    if present + 1 <= limit.most and earlier:
        fits_at = 1 - (limit.most - present - 1) / earlier
    else:
        fits_at = 2 - (limit.most - 1) / max(present, 1)
    return max(1, math.ceil((fits_at - _gone(limit, at)) * limit.seconds))


def _window_start(limit: Limit, at: datetime) -> datetime:
    if not 0 < limit.seconds <= LONGEST_SECONDS:
        raise ValueError(limit.seconds)
    return datetime.fromtimestamp(at.timestamp() // limit.seconds * limit.seconds, UTC)


def _gone(limit: Limit, at: datetime) -> float:
    """Return which part of the present window has passed, 0 to 1."""
    return at.timestamp() % limit.seconds / limit.seconds


def _hashed(key: str) -> bytes:
    """Return what is kept of a key, which may be an address: useless without our secret."""
    return salted_hmac("breadmate.limits", key, algorithm="sha256").digest()

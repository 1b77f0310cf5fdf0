"""Waking other processes through Redis, as fast as it goes and never as the only way.

Whoever listens also looks into Postgres at least once a second, so a lost message costs time and nothing else.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import orjson
import redis
from django.conf import settings

from apps.contracts.events import Event

logger = logging.getLogger(__name__)

CHANNEL = "breadmate:events"
QUIET_AFTER_FAILURE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class News:
    """What a listener learns: which store and which row, no more; the row itself is in Postgres.

    ``seq`` is the event's, and 0 for what is no event.
    """

    type: str
    store: UUID | None
    subject: UUID
    seq: int = 0


class _Publisher:
    """One client a process; after a failure it stays quiet for a moment instead of slowing every request."""

    def __init__(self) -> None:
        self.client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.2, socket_timeout=0.2)
        self.quiet_until = 0.0

    def send(self, message: bytes) -> None:
        if time.monotonic() < self.quiet_until:
            return
        try:
            self.client.publish(CHANNEL, message)
        except redis.RedisError:
            self.quiet_until = time.monotonic() + QUIET_AFTER_FAILURE_SECONDS
            logger.warning("redis is away, listeners fall back to looking")


@cache
def _publisher() -> _Publisher:
    return _Publisher()


def announce(events: Iterable[Event]) -> None:
    """Tell listeners of committed events, in one message."""
    _send([News(type=event.type, store=event.store, subject=event.subject, seq=event.seq) for event in events])


def tell(news: News) -> None:
    """Send one piece of news; does nothing without Redis."""
    _send([news])


def _send(news: list[News]) -> None:
    if settings.REDIS_URL and news:
        _publisher().send(message_of(news))


def message_of(news: list[News]) -> bytes:
    """Write what ``parse`` reads."""
    return orjson.dumps(news)


def parse(message: bytes) -> list[News]:
    """Read one message; anything malformed is nobody's news."""
    try:
        return [
            News(
                type=str(each["type"]),
                store=UUID(each["store"]) if each["store"] else None,
                subject=UUID(each["subject"]),
                seq=int(each["seq"]),
            )
            for each in orjson.loads(message)
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def listen(*, timeout_seconds: float) -> Iterator[News | None]:
    """Yield news, and None whenever ``timeout_seconds`` pass without any.

    Raises:
        redis.RedisError: the connection is gone; the caller waits a little and calls again.
    """
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=timeout_seconds + 5)
    with client.pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]
        pubsub.subscribe(CHANNEL)
        while True:
            message = pubsub.get_message(timeout=timeout_seconds)
            if message:
                yield from parse(message["data"])
            else:
                yield None

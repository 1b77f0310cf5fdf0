"""What the processes of one installation share through Redis. Gone, flushed or garbled, it costs time and nothing else."""

import logging
import time
from functools import cache

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

QUIET_AFTER_FAILURE_SECONDS = 2.0
PREFIX = "breadmate:catalog:"


class Shared:
    """One client a process; after a failure it leaves Redis alone for a moment instead of slowing every request."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_connect_timeout=0.2, socket_timeout=0.2) if url else None
        self._quiet_until = 0.0

    def get(self, key: str) -> bytes | None:
        """Return what is kept under a key, or None."""
        if self._client is None or time.monotonic() < self._quiet_until:
            return None
        try:
            found = self._client.get(PREFIX + key)
        except redis.RedisError:
            self._failed()
            return None
        return found if isinstance(found, bytes) else None

    def put(self, key: str, value: bytes, seconds: int) -> None:
        """Keep a value for so long."""
        if self._client is None or time.monotonic() < self._quiet_until:
            return
        try:
            self._client.set(PREFIX + key, value, ex=seconds)
        except redis.RedisError:
            self._failed()

    def _failed(self) -> None:
        self._quiet_until = time.monotonic() + QUIET_AFTER_FAILURE_SECONDS
        logger.warning("redis is away, menus come from memory and from the database")


@cache
def shared() -> Shared:
    """Return this process's client."""
    return Shared(settings.REDIS_URL)

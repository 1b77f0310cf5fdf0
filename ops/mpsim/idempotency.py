"""Idempotency keys: for 24 hours the same request is answered with the same bytes."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ops.mpsim.errors import ApiError

LIFETIME = timedelta(hours=24)

Scope = tuple[str, str, str, str]
"""Token, method, path and key."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer as it was first given."""

    fingerprint: str
    status: int
    body: bytes
    at: datetime


class Keys:
    """Remembers successful answers by key; refusals are not kept, so a mended request may reuse its key."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.busy: set[Scope] = set()
        self.kept: dict[Scope, Kept] = {}

    def begin(self, scope: Scope, body: bytes) -> Kept | None:
        """Claim a key, or return the answer it already has.

        Raises:
            ApiError: 409 when the key was used with another body, 423 while its first request is still at work.
        """
        with self._lock:
            kept = self.kept.get(scope)
            if kept is not None and self._now() - kept.at < LIFETIME:
                if kept.fingerprint != fingerprint(body):
                    raise ApiError(409, "idempotency_key_already_used", "The key was used with another request.")
                return kept
            if scope in self.busy:
                raise ApiError(423, "resource_locked", "A request with this key is being processed.")
            self.busy.add(scope)
            return None

    def keep(self, scope: Scope, body: bytes, status: int, answer: bytes) -> None:
        """Store the answer of a claimed key."""
        with self._lock:
            self.kept[scope] = Kept(fingerprint(body), status, answer, self._now())

    def release(self, scope: Scope) -> None:
        """Give a claimed key back, whether or not its answer was kept."""
        with self._lock:
            self.busy.discard(scope)

    def clear(self) -> None:
        """Forget every answer."""
        with self._lock:
            self.kept.clear()


def fingerprint(body: bytes) -> str:
    """Return what two equal bodies have in common."""
    return hashlib.sha256(body).hexdigest()

"""Whose menu a device means that names no store. A menu is public: a remembered answer lets nobody in anywhere."""

import hashlib
import time
from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest

from apps.catalog.shared import Shared, shared

REMEMBERED_SECONDS = 5.0
KEPT_SECONDS = 24 * 60 * 60
MOST = 4096


class Askers:
    """The stores of the credentials this process has seen; only hashes are kept of them."""

    def __init__(self, shared_bytes: Callable[[], Shared], clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared_bytes
        self._clock = clock
        self._stores: dict[bytes, tuple[UUID, float]] = {}

    def store_of(self, credential: bytes) -> UUID | None:
        """Return the store of a credential checked in the last five seconds, or None."""
        found = self._stores.get(credential)
        return found[0] if found and self._clock() - found[1] < REMEMBERED_SECONDS else None

    def has_seen(self, credential: bytes) -> bool:
        """Tell whether a credential was good when this process last checked it, however long ago; good enough to count by."""
        return credential in self._stores

    def last_store_of(self, credential: bytes) -> UUID | None:
        """Return the store a credential had when it was last checked by any process; for when the database is away."""
        found = self._stores.get(credential)
        if found:
            return found[0]
        try:
            return UUID(bytes=self._shared().get(_name(credential)) or b"")
        except ValueError:
            return None

    def remember(self, credential: bytes, store_id: UUID) -> None:
        """Keep what a credential was just checked to be."""
        if credential not in self._stores:
            if len(self._stores) >= MOST:
                self._stores.clear()
            self._shared().put(_name(credential), store_id.bytes, KEPT_SECONDS)
        self._stores[credential] = (store_id, self._clock())


def credential_of(request: HttpRequest) -> bytes:
    """Return the hash of everything in a request that may say which device calls."""
    meta = request.META  # not .headers: reading all of them costs more than the answer
    told = (
        meta.get("HTTP_AUTHORIZATION", ""),
        request.COOKIES.get("bm_device", ""),
        meta.get("HTTP_X_DEVICE_KIND", ""),
    )
    return hashlib.sha256("\0".join(told).encode()).digest()


def _name(credential: bytes) -> str:
    return f"asker:{credential.hex()}"


askers = Askers(shared)

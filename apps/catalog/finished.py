"""A store's menu as finished bytes: from this process's memory, else from Redis, else built from Postgres.

Which version is true is said by Postgres alone, asked by each process at most once a second and store. So a kiosk never
hears an old price later than ``NEVER_OLDER_SECONDS`` after the change; while the database is away it hears the last known.
"""

import gzip
import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import InterfaceError, OperationalError

from apps.catalog.document import menu_document, valid_until
from apps.catalog.queries import menu_snapshot, menu_version
from apps.catalog.shared import Shared, shared
from apps.core.facade import NotFoundError
from apps.stores.facade import store_by_id

logger = logging.getLogger(__name__)

LANGUAGES = ("pt-BR",)
FRESH_SECONDS = 1.0
NEVER_OLDER_SECONDS = 1.8
WAIT_SECONDS = 2.5
KEPT = timedelta(minutes=30)
LAST_KNOWN_SECONDS = 7 * 24 * 60 * 60
SHAPE = "5"  # raised with every change to the document's shape, so that a new release reads no bytes of an old one
AWAY = (OperationalError, InterfaceError)


def language_of(asked: str) -> str:
    """Return the language a menu is told in."""
    return asked if asked in LANGUAGES else LANGUAGES[0]


@dataclass(frozen=True, slots=True)
class Finished:
    """One menu as it goes out. ``valid_until`` is when the clock alone makes it another one."""

    version: int
    valid_until: datetime | None
    built_at: datetime
    etag: str
    plain: bytes
    gzipped: bytes

    def good_at(self, at: datetime) -> bool:
        """Tell whether it still says the truth, as far as the clock goes."""
        return (self.valid_until is None or at < self.valid_until) and at - self.built_at < KEPT

    def packed(self) -> bytes:
        """Return it as one piece for Redis."""
        head = {
            "version": self.version,
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
            "built_at": self.built_at.isoformat(),
            "etag": self.etag,
            "plain": len(self.plain),
        }
        return orjson.dumps(head) + b"\n" + self.plain + self.gzipped

    @classmethod
    def unpacked(cls, piece: bytes | None) -> "Finished | None":
        """Read it back; nothing, and anything that is not ours, is None."""
        try:
            head, _, rest = (piece or b"").partition(b"\n")
            told = orjson.loads(head)
            end = told["valid_until"]
            menu = cls(
                version=told["version"],
                valid_until=datetime.fromisoformat(end) if end else None,
                built_at=datetime.fromisoformat(told["built_at"]),
                etag=told["etag"],
                plain=rest[: told["plain"]],
                gzipped=rest[told["plain"] :],
            )
        except (ValueError, KeyError, TypeError):
            return None
        return menu if menu.etag == etag_of(menu.plain) else None


def etag_of(body: bytes) -> str:
    """Return the name of these bytes."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class _Known:
    """What memory holds; ``checked_at`` is on the shelf's clock, before Postgres was asked."""

    menu: Finished
    checked_at: float
    stale: bool


class Shelf:
    """The menus this process holds. ``clock`` counts seconds and never runs back."""

    def __init__(self, shared_bytes: Callable[[], Shared], clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared_bytes
        self._clock = clock
        self._known: dict[tuple[UUID, str], _Known] = {}
        self._locks = [threading.Lock() for _ in range(64)]

    def at_hand(self, store_id: UUID, language: str, at: datetime) -> tuple[Finished, bool] | None:
        """Return what may be told without asking anybody, and whether it is stale; else None."""
        known = self._known.get((store_id, language))
        if known is None or self._clock() - known.checked_at >= FRESH_SECONDS:
            return None
        return (known.menu, known.stale) if known.stale or known.menu.good_at(at) else None

    def menu(self, store_id: UUID, language: str, at: datetime) -> tuple[Finished, bool]:
        """Return a store's menu, and whether it is only the last known because the database is away.

        One thread asks and builds; the others tell what is known meanwhile, as long as it is young enough, and wait else.

        Raises:
            NotFoundError: no such store.
            OperationalError, InterfaceError: the database is away, and nobody here or in Redis knows this menu.
        """
        at_hand = self.at_hand(store_id, language, at)
        if at_hand is not None:
            return at_hand
        key = (store_id, language)
        known = self._known.get(key)
        lock = self._locks[hash(key) % len(self._locks)]
        if not lock.acquire(blocking=False):
            if known is not None and self._may_bridge(known, at):
                return known.menu, known.stale
            if not lock.acquire(timeout=WAIT_SECONDS):
                return self._last_known(key, None)
        try:
            return self.at_hand(store_id, language, at) or self._checked(key, at)
        finally:
            lock.release()

    def doubt(self, store_id: UUID) -> None:
        """Ask Postgres before this store's menu is told again."""
        for (store, language), known in list(self._known.items()):
            if store == store_id:
                self._known[store, language] = replace(known, checked_at=float("-inf"))

    def _may_bridge(self, known: _Known, at: datetime) -> bool:
        return known.stale or (self._clock() - known.checked_at < NEVER_OLDER_SECONDS and known.menu.good_at(at))

    def _checked(self, key: tuple[UUID, str], at: datetime) -> tuple[Finished, bool]:
        asked_at = self._clock()
        known = self._known.get(key)
        try:
            version = menu_version(key[0])
            if known is not None and known.menu.version == version and known.menu.good_at(at):
                menu = known.menu
            else:
                menu = self._fetched(key, version, at)
        except AWAY as problem:
            return self._last_known(key, problem)
        self._known[key] = _Known(menu, asked_at, stale=False)
        return menu, False

    def _fetched(self, key: tuple[UUID, str], version: int, at: datetime) -> Finished:
        store_id, language = key
        release = f"{SHAPE}{getattr(staticfiles_storage, 'manifest_hash', '')}"
        name = f"menu:{release}:{store_id}:{language}:{version}"
        menu = Finished.unpacked(self._shared().get(name))
        if menu is None or menu.version != version or not menu.good_at(at):
            menu = build(store_id, language, at)
            if menu.version == version:
                self._shared().put(name, menu.packed(), int(KEPT.total_seconds()))
            self._shared().put(_last_name(key), menu.packed(), LAST_KNOWN_SECONDS)
        return menu

    def _last_known(self, key: tuple[UUID, str], problem: Exception | None) -> tuple[Finished, bool]:
        known = self._known.get(key)
        menu = known.menu if known else Finished.unpacked(self._shared().get(_last_name(key)))
        if menu is None:
            raise problem or OperationalError("the database does not answer")
        if known is None or not known.stale:
            logger.warning("the database is away, menus are the last known: %r", problem)
        self._known[key] = _Known(menu, self._clock(), stale=True)
        return menu, True


def build(store_id: UUID, language: str, at: datetime) -> Finished:
    """Make the bytes of a menu from Postgres.

    Raises:
        NotFoundError: no such store.
    """
    store = store_by_id(store_id)
    if store is None:
        raise NotFoundError("Esta loja não existe.")
    menu = menu_snapshot(store_id)
    body = orjson.dumps(menu_document(menu, store, language, at))
    return Finished(
        version=menu.version,
        valid_until=valid_until(menu, at),
        built_at=at,
        etag=etag_of(body),
        plain=body,
        gzipped=gzip.compress(body, 6, mtime=0),
    )


def _last_name(key: tuple[UUID, str]) -> str:
    return f"menu:{SHAPE}:{key[0]}:{key[1]}:last"


shelf = Shelf(shared)

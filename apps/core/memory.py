"""What a process remembers for a moment instead of asking Postgres again."""

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import models, transaction
from django.db.models.signals import post_delete, post_save

K = TypeVar("K")
V = TypeVar("V")

MOST = 4096


class Memory(Generic[K, V]):
    """Answers of ``read``, each at most ``seconds`` old and shared by the threads of this process; None is always asked again."""

    def __init__(
        self, read: Callable[[K], V | None], *, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._clock = clock
        self._known: dict[K, tuple[V, float]] = {}

    def get(self, key: K) -> V | None:
        """Return what is known of a key, or read it now."""
        found = self._known.get(key)
        if found is not None and self._clock() - found[1] < self._seconds:
            return found[0]
        read_at = self._clock()
        value = self._read(key)
        if value is None:
            self._known.pop(key, None)
            return None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = (value, read_at)
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._known = {}

    def forget_changes_of(self, *changed: type[models.Model]) -> None:
        """Forget everything whenever a row of these models is saved or deleted in this process, and when that is committed."""

        def forget(**_: Any) -> None:
            self.clear()
            transaction.on_commit(self.clear)

        for model in changed:
            post_save.connect(forget, sender=model, weak=False)
            post_delete.connect(forget, sender=model, weak=False)

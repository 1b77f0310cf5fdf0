"""What happened, in order: every merchant request and every webhook attempt."""

import threading
from collections import deque
from typing import Any

from ops.mpsim.clock import Clock, stamp

KEPT = 10_000

Entry = dict[str, Any]


class Journal:
    """Numbered entries, the newest ``KEPT`` of them; a request is listed before it is answered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._last = 0

    def add(self, kind: str, **facts: object) -> Entry:
        """Write an entry and return it, to be amended later."""
        with self._lock:
            self._last += 1
            entry: Entry = {"seq": self._last, "kind": kind, "at": stamp(self._clock.now()), **facts}
            self._entries.append(entry)
            return entry

    def amend(self, entry: Entry, **facts: object) -> None:
        """Add facts to an entry."""
        with self._lock:
            entry.update(facts)

    def since(self, seq: int) -> dict[str, object]:
        """Return the entries after a number, oldest first, and the last number given."""
        with self._lock:
            return {"last": self._last, "entries": [dict(entry) for entry in self._entries if entry["seq"] > seq]}

    def clear(self) -> None:
        """Forget the entries; numbers go on."""
        with self._lock:
            self._entries.clear()

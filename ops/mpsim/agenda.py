"""One thread that calls functions when the simulator's clock reaches their time."""

import heapq
import itertools
import threading
import traceback
from collections.abc import Callable
from datetime import datetime

from ops.mpsim.clock import Clock


class Agenda:
    """Runs short callbacks in order of their due time; anything slow belongs on another thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="mpsim-agenda", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def at(self, due: datetime, call: Callable[[], None]) -> None:
        """Have ``call`` run once the clock has reached ``due``."""
        with self._changed:
            heapq.heappush(self._entries, (due, next(self._numbers), call))
            self._changed.notify()

    def wake(self) -> None:
        """Look at the clock again: it was moved."""
        with self._changed:
            self._changed.notify()

    def clear(self) -> None:
        """Forget everything planned."""
        with self._changed:
            self._entries.clear()

    def stop(self) -> None:
        """End the thread; what is planned is not run."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(1.0)

    def _run(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except Exception:  # noqa: BLE001 - one failed callback must not end the others
                traceback.print_exc()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._stopped:
                if not self._entries:
                    self._changed.wait()
                    continue
                wait_seconds = (self._entries[0][0] - self._clock.now()).total_seconds()
                if wait_seconds <= 0:
                    return heapq.heappop(self._entries)[2]
                self._changed.wait(wait_seconds)
        return None

"""How long this process waits for its database, and what it remembers of one that is away."""

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar

OF_A_GUEST_SECONDS = 4.0  # longer than a wait for a row (lock_timeout), shorter than what a kiosk puts up with
OF_A_PROGRAM_SECONDS = 16.0  # longer than the longest statement (statement_timeout)
TRY_EVERY_SECONDS = 0.5
LONGEST_TRY_SECONDS = 10.0

patience: ContextVar[float | None] = ContextVar("patience", default=OF_A_PROGRAM_SECONDS)
"""Seconds that the present request waits for one answer of the database; None is for as long as it takes."""


class Absence:
    """Lets one caller at a time try a database that was away a moment ago, and sends the others off at once.

    Without it every thread of a process would wait, and what memory could answer would wait behind them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._away = False
        self._not_before = 0.0

    def may_try(self) -> bool:
        """Tell whether to ask the database now; of many callers while it is away, one may."""
        if not self._away:
            return True
        with self._lock:
            now = self._clock()
            if now < self._not_before:
                return False
            self._not_before = now + LONGEST_TRY_SECONDS
            return True

    def begins(self) -> None:
        """Note that it did not answer."""
        with self._lock:
            self._away, self._not_before = True, self._clock() + TRY_EVERY_SECONDS

    def ends(self) -> None:
        """Note that it did."""
        self._away = False


absence = Absence()

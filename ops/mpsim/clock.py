"""The simulator's clock: real time plus an offset that tests and demos move forward."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

CHANCE = random.SystemRandom()
"""Draws delays, losses and duplicates."""


class Clock:
    """Tells the simulated time; it only ever moves forward."""

    def __init__(self, real: Callable[[], float] = time.time, offset_seconds: float = 0.0) -> None:
        self._real = real
        self.offset_seconds = offset_seconds

    def now(self) -> datetime:
        """Return the simulated time in UTC."""
        return datetime.fromtimestamp(self._real() + self.offset_seconds, UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.offset_seconds += seconds


def stamp(moment: datetime) -> str:
    """Write a moment as the API does, e.g. ``2026-11-21T12:00:00.130Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

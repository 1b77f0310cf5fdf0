"""Limits that protect machines: counted in the memory of one process, because a shared count would cost more than the call.

A process of several lets through its own share only, so a caller spread over all of them may get that many times the rate.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KEYS = 10_000
SECONDS = 60.0


class Buckets:
    """One bucket a key: it holds a minute's calls and fills up again evenly."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_seconds(self, key: str, per_minute: int, *, calls: int = 1) -> int:
        """Take one call from a bucket; return 0, or the seconds until there is one again. No ``calls`` only looks."""
        now = self._clock()
        with self._lock:
            level, since = self._levels.pop(key, (float(per_minute), now))
            level = min(level + (now - since) * per_minute / SECONDS, float(per_minute))
            allowed = level >= 1
            self._levels[key] = (level - calls if allowed else level, now)
            if len(self._levels) > MOST_KEYS:
                self._levels.popitem(last=False)  # used longest ago, so it is the fullest
        return 0 if allowed else max(1, math.ceil((1 - level) * SECONDS / max(per_minute, 1)))

"""When an order will be ready, pure: what waits at the stations before it, and its own longest thing."""

import math
from collections.abc import Iterable, Mapping

MOST_MINUTES = 120


def promised_minutes(own: Iterable[tuple[str, int]], queued: Mapping[str, float], parallel: int) -> int:
    """Return in how many whole minutes all of an order is made; 0 when it waits for nobody.

    A station works through what waits there ``parallel`` things at a time and only then begins with the order's longest
    thing; the slowest station decides. Never more than ``MOST_MINUTES``: beyond that nobody knows.

    Args:
        own: station and minutes of each thing in the order.
        queued: minutes of work that wait at each station, by all orders paid before.
        parallel: how many things one station makes at a time, at least 1.
    """
    longest: dict[str, int] = {}
    for station, minutes in own:
        longest[station] = max(minutes, longest.get(station, 0))
    waits = (queued.get(station, 0) / parallel + minutes for station, minutes in longest.items())
    return min(math.ceil(max(waits, default=0)), MOST_MINUTES)

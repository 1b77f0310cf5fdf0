"""The way to one account at the provider, pure: when a call may go, and what its outcome does to the next ones.

A bucket keeps the pace the provider allows. Five failures within 30 s, being at least half of what came back, shut the way
for 20 s; then one call is let through to try, and its outcome decides. A refused access token shuts it for a minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

WINDOW = timedelta(seconds=30)
FAILURES = 5
SHUT = timedelta(seconds=20)
SHUT_AFTER_REFUSAL = timedelta(seconds=60)
TRYING = timedelta(seconds=10)  # longer than any call; a process that died while trying does not shut the way for good
LOOK_AGAIN = timedelta(seconds=2)
KEPT_FOR_GUESTS = 0.3  # part of the bucket that checks leave to calls somebody waits for
MOST_OUTCOMES = 40


class Passage(StrEnum):
    """Whether the way is open."""

    OPEN = "open"
    TRYING = "trying"
    SHUT = "shut"
    REFUSED = "refused"


class Outcome(StrEnum):
    """What became of a call."""

    ANSWERED = "answered"  # also by a refusal: the provider is there
    FAILED = "failed"
    REFUSED = "refused"  # the access token does not count


@dataclass(frozen=True, slots=True)
class Way:
    """How it stands. ``outcomes`` are (Unix seconds, answered) of the last 30 s since the first failure, oldest first."""

    tokens: float
    filled_at: datetime
    outcomes: Sequence[tuple[float, bool]] = ()
    shut_until: datetime | None = None
    trying_until: datetime | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one call may go now. ``wait`` zero: it may, and it is the trial when ``trial``."""

    wait: timedelta
    trial: bool = False


def passage(way: Way, now: datetime) -> Passage:
    """Say whether the way is open."""
    if way.shut_until is None:
        return Passage.OPEN
    if now >= way.shut_until:
        return Passage.TRYING
    return Passage.REFUSED if way.refused else Passage.SHUT


def size_of(rate: float) -> float:
    """Return how many calls the bucket holds: as many as one second brings, at least one."""
    return max(rate, 1.0)


def needed(rate: float, *, patient: bool) -> float:
    """Return how much must be in the bucket for one call to go; one that nobody waits for leaves a part of it to others."""
    size = size_of(rate)
    return 1.0 + (min(size * KEPT_FOR_GUESTS, size - 1.0) if patient else 0.0)


def enter(way: Way, now: datetime, *, rate: float, patient: bool) -> tuple[Way, Verdict]:
    """Ask to make one call.

    Args:
        rate: calls a second.
        patient: nobody waits for it.
    """
    if way.shut_until is not None:
        if now < way.shut_until:
            return way, Verdict(way.shut_until - now)
        if way.trying_until is not None and now < way.trying_until:
            return way, Verdict(LOOK_AGAIN)
    gone = max((now - way.filled_at).total_seconds(), 0.0)
    way = replace(way, tokens=min(way.tokens + gone * rate, size_of(rate)), filled_at=max(now, way.filled_at))
    least = needed(rate, patient=patient)
    if way.tokens < least:
        return way, Verdict(timedelta(seconds=(least - way.tokens) / rate))
    trial = way.shut_until is not None
    way = replace(way, tokens=way.tokens - 1.0, trying_until=now + TRYING if trial else None)
    return way, Verdict(timedelta(0), trial=trial)


def leave(way: Way, now: datetime, outcome: Outcome, *, trial: bool) -> Way:
    """Record what became of a call. A failure of one that began before the way was shut does not keep it shut longer."""
    if outcome == Outcome.REFUSED:
        return replace(way, outcomes=(), shut_until=now + SHUT_AFTER_REFUSAL, trying_until=None, refused=True)
    answered = outcome == Outcome.ANSWERED
    if way.shut_until is not None:
        if answered:
            return replace(way, outcomes=(), shut_until=None, trying_until=None, refused=False)
        return replace(way, shut_until=now + SHUT, trying_until=None) if trial else way
    since = (now - WINDOW).timestamp()
    kept = [entry for entry in way.outcomes if entry[0] > since]
    if answered and not kept:
        return way if not way.outcomes else replace(way, outcomes=())
    kept = [*kept, (now.timestamp(), answered)][-MOST_OUTCOMES:]
    failures = sum(not went_well for _, went_well in kept)
    if failures >= FAILURES and failures * 2 >= len(kept):
        return replace(way, outcomes=(), shut_until=now + SHUT)
    return replace(way, outcomes=kept)

"""When a store takes orders: its week, the days that differ, and a pause of everything. Pure: no ORM, no clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

Span = tuple[time, time]

DAY = timedelta(days=1)
LOOKED_AHEAD_DAYS = 60


@dataclass(frozen=True)
class Opening:
    """A store's hours in its own time. Without any it is always open.

    Args:
        week: spans by weekday, Monday 0, empty for open at all hours; a span that ends no later than it begins goes on
            past midnight.
        days: spans of single dates, instead of their weekday's; none of them: closed all day.
        paused_until: no orders until then, whatever the hours say.
    """

    timezone: str = "America/Sao_Paulo"
    week: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    days: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    paused_until: datetime | None = None

    def takes_orders(self, at: datetime) -> bool:
        """Tell whether guests may order now."""
        return not self._paused(at) and self._in_hours(at)

    def pauses(self, at: datetime) -> bool:
        """Tell whether only the pause keeps guests from ordering, so that its end is when they may again."""
        return (
            self.paused_until is not None
            and self._paused(at)
            and self._in_hours(at)
            and self._in_hours(self.paused_until)
        )

    def opens_at(self, at: datetime) -> datetime | None:
        """Return when guests may order next, or None: they may now, or not within two months."""
        if self.takes_orders(at):
            return None
        after = max(at, self.paused_until) if self.paused_until is not None else at
        if self._in_hours(after):
            return after
        return next((begins for begins, _ in self._spans(after) if begins > after), None)

    def changes_at(self, at: datetime) -> datetime | None:
        """Return the next moment at which what is said of it may be another, or None within two months."""
        ends = [self.paused_until] if self.paused_until is not None and self._paused(at) else []
        edges = (edge for span in self._spans(at) for edge in sorted(span) if edge > at)
        ends += [edge for edge in [next(edges, None)] if edge is not None]
        return min(ends, default=None)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def _always_open(self) -> bool:
        return not self.week and not self.days

    def _paused(self, at: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > at

    def _in_hours(self, at: datetime) -> bool:
        if self._always_open:
            return True
        today = at.astimezone(self._zone).date()
        return any(begins <= at < ends for day in (today - DAY, today) for begins, ends in self._spans_of(day))

    def _spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the spans from yesterday's on, each as its two ends, in the order of their beginnings."""
        if self._always_open:
            return
        first = at.astimezone(self._zone).date() - DAY
        for number in range(LOOKED_AHEAD_DAYS):
            yield from sorted(self._spans_of(first + number * DAY))

    def _spans_of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        usual = self.week.get(day.weekday(), ()) if self.week else ((time(0), time(0)),)
        for begins, ends in self.days.get(day, usual):
            last = day if ends > begins else day + DAY
            yield datetime.combine(day, begins, self._zone), datetime.combine(last, ends, self._zone)

"""When a store takes orders, said by its week, single dates and a pause."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.stores.opening import Opening

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
BAKERY = Opening(week={day: ((time(6), time(12)), (time(14), time(20))) for day in range(6)})  # closed on Sundays
MONDAY = date(2026, 11, 23)


def at(hour: int, minute: int = 0, *, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time(hour, minute), SAO_PAULO)


SUNDAY, SATURDAY = MONDAY - timedelta(days=1), MONDAY - timedelta(days=2)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (at(5, 59), at(6)),
        (at(6), None),
        (at(11, 59), None),
        (at(12), at(14)),
        (at(19, 59), None),
        (at(20), at(6, day=MONDAY + timedelta(days=1))),
        (at(20, day=SATURDAY), at(6)),
        (at(10, day=SUNDAY), at(6)),
    ],
)
def test_week(now: datetime, opens: datetime | None) -> None:
    assert (BAKERY.takes_orders(now), BAKERY.opens_at(now)) == (opens is None, opens)


def test_without_hours_it_is_always_open() -> None:
    assert Opening().takes_orders(at(3))
    assert Opening().opens_at(at(3)) is None
    assert Opening().changes_at(at(3)) is None


def test_span_past_midnight_belongs_to_the_day_it_begins_on() -> None:
    bar = Opening(week={0: ((time(18), time(2)),)})

    assert bar.takes_orders(at(1, 59, day=MONDAY + timedelta(days=1)))
    assert not bar.takes_orders(at(2, day=MONDAY + timedelta(days=1)))
    assert not bar.takes_orders(at(1))


def test_date_that_differs_replaces_its_weekday() -> None:
    days = {MONDAY: (), MONDAY + timedelta(days=1): ((time(9), time(10)),)}
    holiday = Opening(week=BAKERY.week, days=days)

    assert holiday.opens_at(at(10)) == at(9, day=MONDAY + timedelta(days=1))
    assert not Opening(days={MONDAY: ()}).takes_orders(at(10))
    assert Opening(days={MONDAY: ()}).takes_orders(at(10, day=SUNDAY))


def test_pause_ends_by_itself_and_never_opens_a_closed_store() -> None:
    paused = Opening(week=BAKERY.week, paused_until=at(11, 30))
    into_lunch = Opening(week=BAKERY.week, paused_until=at(12, 30))

    assert (paused.takes_orders(at(11)), paused.pauses(at(11)), paused.opens_at(at(11))) == (False, True, at(11, 30))
    assert paused.takes_orders(at(11, 30))
    assert (into_lunch.pauses(at(11)), into_lunch.opens_at(at(11))) == (False, at(14))
    assert not paused.pauses(at(5))


def test_what_is_said_of_it_holds_until_the_next_edge() -> None:
    assert BAKERY.changes_at(at(5)) == at(6)
    assert BAKERY.changes_at(at(6)) == at(12)
    assert BAKERY.changes_at(at(21, day=SATURDAY)) == at(6)
    assert Opening(week=BAKERY.week, paused_until=at(7)).changes_at(at(6, 30)) == at(7)

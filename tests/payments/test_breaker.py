"""When a call may go: pure rules."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.payments.breaker import Outcome, Passage, Way, enter, leave, passage
from apps.payments.rules import next_check

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FULL = Way(tokens=10.0, filled_at=NOW)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def failing(times: int, *, way: Way = FULL, every: float = 1.0) -> Way:
    for number in range(times):
        way = leave(way, after(number * every), Outcome.FAILED, trial=False)
    return way


def test_five_failures_in_thirty_seconds_shut_the_way_for_twenty() -> None:
    assert passage(failing(4), after(4)) == Passage.OPEN
    shut = failing(5)
    assert shut.shut_until == after(4 + 20)
    assert [passage(shut, after(seconds)) for seconds in (4, 23.9, 24)] == ["shut", "shut", "trying"]
    assert enter(shut, after(10), rate=10, patient=False)[1].wait == timedelta(seconds=14)


def test_failures_spread_wider_do_not() -> None:
    assert passage(failing(20, every=7.6), after(145)) == Passage.OPEN


def test_failures_among_many_answers_do_not() -> None:
    way = FULL
    for second in range(28):
        outcome = Outcome.FAILED if second % 3 == 0 else Outcome.ANSWERED
        way = leave(way, after(second), outcome, trial=False)
    assert passage(way, after(28)) == Passage.OPEN


def test_one_call_tries_and_its_answer_opens_the_way() -> None:
    way, first = enter(failing(5), after(24), rate=10, patient=False)
    _, second = enter(way, after(24), rate=10, patient=False)
    assert (first.wait, first.trial) == (timedelta(0), True)
    assert second.wait > timedelta(0)

    opened = leave(way, after(25), Outcome.ANSWERED, trial=True)
    assert passage(opened, after(25)) == Passage.OPEN
    assert enter(opened, after(25), rate=10, patient=False)[1] == type(second)(timedelta(0), trial=False)


def test_failed_trial_shuts_it_again_and_a_lost_one_does_not_shut_it_for_good() -> None:
    way, _ = enter(failing(5), after(24), rate=10, patient=False)
    assert leave(way, after(28), Outcome.FAILED, trial=True).shut_until == after(48)
    assert enter(way, after(33.9), rate=10, patient=False)[1].wait > timedelta(0)
    assert enter(way, after(34), rate=10, patient=False)[1].trial


def test_failure_of_an_older_call_does_not_shut_it_longer() -> None:
    assert leave(failing(5), after(20), Outcome.FAILED, trial=False).shut_until == after(24)


def test_refused_token_shuts_it_at_once_for_a_minute() -> None:
    refused = leave(FULL, NOW, Outcome.REFUSED, trial=False)
    assert passage(refused, after(59)) == Passage.REFUSED
    assert passage(refused, after(60)) == Passage.TRYING


@given(
    rate=st.floats(0.5, 50),
    steps=st.lists(st.tuples(st.floats(0, 0.5), st.booleans()), min_size=1, max_size=200),
)
def test_pace_is_never_passed(rate: float, steps: list[tuple[float, bool]]) -> None:
    way, now, passed = Way(0.0, NOW - timedelta(days=1)), 0.0, 0
    for pause, patient in steps:
        now += pause
        way, verdict = enter(way, after(now), rate=rate, patient=patient)
        passed += verdict.wait == timedelta(0)
    assert passed <= max(rate, 1.0) + now * rate + 1e-6


def test_wait_is_as_long_as_it_takes_and_checks_leave_some_for_guests() -> None:
    way = FULL
    patient = 0
    while enter(way, NOW, rate=10, patient=True)[1].wait == timedelta(0):
        way, patient = enter(way, NOW, rate=10, patient=True)[0], patient + 1
    assert patient == 7
    assert enter(way, NOW, rate=10, patient=False)[1].wait == timedelta(0)
    wait = enter(way, NOW, rate=10, patient=True)[1].wait
    assert enter(way, NOW + wait, rate=10, patient=True)[1].wait == timedelta(0)


@pytest.mark.parametrize("rate", [0.5, 1.0])
def test_slow_pace_lets_patient_calls_through_too(rate: float) -> None:
    assert enter(Way(0.0, NOW - timedelta(days=1)), NOW, rate=rate, patient=True)[1].wait == timedelta(0)


def test_eager_checks_come_after_2_4_6_9_12_15_20_seconds_and_then_every_five() -> None:
    at, moments = NOW, []
    while len(moments) < 10:
        at = next_check(NOW, at, eager=True)
        moments.append((at - NOW).total_seconds())
    assert moments == [2, 4, 6, 9, 12, 15, 20, 25, 30, 35]


def test_other_checks_come_every_15_seconds_and_after_a_minute_every_30() -> None:
    assert next_check(NOW, after(59)) == after(74)
    assert next_check(NOW, after(60)) == after(90)

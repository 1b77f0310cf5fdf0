"""What is refused first when too many wait, and what is remembered of a database that was away."""

import threading
from functools import partial

import pytest

from breadmate.gunicorn import PLAIN_CALL
from breadmate.postgres.patience import TRY_EVERY_SECONDS, Absence
from breadmate.waiting import Kind, Turns, Wait, gives_way_seconds, is_refused, kind_of, kind_told

LONGEST = 0.8
ORDER = "/api/v1/orders/0190b0e2-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/health/ready", None),
        ("GET", "/static/kiosk.js", None),
        ("GET", "/admin/orders/order/", Kind.SPARE),
        ("GET", "/api/v1/users/me/export", Kind.SPARE),
        ("GET", "/api/v1/menu", Kind.READ),
        ("GET", f"{ORDER}/status", Kind.READ),
        ("HEAD", "/kiosk/", Kind.READ),
        ("POST", "/api/v1/orders/quote", Kind.QUOTE),
        ("POST", "/api/v1/users/lookup", Kind.QUOTE),
        ("POST", "/api/v1/orders/checkout", Kind.WORK),
        ("POST", "/api/v1/payments", Kind.WORK),
        ("POST", "/api/v1/payments/webhook", Kind.WORK),
        ("PATCH", f"{ORDER}/status", Kind.WORK),
        ("POST", "/admin/orders/order/", Kind.WORK),
    ],
)
def test_request_is_worth(method: str, path: str, kind: Kind | None) -> None:
    assert kind_of(method, path) == kind


@pytest.mark.parametrize(
    ("waited", "refused"),
    [
        (0.1, set()),
        (0.3, {Kind.SPARE}),
        (0.5, {Kind.SPARE, Kind.READ}),
        (0.7, {Kind.SPARE, Kind.READ, Kind.QUOTE}),
        (0.9, set(Kind)),
    ],
)
def test_what_matters_least_is_refused_first(waited: float, refused: set[Kind]) -> None:
    wait = Wait(waited, behind=8, threads=8)
    assert {kind for kind in Kind if is_refused(kind, wait, longest_seconds=LONGEST)} == refused


def test_machine_that_stood_still_refuses_nothing() -> None:
    wait = Wait(30.0, behind=7, threads=8)
    assert not any(is_refused(kind, wait, longest_seconds=LONGEST) for kind in Kind)


@pytest.mark.parametrize(
    ("lines", "plain"),
    [
        ([b"GET /api/v1/orders HTTP/1.1", b"Host: a"], True),
        ([b"GET /kiosk/ HTTP/1.1", b"Host: a"], False),
        ([b"POST /api/v1/orders/quote HTTP/1.1", b"Host: a"], False),
        ([b"GET /api/v1/orders HTTP/1.0", b"Host: a"], False),
        ([b"GET /api/v1/orders HTTP/1.1", b"Host: a", b"Connection: close"], False),
        ([b"GET /api/v1/orders HTTP/1.1", b"Host: a", b"content-length : 5"], False),
        ([b"GET /api/v1/orders HTTP/1.1", b"Host: a", b"Transfer-Encoding: chunked"], False),
        ([b"GET /api/v1/orders HTTP/1.1", b"Host: a", b"", b"GET /api/v1/menu HTTP/1.1", b"Host: a"], False),
    ],
)
def test_only_a_whole_call_without_a_body_may_be_refused_unread(lines: list[bytes], plain: bool) -> None:
    """What follows it on the line must never be taken for another call."""
    assert bool(PLAIN_CALL.fullmatch(b"\r\n".join([*lines, b"", b""]))) == plain


def test_order_goes_before_polls_that_came_a_little_earlier() -> None:
    """The one thread is busy while they come; each says so when it has its turn."""
    arrivals = [
        (0.0, b"GET /admin/orders/order/ HTTP/1.1"),
        (0.1, b"GET /api/v1/orders/1/status HTTP/1.1"),
        (0.2, b"GET /api/v1/menu HTTP/1.1"),
        (0.3, b"POST /api/v1/orders/checkout HTTP/1.1"),
        (0.65, b"POST /api/v1/orders/checkout HTTP/1.1"),
        (0.7, b""),
    ]
    turns, busy, served = Turns(threads=1), threading.Event(), []
    turns.submit(busy.wait, due=0.0)
    for at, head in arrivals:
        last = turns.submit(partial(served.append, at), due=at + gives_way_seconds(kind_told(head)))
    busy.set()
    last.result(timeout=30)
    turns.shutdown()

    assert served == [0.2, 0.3, 0.1, 0.0, 0.65, 0.7]


def test_work_that_fails_tells_who_waits_and_its_thread_goes_on() -> None:
    turns = Turns(threads=1)
    failed = turns.submit(lambda: 1 / 0, due=0.0)
    assert turns.submit(lambda: "next", due=1.0).result(timeout=30) == "next"
    with pytest.raises(ZeroDivisionError):
        failed.result(timeout=30)
    turns.shutdown()


def test_one_caller_at_a_time_tries_a_database_that_was_away() -> None:
    now = [100.0]
    absence = Absence(clock=lambda: now[0])
    assert [absence.may_try() for _ in range(3)] == [True, True, True]

    absence.begins()
    assert [absence.may_try() for _ in range(3)] == [False, False, False]
    now[0] += TRY_EVERY_SECONDS
    assert [absence.may_try() for _ in range(3)] == [True, False, False]
    absence.begins()  # the one that tried had no luck
    assert not absence.may_try()
    now[0] += TRY_EVERY_SECONDS
    assert absence.may_try()
    absence.ends()
    assert [absence.may_try() for _ in range(3)] == [True, True, True]


def test_try_that_never_ended_is_not_waited_for_for_good() -> None:
    now = [100.0]
    absence = Absence(clock=lambda: now[0])
    absence.begins()
    now[0] += TRY_EVERY_SECONDS
    assert absence.may_try()
    now[0] += 60
    assert absence.may_try()

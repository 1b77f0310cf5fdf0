"""The way to the provider in trouble, over real HTTP: bounded in time, shut when it fails, shared by all processes."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from apps.orders.models import Order
from apps.payments import inbox, lines
from apps.payments.accounts import FROM_SETTINGS
from apps.payments.breaker import Outcome, enter
from apps.payments.errors import ProviderUnavailableError
from apps.payments.models import Charge, ProviderLine
from apps.payments.providers.mercado_pago import calls
from apps.payments.providers.mercado_pago.qr import read
from apps.payments.rules import Method, State
from apps.payments.services import advance_charge, claim_due, open_charge
from tests.factories import claim, place
from tests.fixtures import Reply, Screen, broken_rules
from tests.payments.conftest import CREATE, Provider

ANY = ".*"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def charge(order: Order, kiosk: Screen, at: datetime) -> Charge:
    return open_charge(
        order_id=order.id, method=Method.MERCADO_PAGO_QR, by=kiosk.actor, claim=claim(kiosk.actor), at=at
    )


def ask(kiosk: Screen, order: Order) -> Reply:
    return kiosk.post("/payments", {"order": str(order.id), "method": "mercado_pago_qr"}, key=str(order.id))


def another(kiosk: Screen, order: Order) -> Order:
    return place(kiosk.device, order.lines.get().product)


def seconds_from(at: datetime, charge: Charge) -> float:
    assert charge.next_check_at is not None
    return (charge.next_check_at - at).total_seconds()


def made(reply: Reply) -> Charge:
    """Send a queued charge again as the engine does, while the provider may be at the request it never answered (423)."""
    for _ in range(100):
        moved = advance_charge(charge_id=reply.body["id"], at=timezone.now() + timedelta(seconds=25))
        if moved.state != State.QUEUED:
            return moved
        time.sleep(0.1)
    return moved


def passed(passing: float) -> None:
    """Let time pass on every way, as if it had been so long ago."""
    for line in ProviderLine.objects.exclude(shut_until=None):
        line.shut_until = (line.shut_until or timezone.now()) - timedelta(seconds=passing)
        line.save()


def test_stored_bytes_go_out_as_they_are(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    provider.fault(CREATE, phase="after", do="status", status=503)
    queued = charge(order, kiosk, now)
    advance_charge(charge_id=queued.id, at=now)

    stored = bytes(queued.create_body).decode()
    assert [(sent["body"], sent["idempotency_key"]) for sent in provider.requests] == [(stored, queued.create_key)] * 2
    assert provider.orders == 1


@pytest.mark.parametrize(("told", "wait"), [("5", 5), ("3600", 3600), ("999999999", 86400)])
def test_retry_after_is_kept_to_and_never_slept(
    told: str, wait: int, provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    provider.fault(CREATE, do="status", status=429, headers={"Retry-After": told})
    begun = time.monotonic()
    queued = charge(order, kiosk, now)
    assert time.monotonic() - begun < wait
    assert (queued.state, seconds_from(now, queued)) == (State.QUEUED, wait)
    assert claim_due(at=now + timedelta(seconds=wait - 1)) == []
    assert advance_charge(charge_id=queued.id, at=now + timedelta(seconds=wait)).state == State.PENDING


@pytest.mark.parametrize("told", ["soon", "-1", "1e3", "Sun, 99 Nov 2026 17:00:00 GMT", ""])
def test_retry_after_that_makes_no_sense_is_ignored(
    told: str, provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    provider.fault(CREATE, do="status", status=503, headers={"Retry-After": told})
    assert seconds_from(now, charge(order, kiosk, now)) == 2


def test_two_503_and_then_the_code(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    provider.fault(CREATE, do="status", status=503, times=2)
    queued = charge(order, kiosk, now)
    again = advance_charge(charge_id=queued.id, at=now + timedelta(seconds=2))
    healed = advance_charge(charge_id=queued.id, at=now + timedelta(seconds=4))
    assert (queued.state, again.state, healed.state) == (State.QUEUED, State.QUEUED, State.PENDING)
    assert len({sent["body"] for sent in provider.requests}) == 1
    assert provider.orders == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "status", "status": 503},
        {"do": "reset"},
        {"do": "html"},
        {"do": "badjson"},
        {"do": "timeout", "delay_ms": 3000},
        {"do": "slow", "delay_ms": 800},
    ],
    ids=lambda fault: fault["do"],
)
def test_provider_in_trouble_shuts_the_way_answers_at_once_and_comes_back(
    fault: dict[str, object], provider: Provider, order: Order, kiosk: Screen, settings: Settings
) -> None:
    settings.MP_READ_TIMEOUT_SECONDS = 0.3
    orders = [order, *(another(kiosk, order) for _ in range(7))]
    provider.fault(ANY, times=50, **fault)
    replies = [ask(kiosk, each) for each in orders]

    assert [(reply.status, reply.body["status"]) for reply in replies] == [(202, "queued")] * 8
    assert len(provider.requests) == 5
    assert kiosk.post(f"/payments/{replies[7].body['id']}/check").status == 200
    assert len(provider.requests) == 5
    waiting = Charge.objects.get(id=replies[7].body["id"])
    assert 15 < seconds_from(timezone.now(), waiting) <= 20

    counter = kiosk.post("/payments", {"order": str(orders[7].id), "method": "counter"}, key="till")
    assert (counter.status, counter.body["status"]) == (201, "pending")

    provider.sim.faults.clear()
    passed(20)
    assert [made(reply).state for reply in replies[:7]] == [State.PENDING] * 7
    assert provider.orders == 7
    assert broken_rules() == {}


def test_refused_token_shuts_the_way_and_is_not_tried_again_for_a_minute(
    provider: Provider, order: Order, kiosk: Screen, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MP_ACCESS_TOKEN = "APP_USR-NOT-VALID"
    orders = [order, *(another(kiosk, order) for _ in range(4))]
    replies = [ask(kiosk, each) for each in orders]

    assert [reply.status for reply in replies] == [202] * 5
    assert len(provider.requests) == 1
    alerts = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage() for record in alerts] == ["the provider refuses the access token of account settings"]
    assert "NOT-VALID" not in caplog.text

    passed(60)
    settings.MP_ACCESS_TOKEN = "APP_USR-SIM-1"
    healed = advance_charge(charge_id=replies[0].body["id"], at=timezone.now() + timedelta(seconds=65))
    assert healed.state == State.PENDING
    assert broken_rules() == {}


@contextmanager
def dripping(head: bytes, *, every: float) -> Iterator[str]:
    """A provider that never ends: it sends ``head`` and then a byte now and then."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller:
                caller.recv(65536)
                try:
                    caller.sendall(head)
                    while not over.wait(every):
                        caller.sendall(b"x")
                except OSError:
                    cut.set()

    cut = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert cut.wait(5), "the connection was not cut"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)  # who waits in accept() does not hear of a close
        listener.close()
        thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 201 Created\r\nX-Slow: ", b"HTTP/1.1 201 Created\r\nContent-Length: 9999\r\n\r\n{"]
)
def test_dripping_answer_is_cut(
    head: bytes, provider: Provider, order: Order, kiosk: Screen, settings: Settings
) -> None:
    with dripping(head, every=0.4) as settings.MP_BASE_URL:
        begun = time.monotonic()
        reply = ask(kiosk, order)
        took = time.monotonic() - begun
    assert (reply.status, reply.body["status"]) == (202, "queued")
    assert 4.9 < took < 30  # without a cut it would take an hour


def test_enormous_answer_is_not_read(provider: Provider, order: Order, kiosk: Screen, settings: Settings) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        caller, _ = listener.accept()
        with caller:
            caller.recv(65536)
            with suppress(OSError):
                caller.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 99999999)

    thread = threading.Thread(target=serve)
    thread.start()
    settings.MP_BASE_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert ask(kiosk, order).status == 202
    thread.join(5)
    listener.close()
    assert not thread.is_alive()


@pytest.mark.parametrize("role", ["web", "worker"])
def test_only_a_quarter_of_the_threads_of_a_web_process_wait_for_the_provider(
    role: str, provider: Provider, order: Order, kiosk: Screen, settings: Settings
) -> None:
    settings.ROLE = role
    opened = [charge(each, kiosk, timezone.now()) for each in (order, another(kiosk, order), another(kiosk, order))]
    inside, finish = threading.Semaphore(0), threading.Event()

    def occupy() -> None:
        with calls._place("fetch"):
            inside.release()
            finish.wait(10)

    threads = [threading.Thread(target=occupy) for _ in range(settings.MP_WEB_CALLS)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=5)
    at = timezone.now() + timedelta(seconds=30)
    held = advance_charge(charge_id=opened[2].id, at=at)
    finish.set()
    for thread in threads:
        thread.join()
    assert held.state == State.PENDING
    assert len(provider.requests) == (3 if role == "web" else 4)
    if role == "web":
        assert seconds_from(at, held) == 1


ODD = [
    ("total_amount", "NaN"),
    ("total_amount", "1e99"),
    ("total_amount", None),
    ("status", "x" * 500),
    ("id", "a\x00b"),
    ("transactions", {"payments": ["x"]}),
    ("transactions", {"payments": [{"paid_amount": "Infinity"}]}),
    ("transactions", None),
    ("expiration_time", "PT99999999999999999999H"),
    ("created_date", "yesterday"),
    ("type_response", "x"),
    ("user_id", {"deep": ["x" * 100]}),
]


@pytest.mark.parametrize(("name", "value"), ODD, ids=lambda part: str(part)[:20])
def test_answer_that_makes_no_sense_changes_nothing(name: str, value: object) -> None:
    good = {
        "id": "ORD01",
        "status": "created",
        "total_amount": "47.50",
        "expiration_time": "PT5M",
        "created_date": "2026-11-21T12:00:00.130Z",
        "transactions": {"payments": [{"amount": "47.50"}]},
    }
    assert read(good).expires_at == datetime.fromisoformat("2026-11-21T12:05:00.130+00:00")
    with pytest.raises(ProviderUnavailableError):
        read(good | {name: value})


def tell(provider_order: str) -> None:
    """Let a notification of the provider come in by its door."""
    body = orjson.dumps({"type": "order", "action": "order.processed", "data": {"id": provider_order}})
    assert Client().post("/api/v1/payments/webhook", body, content_type="application/json").status_code == 200


def test_shop_without_notifications_asks_soon_and_one_with_them_seldom(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now)
    assert seconds_from(now, opened) == 2
    closing = Charge.objects.filter(id=opened.id)
    closing.update(state=State.CLOSING)
    provider.control(f"orders/{opened.provider_order_id}/pay", {"lock_ms": 60_000})
    locked = advance_charge(charge_id=opened.id, at=now + timedelta(seconds=10))
    assert (locked.state, seconds_from(now, locked)) == (State.CLOSING, 13)
    closing.update(state=State.PENDING)

    tell("ORD01UNKNOWN")
    inbox.process(at=now)
    assert lines.is_deaf(FROM_SETTINGS, now)
    tell(opened.provider_order_id or "")
    inbox.process(at=now)
    assert not lines.is_deaf(FROM_SETTINGS, now)
    asked = advance_charge(charge_id=opened.id, at=now + timedelta(seconds=12))
    assert seconds_from(now, asked) == 27
    late = advance_charge(charge_id=opened.id, at=now + timedelta(days=8))
    assert late.state in (State.PENDING, State.EXPIRED, State.APPROVED)
    assert lines.is_deaf(FROM_SETTINGS, now + timedelta(days=8))


def test_expired_code_is_not_asked_about_eagerly(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now)
    Charge.objects.filter(id=opened.id).update(expires_at=now - timedelta(seconds=61))
    assert seconds_from(now, advance_charge(charge_id=opened.id, at=now)) == 15


def test_calls_are_counted_by_what_they_are(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    def counted(status: str) -> float:
        return REGISTRY.get_sample_value("mp_requests_total", {"op": "create", "status": status}) or 0.0

    before = {status: counted(status) for status in ("201", "503", "held")}
    provider.fault(CREATE, do="status", status=503)
    queued = charge(order, kiosk, now)
    advance_charge(charge_id=queued.id, at=now)
    assert {status: counted(status) - count for status, count in before.items()} == {"201": 1, "503": 1, "held": 0}
    assert REGISTRY.get_sample_value("mp_latency_seconds_count", {"op": "create"})


ENTER = """
import sys, time, django; django.setup()
from apps.payments import lines
from apps.payments.errors import ProviderUnavailableError
lines.passages
print("ready", flush=True)
sys.stdin.readline()
passed = 0
for _ in range(20):
    try:
        lines.enter(sys.argv[1], patient=False)
        passed += 1
    except ProviderUnavailableError:
        pass
print(passed)
"""


@contextmanager
def other_process(code: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run code in a process of its own, on this test's database."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environ = {
        **os.environ,
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "breadmate.settings",
        "MP_RATE": "0.0001",  # one call now, the next in hours: however slow the machine, no second one is due
    }
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def passed_by_two(first: str, second: str) -> int:
    """How many calls two processes let through, trying twenty times each at one moment."""
    with other_process(ENTER, first) as one, other_process(ENTER, second) as two:
        for process in (one, two):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in (one, two):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        return sum(int(process.communicate(timeout=60)[0]) for process in (one, two))


@pytest.mark.django_db(transaction=True)
def test_two_processes_keep_one_pace_and_two_accounts_two() -> None:
    """The second half is the control: were the bucket each process's own, one account would look like two."""
    assert passed_by_two("one", "one") == 1
    assert passed_by_two("two", "three") == 2


STATE = """
import sys, django; django.setup()
from apps.payments import lines
from apps.payments.errors import ProviderUnavailableError
try:
    print("trial" if lines.enter("settings", patient=False) else "go")
except ProviderUnavailableError as problem:
    print("shut")
"""


@pytest.mark.django_db(transaction=True)
def test_way_shut_by_one_process_is_shut_for_all_and_one_of_them_tries() -> None:
    for _ in range(5):
        assert not lines.enter("settings", patient=False)
        lines.leave("settings", Outcome.FAILED, trial=False)
    with other_process(STATE) as other:
        assert other.communicate(timeout=60)[0] == "shut\n"

    passed(20)
    with other_process(STATE) as one, other_process(STATE) as two:
        told = [process.communicate(timeout=60)[0].strip() for process in (one, two)]
    assert sorted(told) == ["shut", "trial"]


def by_the_database() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


@pytest.mark.parametrize("patient", [True, False])
@pytest.mark.parametrize("rate", [0.5, 10.0, 50.0])
@pytest.mark.parametrize("left", [0.0, 0.4, 1.0, 3.9, 4.1, 50.0])
@pytest.mark.parametrize("seconds", [-5.0, 0.0, 0.3, 60.0])
def test_one_statement_lets_in_whom_the_rules_do(
    seconds: float, left: float, rate: float, patient: bool, settings: Settings, db: None
) -> None:
    settings.MP_RATE = rate
    begun = by_the_database()
    line = ProviderLine.objects.create(key="k", tokens=left, filled_at=begun - timedelta(seconds=seconds))
    after, verdict = enter(line.way, begun, rate=rate, patient=patient)

    try:
        lines.enter("k", patient=patient)
    except ProviderUnavailableError:
        went = False
    else:
        went = True

    _, in_the_end = enter(line.way, by_the_database(), rate=rate, patient=patient)
    assert went in (not verdict.wait, not in_the_end.wait)  # between the two somebody may have come to be let in
    if went:
        line.refresh_from_db()
        assert line.way.tokens == pytest.approx(after.tokens, abs=rate)
        assert line.filled_at >= after.filled_at


def test_good_answer_of_a_good_way_writes_nothing(db: None, django_assert_num_queries: Any) -> None:
    lines.enter("k", patient=False)
    with django_assert_num_queries(1):
        lines.leave("k", Outcome.ANSWERED, trial=False)
    lines.leave("k", Outcome.FAILED, trial=False)
    lines.leave("k", Outcome.ANSWERED, trial=False)
    assert [answered for _, answered in ProviderLine.objects.get(key="k").outcomes] == [False, True]

"""Money while the provider hangs, answers get lost, processes die and notifications do not come: all on one whole shop."""

import os
import signal
import socket
import time
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench.payments import LIMITS, NO_ADDRESS, RATE, SILENCE, STORM, Shop, flood
from tests.blackbox.client import Caller, Reply, new_key, wait_for
from tests.blackbox.flow import audit, status_of
from tests.stack import Stack

pytestmark = pytest.mark.timeout(300)  # a shop is started and bounded waits add up on a busy machine

KIOSKS = 50
CREATE, REFUND = "POST /v1/orders$", "POST /v1/orders/.*/refund$"
IMPATIENT = {"MP_READ_TIMEOUT": "2"}
UNHEARD_MS = 10_000  # longer than anybody listens


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A shop of its own, because its way to the provider gets shut and its processes are killed."""
    with Stack(settings=LIMITS | RATE | IMPATIENT) as stack:
        yield Shop(stack, KIOSKS)


@pytest.fixture
def kiosk(shop: Shop) -> Iterator[Caller]:
    yield shop.kiosks[0]
    assert shop.simulator.call("DELETE", "/_sim/faults").status == 200
    shop.policy()


@pytest.fixture
def manager(shop: Shop) -> Caller:
    signed_in = Caller(shop.stack.base_url).post("/api/v1/auth/token", shop.stack.demo["staff"]["manager"])
    return Caller(shop.stack.base_url, signed_in.body["access"], "Bearer")


def order(shop: Shop, kiosk: Caller) -> dict[str, Any]:
    placed = kiosk.post("/api/v1/orders/checkout", shop.cart, key=new_key())
    assert placed.status == 201, placed.raw
    return dict(placed.body)


def ask(kiosk: Caller, order: dict[str, Any], *, method: str = "mercado_pago_qr", key: str = "") -> Reply:
    return kiosk.post("/api/v1/payments", {"order": order["id"], "method": method}, key=key or new_key())


def fault(shop: Shop, match: str, **what: Any) -> None:
    assert shop.simulator.post("/_sim/faults", [{"match": match, **what}]).status == 200


def journal(shop: Shop, since: int = 0) -> list[dict[str, Any]]:
    entries = shop.simulator.get(f"/_sim/journal?since={since}").body["entries"]
    return [entry for entry in entries if entry["kind"] == "request"]


def last(shop: Shop) -> int:
    return int(shop.simulator.get("/_sim/journal").body["last"])


def there(shop: Shop, payment: dict[str, Any]) -> list[dict[str, Any]]:
    """Every order of the provider for one payment."""
    told = shop.simulator.get(f"/_sim/orders/{payment['provider_reference']}").body
    return list(shop.simulator.get(f"/_sim/orders?external_reference={told['external_reference']}").body["orders"])


def code_of(kiosk: Caller, payment: dict[str, Any]) -> dict[str, Any]:
    """Wait until a payment has its code."""

    def told() -> dict[str, Any] | None:
        now = kiosk.get(f"/api/v1/payments/{payment['id']}").body
        return dict(now) if now["provider_reference"] else None

    return dict(wait_for(told, "the code", seconds=60))


def paid(shop: Shop, kiosk: Caller, order: dict[str, Any], payment: dict[str, Any]) -> None:
    """Let the guest pay, and wait until the kitchen has the order."""
    done = shop.simulator.post(f"/_sim/orders/{payment['provider_reference']}/pay")
    assert done.status == 200, done.raw
    wait_for(lambda: status_of(kiosk, order) == "received", "the payment", seconds=60)


def kill_with_children(stack: Stack, name: str) -> None:
    """Kill a process and everything it has started, all at once, and wait until it is there again."""
    pid = stack.pid(name)
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for each in (pid, *children):
        os.kill(each, signal.SIGKILL)
    stack.wait_for_new(name, pid)


def test_account_that_never_hears_of_a_payment_still_gets_them_all(shop: Shop, kiosk: Caller) -> None:
    """It comes first: a shop that has heard of one payment asks less often about the next."""
    shop.policy(**NO_ADDRESS)
    outcome = shop.rush(1, kiosks=20)
    assert outcome.is_right, outcome


def test_hanging_provider_keeps_no_guest_waiting_and_comes_back(shop: Shop, kiosk: Caller) -> None:
    """Nobody waits half a minute for it; after some failures it is not asked at all, and the counter is always open."""
    fault(shop, ".*", times=100, do="timeout", delay_ms=UNHEARD_MS)
    asked: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for _ in range(10):
        placed, before = order(shop, kiosk), last(shop)
        reply = ask(kiosk, placed)
        assert (reply.status, reply.body["status"]) == (202, "queued")
        asked.append((placed, reply.body))
        if not journal(shop, before):
            break
    else:
        pytest.fail("the way to the provider was never shut")
    at_counter = order(shop, kiosk)
    assert ask(kiosk, at_counter, method="counter").status == 201

    assert shop.simulator.call("DELETE", "/_sim/faults").status == 200
    for placed, queued in asked:
        payment = code_of(kiosk, queued)
        assert len(there(shop, payment)) == 1
        paid(shop, kiosk, placed, payment)
    assert status_of(kiosk, at_counter) == "awaiting_payment"
    assert audit(shop.stack)["ok"]


def test_lost_answer_of_create_makes_one_code_that_is_paid_once(shop: Shop, kiosk: Caller) -> None:
    for lost in ({"do": "reset"}, {"do": "timeout", "delay_ms": UNHEARD_MS}):
        fault(shop, CREATE, phase="after", **lost)
        placed, before = order(shop, kiosk), last(shop)
        reply = ask(kiosk, placed)
        assert (reply.status, reply.body["status"]) == (202, "queued"), lost
        payment = code_of(kiosk, reply.body)
        sent = [entry for entry in journal(shop, before) if entry["method"] == "POST"]
        assert len({(entry["idempotency_key"], entry["body"]) for entry in sent}) == 1
        assert [entry["replayed"] for entry in sent] == [False, *[True] * (len(sent) - 1)]
        assert len(there(shop, payment)) == 1
        paid(shop, kiosk, placed, payment)
    assert audit(shop.stack)["ok"]


def test_web_killed_while_the_code_is_made_makes_one_code(shop: Shop, kiosk: Caller) -> None:
    fault(shop, CREATE, phase="after", do="slow", delay_ms=UNHEARD_MS)
    placed, key, before = order(shop, kiosk), new_key(), last(shop)

    def cut_off() -> None:
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            ask(kiosk, placed, key=key)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(cut_off)
        wait_for(lambda: journal(shop, before), "the call to the provider")
        kill_with_children(shop.stack, "web")
        asking.result()

    def again() -> Reply | None:
        """Do what a kiosk does: the same key until there is an answer; 409 says that somebody is still at it."""
        try:
            reply = ask(kiosk, placed, key=key)
        except (urllib.error.URLError, ConnectionError):
            return None
        return None if reply.status == 409 else reply

    reply = wait_for(again, "the same key to be answered")
    assert reply.status in (200, 201, 202), reply.raw
    payment = code_of(kiosk, reply.body)
    assert len(there(shop, payment)) == 1
    paid(shop, kiosk, placed, payment)
    assert audit(shop.stack)["ok"]


@pytest.mark.parametrize("killed", ["", pytest.param("worker", marks=pytest.mark.long), "engine"])
def test_lost_answer_of_refund_gives_the_money_back_once(
    shop: Shop, kiosk: Caller, manager: Caller, killed: str
) -> None:
    """However often it is sent, and whoever dies while it is being sent."""
    placed = order(shop, kiosk)
    payment = code_of(kiosk, ask(kiosk, placed).body)
    paid(shop, kiosk, placed, payment)
    path, before = f"/api/v1/payments/{payment['id']}", last(shop)
    fault(shop, REFUND, phase="after", do="slow" if killed else "reset", delay_ms=UNHEARD_MS)
    asked = manager.post(f"{path}/refunds", {"amount": "1.50", "reason": "demorou"}, key=new_key())
    assert asked.status == 201, asked.raw

    def sent() -> list[dict[str, Any]]:
        return [entry for entry in journal(shop, before) if entry["path"].endswith("/refund")]

    wait_for(sent, "the refund to be sent")
    if killed:
        kill_with_children(shop.stack, killed)
    wait_for(lambda: manager.get(path).body["refunded_amount"] == "1.50", "the money to be back", seconds=90)
    (row,), (refund,) = there(shop, payment), manager.get(path).body["refunds"]
    assert (row["refunded"], row["refunds"], refund["amount"]) == ("1.50", 1, "1.50")
    assert len({(entry["idempotency_key"], entry["body"]) for entry in sent()}) == 1
    assert audit(shop.stack)["ok"]


def notify(stack: Stack, query: str, body: bytes, *headers: bytes) -> int:
    """Post to the webhook's door, byte by byte as given, and return the status."""
    address = urlsplit(stack.base_url)
    with socket.create_connection((address.hostname or "", address.port or 0), 15) as line:
        head = f"POST /api/v1/payments/webhook{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n".encode()
        line.sendall(head + b"".join(h + b"\r\n" for h in headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return int(line.recv(4096).split()[1])


def test_hostile_notifications_fail_nowhere_change_nothing_and_call_nobody(shop: Shop, kiosk: Caller) -> None:
    placed = order(shop, kiosk)
    payment = code_of(kiosk, ask(kiosk, placed).body)
    unknown, before = "?data.id=ORD01HOSTILE{}&type=order", last(shop)
    whole, over = (b'{"a":"' + b"x" * (size - 8) + b'"}' for size in (64 * 1024, 64 * 1024 + 1))
    told = {
        "signature": notify(shop.stack, unknown.format(1), b"{}", b"X-Signature: ts=1742505638683,v1=\xe9\xe9\xff"),
        "64 KiB": notify(shop.stack, unknown.format(2), whole),
        "one more": notify(shop.stack, unknown.format(3), over),
        "topic": notify(shop.stack, "?data.id=ORD01HOSTILE4&type=subscription_preapproval", b"{}"),
        "merchant order": notify(
            shop.stack, "?topic=merchant_order&id=77", b'{"topic":"merchant_order","user_id":"42"}'
        ),
    }
    assert told == {"signature": 200, "64 KiB": 200, "one more": 413, "topic": 200, "merchant order": 200}
    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(lambda n: notify(shop.stack, unknown.format(f"X{n}"), b"{}"), range(200))) == {200}
    time.sleep(2)  # an engine that wanted to ask would have asked

    asked = {entry["path"] for entry in journal(shop, before)}
    assert asked <= {f"/v1/orders/{payment['provider_reference']}"}  # what is asked in the course of things
    assert kiosk.get(f"/api/v1/payments/{payment['id']}").body["status"] == "pending"
    assert status_of(kiosk, placed) == "awaiting_payment"
    paid(shop, kiosk, placed, payment)
    assert audit(shop.stack)["ok"]


def test_fifty_kiosks_with_notifications_lost_and_doubled(shop: Shop, kiosk: Caller) -> None:
    shop.policy(**STORM)
    outcome = shop.rush(2)
    assert outcome.is_right, outcome


def test_every_notification_lost_and_every_payment_found(shop: Shop, kiosk: Caller) -> None:
    assert shop.rush(1, kiosks=1).is_right  # from here on the shop hears of its payments and is not eager to ask
    shop.policy(**SILENCE)
    outcome = shop.rush(1, kiosks=20)
    assert outcome.is_right, outcome


def test_flood_of_unknown_ids_calls_nobody_and_checkout_goes_on(shop: Shop, kiosk: Caller) -> None:
    told = flood(shop, seconds=4)
    assert (told.refused, told.calls_out) == (0, 0), told
    assert audit(shop.stack)["ok"]

"""A short run of each fault that every change must survive: eight seconds of selling, broken after three.

Each ends the same way: everything acknowledged is there once, in the database, at the provider and in the kitchen, and
`audit_invariants` is green. The rest is in `test_long.py` and in docs/reliability.md.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from tests.faults.conftest import World
from tests.faults.load import Counts, Sale, judge
from tests.faults.proxy import Mode

pytestmark = pytest.mark.timeout(300)  # bounded waits add up on a busy machine

LOAD_SECONDS = 8.0
BROKEN_AFTER_SECONDS = 3.0
KILLS = 5


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_book_sees_what_is_lost_and_what_is_doubled(world: World) -> None:
    """The control of everything here: a book that counted nothing would let every fault pass."""
    load = world.load()
    with load.running(2.0):
        pass
    load.wait_until_quiet()
    assert load.counts() == Counts([], [])

    paid = next(sale for sale in load.book.sales if sale.reference)
    unpaid = next(sale for sale in load.book.sales if not sale.reference)
    never = Sale(str(uuid4()), 0.0)
    load.book.sales.append(never)
    load.book.sales.remove(paid)
    unpaid.reference = paid.reference
    seen = load.counts()
    assert set(seen.lost) == {f"order {never.order}", f"payment of {unpaid.order}", f"ticket of {unpaid.order}"}
    assert set(seen.doubled) == {f"order {paid.order}", f"ticket of {paid.order}"}


def test_web_workers_killed_under_load(world: World, say: Callable[[str], None]) -> None:
    """Without the same key at the second try each cut-off checkout would be two orders, which the control above sees."""
    load = world.load()
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        for _ in range(KILLS):
            workers = children_of(world.stack.pid("web"))
            os.kill(random.choice(workers), signal.SIGKILL)
            time.sleep(0.5)
        over = time.monotonic()
    say(judge("F1", load, over))


def test_worker_killed_under_load(world: World, say: Callable[[str], None]) -> None:
    """A payment that only the dead worker knew of would be missing from the kitchen, which the control above sees."""
    load = world.load()
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        world.stack.kill("worker")
        over = time.monotonic()
    say(judge("F3", load, over, refused=False))


def test_postgres_killed_under_load(world: World, say: Callable[[str], None]) -> None:
    """With ``synchronous_commit`` off for a checkout, orders of the last moment would be lost, which the control sees."""
    load = world.load()
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        world.postgres.kill()
        time.sleep(3.0)
        world.postgres.start()
        over = time.monotonic()
    say(judge("F6", load, over))


def test_valkey_emptied_and_killed_under_load(world: World, say: Callable[[str], None]) -> None:
    """Nobody may notice: one call refused or one menu missing fails it."""
    load = world.load()
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        redis.Redis.from_url(world.stack.env["REDIS_URL"]).flushall()
        time.sleep(1.0)
        world.stack.kill("valkey")
        over = time.monotonic()
    say(judge("F8", load, over, refused=False))


def test_database_cut_off_under_load(world: World, say: Callable[[str], None]) -> None:
    """Seen red without a bound on the wait for an answer: payments were not acknowledged within a minute."""
    load = world.load()
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        world.way.set(Mode.BLACKHOLE)
        time.sleep(5.0)
        world.way.set(Mode.OK)
        over = time.monotonic()
    say(judge("F9", load, over))


def test_answers_lost_after_their_effect(world: World, say: Callable[[str], None]) -> None:
    """Of the provider's and of our own database: a new key for the second try would be a second code and a second order."""
    load = world.load()
    lost = {"match": "POST /v1/orders$", "times": 4, "phase": "after", "do": "reset"}  # more would shut the way
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        assert world.shop.simulator.post("/_sim/faults", [lost]).status == 200
        world.way.set(Mode.HALF)
        time.sleep(2.0)
        world.way.set(Mode.OK)
        over = time.monotonic()
    say(judge("F12", load, over))


def test_notifications_doubled_late_out_of_order_and_dropped(world: World, say: Callable[[str], None]) -> None:
    """A payment nobody told us of and nobody asked about would be missing from the kitchen, which the control above sees."""
    load = world.load()
    world.shop.policy(drop=0.2, duplicates=9, reorder="shuffle", delay_ms=[0, 2000])
    begun = time.monotonic()
    with load.running(LOAD_SECONDS):
        pass
    say(judge("F13", load, begun, refused=False))

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

import pytest
import redis

from tests.faults.conftest import World
from tests.faults.load import judge
from tests.faults.proxy import Mode

pytestmark = pytest.mark.timeout(300)  # bounded waits add up on a busy machine

LOAD_SECONDS = 8.0
BROKEN_AFTER_SECONDS = 3.0
KILLS = 5


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_web_workers_killed_under_load(world: World, say: Callable[[str], None]) -> None:
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
    load = world.load()
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        world.stack.kill("worker")
        over = time.monotonic()
    say(judge("F3", load, over, refused=False))


def test_postgres_killed_under_load(world: World, say: Callable[[str], None]) -> None:
    load = world.load()
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        world.postgres.kill()
        time.sleep(3.0)
        world.postgres.start()
        over = time.monotonic()
    say(judge("F6", load, over))


def test_valkey_emptied_and_killed_under_load(world: World, say: Callable[[str], None]) -> None:
    load = world.load()
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        redis.Redis.from_url(world.stack.env["REDIS_URL"]).flushall()
        time.sleep(1.0)
        world.stack.kill("valkey")
        over = time.monotonic()
    say(judge("F8", load, over, refused=False))


def test_database_cut_off_under_load(world: World, say: Callable[[str], None]) -> None:
    load = world.load()
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        world.way.set(Mode.BLACKHOLE)
        time.sleep(5.0)
        world.way.set(Mode.OK)
        over = time.monotonic()
    say(judge("F9", load, over))


def test_answers_lost_after_their_effect(world: World, say: Callable[[str], None]) -> None:
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
    load = world.load()
    world.shop.policy(drop=0.2, duplicates=9, reorder="shuffle", delay_ms=[0, 2000])
    begun = time.monotonic()
    with load.running(LOAD_SECONDS):
        pass
    say(judge("F13", load, begun, refused=False))

"""The other faults of docs/reliability.md, which take long or need root: `make test-faults`.

They are judged as those in `test_short.py`, whose first test is their control; where one was seen red by itself, it says so.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import psycopg
import pytest
import redis

from tests.blackbox.client import Reply, new_key, product, wait_for
from tests.blackbox.test_money_in_trouble import kill_with_children
from tests.faults.conftest import World, world_with
from tests.faults.load import judge
from tests.faults.proxy import Mode

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
]

LOAD_SECONDS = 20.0
BROKEN_AFTER_SECONDS = 5.0
DISK = "320m"
ADD_COLUMN = """
from django.db import connection
from breadmate.migrating import patiently
def work():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order ADD COLUMN IF NOT EXISTS fault_probe int")
patiently(work)
"""

Say = Callable[[str], None]


def broken(world: World, breaking: Callable[[], None], name: str, say: Say, *, refused: bool = True) -> None:
    """Sell, break something after five seconds, and judge."""
    load = world.load()
    with load.running(LOAD_SECONDS):
        time.sleep(BROKEN_AFTER_SECONDS)
        breaking()
        over = time.monotonic()
    say(judge(name, load, over, refused=refused))


def test_all_of_web_killed(world: World, say: Say) -> None:
    broken(world, lambda: kill_with_children(world.stack, "web"), "F2", say)


def test_worker_told_to_stop(world: World, say: Say) -> None:
    broken(world, lambda: os.kill(world.stack.pid("worker"), signal.SIGTERM), "F5", say, refused=False)


def test_engine_told_to_stop(world: World, say: Say) -> None:
    broken(world, lambda: os.kill(world.stack.pid("engine"), signal.SIGTERM), "F5 engine", say, refused=False)


def test_one_backend_killed(world: World, say: Say) -> None:
    """Postgres then cuts every connection and recovers."""

    def kill() -> None:
        (pid,) = world.postgres.run("SELECT pid FROM pg_stat_activity WHERE datname = 'breadmate' LIMIT 1")[0]
        os.kill(int(pid), signal.SIGKILL)

    broken(world, kill, "F7", say)


def test_valkey_hangs(world: World, say: Say) -> None:
    def hang() -> None:
        pid = world.stack.pid("valkey")
        os.kill(pid, signal.SIGSTOP)
        time.sleep(5.0)
        os.kill(pid, signal.SIGCONT)

    broken(world, hang, "F8 hanging", say, refused=False)


def test_valkey_full(world: World, say: Say) -> None:
    def fill() -> None:
        valkey = redis.Redis.from_url(world.stack.env["REDIS_URL"])
        valkey.config_set("maxmemory", "1")
        time.sleep(5.0)
        valkey.config_set("maxmemory", "0")

    broken(world, fill, "F8 full", say, refused=False)


def test_database_reset_again_and_again(world: World, say: Say) -> None:
    def reset() -> None:
        for _ in range(10):
            world.way.set(Mode.RESET)
            world.way.set(Mode.OK)
            time.sleep(0.5)

    broken(world, reset, "F9 reset", say)


def test_database_cut_off_for_thirty_seconds(world: World, say: Say) -> None:
    def cut_off() -> None:
        world.way.set(Mode.BLACKHOLE)
        time.sleep(30.0)
        world.way.set(Mode.OK)

    broken(world, cut_off, "F9 30 s", say)


def test_database_slow(world: World, say: Say) -> None:
    def slow() -> None:
        world.way.set(Mode.LATENCY, delay=0.1)
        time.sleep(8.0)
        world.way.set(Mode.OK)

    broken(world, slow, "F10", say)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk with room for little more than an empty shop; only root can have one."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = Path(f"/var/tmp/breadmate-small-disk-{os.getpid()}")
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("nothing can be mounted here")
    folder.chmod(0o755)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


def test_disk_full(small_disk: Path, say: Say) -> None:
    """What is not refused in good form fails it: a 500 for a full disk would."""
    with world_with(disk=small_disk) as world:

        def fill() -> None:
            ballast = small_disk / "ballast"
            with ballast.open("wb") as file:
                try:
                    while True:
                        file.write(bytes(1 << 20))
                        file.flush()
                except OSError:
                    assert shutil.disk_usage(small_disk).free < 1 << 20
            time.sleep(8.0)
            ballast.unlink()

        broken(world, fill, "F16", say)


def test_rolling_restart(world: World, say: Say) -> None:
    """Seen red with SIGKILL in place of SIGHUP, as F1 shows."""

    def roll() -> None:
        for _ in range(2):
            os.kill(world.stack.pid("web"), signal.SIGHUP)
            time.sleep(5.0)

    broken(world, roll, "F18", say, refused=False)


def test_table_changed(world: World, say: Say) -> None:
    """While somebody holds it; Postgres lets no order past a change that waits, hence the short waits for it."""

    def change() -> None:
        held = psycopg.connect(world.postgres.url())
        held.execute("SELECT count(*) FROM orders_order")
        changing = Thread(target=world.stack.manage, args=("shell", "-v0", "-c", ADD_COLUMN))
        changing.start()
        time.sleep(6.0)
        held.close()
        changing.join()
        assert world.postgres.run("SELECT fault_probe FROM orders_order LIMIT 1") == [(None,)]

    try:
        broken(world, change, "F19", say, refused=False)
    finally:
        world.postgres.run("ALTER TABLE orders_order DROP COLUMN IF EXISTS fault_probe")


def test_no_connection_left(world: World, say: Say) -> None:
    def take_all() -> None:
        with ExitStack() as taken:
            own = taken.enter_context(psycopg.connect(world.postgres.url("postgres"), autocommit=True))
            for _ in range(2):
                own.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'breadmate'")
                try:
                    for _ in range(200):
                        taken.enter_context(psycopg.connect(world.postgres.url("postgres")))
                except psycopg.OperationalError:
                    pass
            time.sleep(5.0)

    broken(world, take_all, "F20", say)


def test_deadlock_is_refused_and_the_same_key_succeeds(world: World) -> None:
    """F21: a rival takes two rows of stock in the other order and is the more patient of the two."""
    kiosk = world.shop.kiosks[0]
    menu = kiosk.get("/api/v1/menu").body
    wanted = [{"product": product(menu, slug)["id"], "quantity": 1} for slug in ("torta-de-limao", "pudim")]
    cart, key = {"dining_option": "eat_in", "items": wanted}, new_key()
    before = dict(world.postgres.run("SELECT id, reserved FROM inventory_stocklevel"))
    assert kiosk.post("/api/v1/orders/checkout", cart, key=new_key()).status == 201
    after = world.postgres.run("SELECT id, reserved FROM inventory_stocklevel ORDER BY id")
    held = [level for level, reserved in after if reserved != before[level]]
    assert len(held) >= 2
    told: list[Reply] = []
    with psycopg.connect(world.postgres.url()) as rival:
        rival.execute("SET deadlock_timeout = '30s'")
        for level in reversed(held[1:]):
            rival.execute("SELECT 1 FROM inventory_stocklevel WHERE id = %s FOR UPDATE", [level])
        asking = Thread(target=lambda: told.append(kiosk.post("/api/v1/orders/checkout", cart, key=key)))
        asking.start()
        wait_for(lambda: world.postgres.run("SELECT 1 FROM pg_locks WHERE NOT granted"), "the order to wait")
        rival.execute("SELECT 1 FROM inventory_stocklevel WHERE id = %s FOR UPDATE", [held[0]])
        asking.join()
    assert (told[0].status, told[0].body["code"]) == (503, "database_unavailable")
    assert "Retry-After" in told[0].headers
    assert kiosk.post("/api/v1/orders/checkout", cart, key=key).status == 201

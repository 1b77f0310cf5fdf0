"""The whole way: a shop that sells, its disk gone at once, brought back by the commands of docs/operations.md."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from breadmate.backup import age
from tests.blackbox.client import Caller, new_key, product, wait_for
from tests.stack import PROJECT, Stack

pytestmark = pytest.mark.long

MOST_LOST_SECONDS = 60


@pytest.fixture
def elsewhere() -> Generator[Path]:
    """Another disk, with the folder of the backups and a copy of the key."""
    folder = Path(tempfile.mkdtemp(prefix="breadmate-elsewhere-", dir="/tmp"))
    (folder / "backups").mkdir()
    yield folder
    shutil.rmtree(folder)


class Till:
    """Somebody who buys one coffee after the other and writes down which numbers were promised, and when."""

    def __init__(self, stack: Stack) -> None:
        self.kiosk = Caller(stack.base_url, stack.demo["stores"][0]["devices"]["kiosk"])
        coffee = product(self.kiosk.get("/api/v1/menu").body, "cafe-coado")
        self.basket = {"dining_option": "take_out", "items": [{"product": coffee["id"], "quantity": 1}]}
        self.promised: dict[str, tuple[int, datetime]] = {}

    def sell(self) -> int:
        placed = self.kiosk.post("/api/v1/orders/checkout", self.basket, key=new_key())
        assert placed.status == 201, placed.raw
        number = int(placed.body["number"][1:])
        self.promised[placed.body["id"]] = (number, datetime.now(UTC))
        return number


def read(path: Path) -> dict[str, object]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def backup(stack: Stack, *words: str, key: Path) -> subprocess.CompletedProcess[str]:
    """What ``make restore`` runs."""
    command = [sys.executable, "-m", "breadmate.backup", *words]
    environ = stack.environ | {"BACKUP_KEY": str(key)}
    return subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.timeout(420)
def test_shop_comes_back_from_a_lost_disk(elsewhere: Path) -> None:
    folder, key = elsewhere / "backups", elsewhere / "backup.key"
    limits = {"LIMIT_OPEN_UNPAID": "100000", "LIMIT_CHECKOUT_PER_MINUTE": "100000", "ORDER_TTL_SECONDS": "3600"}
    stack = Stack(settings={"BACKUP_DIR": str(folder)} | limits)
    try:
        till = Till(stack.start())
        # It sells while the first copy is made and tried out, and on until the log has been put away once more.
        wait_for(lambda: till.sell() and read(folder / "drill.json"), "the first drill", 120)
        assert read(folder / "drill.json")["ok"], stack.tail()
        drilled = (folder / "status.json").stat().st_mtime_ns
        wait_for(lambda: till.sell() and (folder / "status.json").stat().st_mtime_ns > drilled, "the log", 60)
        shutil.copy(stack.run_dir / "backup.key", key)

        # The disk goes, and everything that was on it.
        for _ in range(10):
            till.sell()
        died_at = datetime.now(UTC)
        for name in ("backup", "postgres"):
            os.kill(stack.pid(name), signal.SIGKILL)
        stack.stop()
        shutil.rmtree(stack.run_dir)

        refused = subprocess.run(
            stack.command, cwd=PROJECT, env=stack.environ, capture_output=True, text=True, check=False
        )
        assert (refused.returncode, "make restore" in refused.stderr) == (1, True), refused.stderr
        age.make_key(elsewhere / "wrong.key")
        refused = backup(stack, "restore", key=elsewhere / "wrong.key")
        assert (refused.returncode, "Esta chave não abre" in refused.stderr) == (1, True), refused.stderr
        restored = backup(stack, "restore", key=key)
        assert restored.returncode == 0, restored.stdout + restored.stderr
        assert "Auditoria: todas as regras valem." in restored.stdout

        promised, till = till.promised, Till(stack.start())
        with psycopg.connect(stack.env["DATABASE_URL"]) as database:
            there = {str(id_) for (id_,) in database.execute("SELECT id FROM orders_order")}
        missing = {id_: given for id_, given in promised.items() if id_ not in there}
        ages = [(died_at - at).total_seconds() for _, at in missing.values()]
        print(restored.stdout)
        print(
            f"{len(promised)} orders promised, {len(missing)} lost, the oldest {max(ages, default=0):.1f} s before the end"
        )
        assert max(ages, default=0) <= MOST_LOST_SECONDS
        assert till.sell() > max(number for number, _ in promised.values())
        # It is kept on with the same folder and key.
        kept = (folder / "status.json").stat().st_mtime_ns
        wait_for(lambda: (folder / "status.json").stat().st_mtime_ns > kept, "the keeper to go on", 60)
        assert b"SECRET" not in b"".join(path.read_bytes() for path in folder.rglob("*.age"))
    finally:
        stack.close()

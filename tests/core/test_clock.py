"""F15: a process whose clock is wrong by minutes takes no work, and terms go by the database's."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.core import clock

PROJECT = Path(__file__).resolve().parents[2]
WRONG_CLOCK = f"/usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketimeMT.so.1"
ASK_READY = """
import django
django.setup()
from django.test import Client
answer = Client(headers={"Host": "127.0.0.1"}).get("/health/ready")
print(answer.status_code, answer.json()["status"])
"""
WORKER = [
    "-m",
    "celery",
    "-A",
    "breadmate",
    "worker",
    "-P",
    "threads",
    "-c",
    "1",
    "--without-gossip",
    "--without-mingle",
]


def by_a_clock_that_is(wrong: str, *command: str) -> "subprocess.CompletedProcess[str]":
    if not Path(WRONG_CLOCK).exists():
        pytest.skip(f"no {WRONG_CLOCK} (Debian's libfaketime)")
    env = {"DB_POOL": "0", "REDIS_URL": "", "PYTHONPATH": str(PROJECT), "FAKETIME": wrong}
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **env, "LD_PRELOAD": WRONG_CLOCK, "DJANGO_SETTINGS_MODULE": "breadmate.settings"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("wrong", "said"), [("+10m", "503 clock_differs"), ("-10m", "503 clock_differs"), ("+10s", "503 migrating")]
)
def test_web_process_with_a_wrong_clock_is_not_ready(wrong: str, said: str) -> None:
    """On the server's own database, which has no tables. Seen red without the look at the clock."""
    done = by_a_clock_that_is(wrong, "-c", ASK_READY)

    assert done.stdout.splitlines()[-1:] == [said], done.stderr


def test_worker_with_a_wrong_clock_does_not_start() -> None:
    done = by_a_clock_that_is("-1h", *WORKER)

    assert done.returncode == 1
    assert "clock here and the database's differ by 0:59:59" in done.stderr or "by 1:00:00" in done.stderr


def test_clocks_of_one_machine_agree(db: None) -> None:
    assert clock.skew() < timedelta(seconds=1)
    assert abs(clock.database_now() - datetime.now(UTC)) < timedelta(seconds=30)

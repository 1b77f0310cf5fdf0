"""A whole BreadMate beside the one of the developer: own ports, own RUN_DIR, gone after the test.

Register it with ``pytest_plugins = ["tests.stack"]``; ``stack`` is one for the session, ``Stack`` makes more.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Self

import pytest

from breadmate.up import leash, servers

PROJECT = Path(__file__).resolve().parents[1]
READY_SECONDS = 180.0
STOP_SECONDS = 20.0
TAIL_LINES = 80
PORTS_IN_A_ROW = 4
# What the test run itself was given must not reach a stack that stands for a fresh machine.
NOT_INHERITED = (
    *("DATABASE_URL", "REDIS_URL", "DB_POOL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "PUBLIC_URL", "STREAM_URL"),
    *("BIND", "METRICS_PORT", "TLS_CERT", "TLS_KEY", "DEMO", "WEB_WORKERS", "STATIC_ROOT", "MEDIA_ROOT"),
)
PREFIXES_NOT_INHERITED = ("BREADMATE_", "BACKUP_", "MP_", "LIMIT_", "TRAINING_", "ORDER_", "COUNTER_", "PYTEST_")


def free_ports() -> int:
    """Find a port that is free together with the ones after it, below those the system hands out by itself."""
    while True:
        first = random.randrange(20_000, 32_000, PORTS_IN_A_ROW)
        probes = [socket.socket() for _ in range(PORTS_IN_A_ROW)]
        try:
            for offset, probe in enumerate(probes):
                probe.bind(("127.0.0.1", first + offset))
        except OSError:
            continue
        else:
            return first
        finally:
            for probe in probes:
                probe.close()


class Stack:
    """One ``python -m breadmate.up`` with its folder.

    Args:
        command: what starts it, ``("./run",)`` for the way a user does.
        settings: environment variables on top of the defaults.
        run_dir: kept after ``stop`` when given; else a folder of its own, removed with it.
    """

    def __init__(
        self,
        *,
        project: Path = PROJECT,
        command: tuple[str, ...] = (sys.executable, "-m", "breadmate.up"),
        settings: Mapping[str, str] | None = None,
        run_dir: Path | None = None,
    ) -> None:
        self.project = project
        self.command = command
        self.port = free_ports()
        self._own_folder = Path(tempfile.mkdtemp(prefix="breadmate-stack-", dir="/tmp"))
        self._own_folder.chmod(0o711)
        self.run_dir = run_dir or self._own_folder / "run"
        self.log_path = self._own_folder / "output.log"
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        inherited = {name: value for name, value in inherited.items() if not name.startswith(PREFIXES_NOT_INHERITED)}
        self.environ = inherited | {"PORT": str(self.port), "RUN_DIR": str(self.run_dir)} | dict(settings or {})
        self.supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start and wait until it says READY."""
        with self.log_path.open("ab") as log:
            told_before = self.log_path.stat().st_size
            self.supervisor = subprocess.Popen(
                self.command,
                cwd=self.project,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=leash.on_parent_death(signal.SIGTERM),  # noqa: PLW1509 - it calls one C function
            )
        end = time.monotonic() + READY_SECONDS
        while b"READY in" not in self.log_path.read_bytes()[told_before:]:
            if self.supervisor.poll() is not None or time.monotonic() > end:
                self.stop()
                raise AssertionError(f"the stack did not start:\n{self.tail()}")
            time.sleep(0.1)
        return self

    @property
    def demo(self) -> dict[str, Any]:
        """What `demo.json` says: addresses, stores with device tokens, logins."""
        return dict(json.loads((self.run_dir / "demo.json").read_text()))

    @property
    def base_url(self) -> str:
        """Where web answers."""
        return str(self.demo["base_url"])

    @property
    def stream_url(self) -> str:
        """Where the live streams are."""
        return str(self.demo["stream_url"])

    @property
    def simulator_url(self) -> str:
        """Where the payment simulator answers."""
        return str(self.demo["simulator_url"])

    @property
    def env(self) -> dict[str, str]:
        """The settings of the running stack, as commands joining it read them."""
        lines = (self.run_dir / "env").read_text().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run now, by name."""
        return dict(json.loads((self.run_dir / "pids.json").read_text()))

    def pid(self, name: str) -> int:
        """Give the process of one child; KeyError while it is down."""
        return self.pids[name]

    def kill(self, name: str) -> int:
        """Kill one child without warning and return the pid it had; one that is still to start is waited for."""
        pid = self.wait_for_new(name, -1)
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_for_new(self, name: str, old_pid: int, *, seconds: float = 30.0) -> int:
        """Wait until a killed child has been started again; return its new pid."""
        end = time.monotonic() + seconds
        while (pid := self.pids.get(name, old_pid)) == old_pid:
            assert time.monotonic() < end, f"{name} was not started again:\n{self.tail()}"
            time.sleep(0.05)
        return pid

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a management command that joins this stack."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=self.project, env=self.environ, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done

    def processes(self) -> dict[int, str]:
        """Find every process of this stack but the supervisor, known by what it inherited, as pid → command line."""
        account, tag = servers.postgres_account(), servers.tag_of(self.run_dir)
        return leash.survivors(self.run_dir, servers.data_folder(self.run_dir, account, tag))

    def stop(self, number: signal.Signals = signal.SIGINT) -> int | None:
        """Stop it the way a user does and return the exit code; its own folder stays for ``tail``."""
        if self.supervisor is None:
            return None
        if self.supervisor.poll() is None:
            self.supervisor.send_signal(number)
        try:
            return self.supervisor.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
            self.supervisor.wait()
            raise AssertionError(f"the stack did not stop in {STOP_SECONDS:.0f} s:\n{self.tail()}") from None

    def close(self) -> None:
        """Stop, whatever its state, and remove its folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self._own_folder, ignore_errors=True)

    def tail(self) -> str:
        """Give the end of everything the stack printed."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-TAIL_LINES:])

    def __enter__(self) -> Self:
        """Start it for the length of a ``with``."""
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        """Stop it and remove its folder."""
        self.close()


@pytest.fixture(scope="session")
def stack() -> Generator[Stack]:
    """One running BreadMate with the demo shop, shared by all tests of the session."""
    with Stack() as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a stack printed beside the failure of a test that used it."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Stack):
                report.sections.append((f"last lines of {name}", value.tail()))
    return report

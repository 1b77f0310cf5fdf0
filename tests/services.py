"""A Postgres and a Valkey for one test run, up in less than a second and gone with it.

Loaded by ``-p tests.services`` (pyproject.toml), because settings are read before any conftest. With ``DATABASE_URL``
or ``REDIS_URL`` given, that server is used and none is started. The processes of xdist share the servers: each gets its
own database from pytest-django and its own Redis number from here.
"""

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from breadmate.up import leash, servers

PREFIX = "breadmate-test-"
FOLDERS = Path("/tmp")
START_SECONDS = 60.0
LIMITS = ("CHECKOUT_PER_MINUTE", "OPEN_UNPAID", "MENU_PER_MINUTE", "PAIR_PER_QUARTER_HOUR")  # tests of these set them
TEST_SETTINGS = {"DB_POOL": "0", "MP_RATE": "1000", "SECRET_KEY": "for-tests-only-" + "t" * 40, "BREADMATE_ENV": "test"}
TEST_SETTINGS |= {f"LIMIT_{name}": "100000" for name in LIMITS}
# Nothing here outlives the run, so nothing needs to reach a disk.
POSTGRES_SETTINGS = servers.POSTGRES_SETTINGS | {
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "60s",
    "max_connections": "200",  # sixty buyers at once, in each of two processes
}


class Throwaway:
    """The servers of one run, and the folder all of theirs is in."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._programs: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []

    def start(self) -> None:
        """Start what the environment does not name, and name it there."""
        if "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
            remove_stale_folders()
            self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=FOLDERS))
            self.folder.chmod(0o711)
            (self.folder / "pid").write_text(str(os.getpid()))
        answers = []
        if "DATABASE_URL" not in os.environ:
            answers.append(self._start_postgres())
        if "REDIS_URL" not in os.environ:
            answers.append(self._start_valkey())
        end = time.monotonic() + START_SECONDS
        while not all(answer() for answer in answers):
            if time.monotonic() > end or any(program.poll() is not None for program, _ in self._programs):
                raise pytest.UsageError(f"The servers for the tests do not start: see the logs in {self.folder}")
            time.sleep(0.02)
        for name, value in TEST_SETTINGS.items():
            os.environ.setdefault(name, value)

    def stop(self) -> None:
        """End the servers without ceremony and remove their folder."""
        for program, number in self._programs:
            program.send_signal(number)
        for program, _ in self._programs:
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        self._programs.clear()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _start_postgres(self) -> Callable[[], bool]:
        assert self.folder is not None
        account, data = servers.postgres_account(), self.folder / "pg"
        programs = servers.postgres_programs(account)
        sockets = servers.private_folder(self.folder / "sql", account)

        def initdb(command: list[str]) -> str | None:
            words = [*command, "--no-sync"]
            made = subprocess.run(words, cwd="/", capture_output=True, text=True, check=False, **account.switch)
            return made.stderr if made.returncode else None

        servers.create_cluster(programs, data, account, initdb)
        command = servers.postgres_command(programs, data, sockets, POSTGRES_SETTINGS)
        self._launch("postgres", command, signal.SIGQUIT, account)
        os.environ["DATABASE_URL"] = servers.database_url(sockets, "postgres")
        return lambda: servers.postgres_answers(programs, sockets)

    def _start_valkey(self) -> Callable[[], bool]:
        assert self.folder is not None
        path = self.folder / "valkey.sock"
        command = servers.valkey_command(path, self.folder, "--save", "", "--databases", "64")
        self._launch("valkey", command, signal.SIGKILL, servers.myself())
        os.environ["REDIS_URL"] = servers.redis_url(path)
        return lambda: servers.valkey_answers(path)

    def _launch(self, name: str, command: list[str], end: signal.Signals, account: servers.Account) -> None:
        """Start a server that a killed test run takes with it; not in our session, so Ctrl-C reaches only pytest."""
        assert self.folder is not None
        with (self.folder / f"{name}.log").open("wb") as log:
            program = subprocess.Popen(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=leash.on_parent_death(end),  # noqa: PLW1509 - no other thread runs this early
                **account.switch,
            )
        self._programs.append((program, end))


def remove_stale_folders() -> None:
    """Remove the folders of runs that were killed before they could."""
    for folder in FOLDERS.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if folder.stat().st_uid == os.geteuid() and not leash.is_alive(int((folder / "pid").read_text())):
                shutil.rmtree(folder, ignore_errors=True)


_throwaway = Throwaway()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """Have the servers ready before pytest-django reads the settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        atexit.register(_throwaway.stop)  # whatever ends the run before pytest_unconfigure
        _throwaway.start()
    elif "?db=0" in os.environ["REDIS_URL"]:
        os.environ["REDIS_URL"] = os.environ["REDIS_URL"].replace("?db=0", f"?db={int(worker.removeprefix('gw')) + 1}")
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Take the servers down when all processes of the run are done."""
    _throwaway.stop()

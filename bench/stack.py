"""The real servers for one bench run, in a folder of its own: Postgres with fsync on, Valkey, gunicorn with gthread workers."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from breadmate.up import plan, servers, services

PROJECT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
TICK = os.sysconf("SC_CLK_TCK")
LIMITS = {
    f"LIMIT_{name}": "1000000" for name in ("CHECKOUT_PER_MINUTE", "OPEN_UNPAID", "MENU_PER_MINUTE")
}  # what people are protected by is measured too, only not reached


@dataclass
class Program:
    """One running server."""

    process: subprocess.Popen[bytes]
    end: signal.Signals = signal.SIGTERM

    def cpu_seconds(self) -> float:
        """Return what it and all its children, also those that have ended, have used."""
        return _cpu(self.process.pid, with_ended=True) + sum(
            _cpu(pid, with_ended=True) for pid in _children(self.process.pid)
        )

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(self.end)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _cpu(pid: int, *, with_ended: bool) -> float:
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, told[11 : 15 if with_ended else 13])) / TICK


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@dataclass
class Postgres:
    """A cluster of its own."""

    program: Program
    programs: Path
    sockets: Path
    account: servers.Account

    def url(self, database: str) -> str:
        """Say where a database of it is."""
        return servers.database_url(self.sockets, database)

    def run(self, database: str, *statements: str) -> Any:
        """Run statements one by one, each by itself; return the last one's first value."""
        value = None
        with psycopg.connect(self.url(database), autocommit=True) as server:
            for statement in statements:
                found = server.execute(statement)  # type: ignore[call-overload]  # our own text
                row = found.fetchone() if found.description else None
                value = row[0] if row else None
        return value


@dataclass
class Bench:
    """What a run has started; everything ends with it."""

    folder: Path
    postgres: Postgres
    redis_url: str
    running: list[Program] = field(default_factory=list)

    def web(self, project: Path, database: str, port: int, **settings: str) -> Program:
        """Start the web process of a version as ``./run`` does, limits raised, and wait until it answers."""
        environ = self.environ(database, port) | settings
        command = services.web(plan.read(environ), environ).command
        folder = self.folder / f"metrics-{port}"
        folder.mkdir()
        return self._serve(
            command, project, environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder), "BREADMATE_ROLE": "web"}, port
        )

    def hello(self, port: int) -> Program:
        """Start a plain Django on the same workers."""
        environ = self.environ("postgres", port)
        command = [
            "bench.hello:application" if "wsgi:" in word else word
            for word in services.web(plan.read(environ), environ).command
        ]
        return self._serve(command, PROJECT, environ, port)

    def environ(self, database: str, port: int) -> dict[str, str]:
        """Return the settings of one web process."""
        given = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        return given | LIMITS | {
            "PORT": str(port),
            "RUN_DIR": str(self.folder),
            "STATIC_ROOT": str(self.folder / "static"),
            "DATABASE_URL": self.postgres.url(database),
            "REDIS_URL": self.redis_url,
            "BREADMATE_ENV": "test",
            "LOG_FORMAT": "json",
            "WEB_WORKERS": "2",
        }  # fmt: skip

    def fill(self, project: Path, database: str, *words: str) -> dict[str, Any]:
        """Make a database of a version, migrate and seed it; return who may order what."""
        self.postgres.run("postgres", f"CREATE DATABASE {database}")
        environ = self.environ(database, 1) | {"DB_POOL": "0"}
        manage = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(manage, cwd=project, env=environ, check=True)
        seed = [sys.executable, str(PROJECT / "bench" / "seed.py"), *words]
        told = subprocess.run(seed, cwd=project, env=environ, check=True, stdout=subprocess.PIPE, text=True)
        self.postgres.run(database, "VACUUM ANALYZE")
        world: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
        return world

    def _serve(self, command: list[str], project: Path, environ: dict[str, str], port: int) -> Program:
        with (self.folder / f"web-{port}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=project, env=environ, stdout=log, stderr=log)
        program = Program(process)
        self.running.append(program)
        _wait(lambda: _answers(port), f"port {port}")
        return program


@contextlib.contextmanager
def bench() -> Iterator[Bench]:
    """Start Postgres and Valkey in a new folder; everything is gone afterwards, whatever ends the run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="breadmate-bench-", dir="/var/tmp"))
    folder.chmod(0o711)
    account = servers.postgres_account()
    programs, data = servers.postgres_programs(account), folder / "pg"
    sockets = servers.private_folder(folder / "sql", account)

    def initdb(command: list[str]) -> str | None:
        made = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **account.switch)
        return made.stderr if made.returncode else None

    started: list[Program] = []
    made: Bench | None = None
    try:
        servers.create_cluster(programs, data, account, initdb)
        with (folder / "postgres.log").open("wb") as log:
            command = servers.postgres_command(programs, data, sockets, servers.POSTGRES_SETTINGS)
            process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log, **account.switch)
            started.append(Program(process, signal.SIGINT))
            _wait(lambda: servers.postgres_answers(programs, sockets), "Postgres")
        path = folder / "valkey.sock"
        with (folder / "valkey.log").open("wb") as log:
            process = subprocess.Popen(
                servers.valkey_command(path, folder, "--save", ""), cwd="/", stdout=log, stderr=log
            )
            started.append(Program(process))
            _wait(lambda: servers.valkey_answers(path), "Valkey")
        made = Bench(folder, Postgres(started[0], programs, sockets, account), servers.redis_url(path))
        yield made
    finally:
        for program in [*(made.running if made else []), *reversed(started)]:
            program.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def _wait(condition: Any, what: str) -> None:
    end = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.1)

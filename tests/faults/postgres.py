"""A Postgres of a test's own, on a TCP port, that keeps what it acknowledged: it is killed and comes back."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psycopg

from breadmate.up import leash, servers

START_SECONDS = 60.0


class Postgres:
    """One cluster; ``data`` may be a folder of another disk.

    Args:
        settings: of the server, on top of those a shop has.
    """

    def __init__(self, folder: Path, port: int, *, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = port
        self.data = folder / "pg"
        self.account = servers.postgres_account()
        self.programs = servers.postgres_programs(self.account)
        self.settings = servers.POSTGRES_SETTINGS | {"listen_addresses": "127.0.0.1", "port": str(port)}
        self.settings |= dict(settings or {})
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o711)
        self.sockets = servers.private_folder(self.folder / "sql", self.account)
        servers.create_cluster(self.programs, self.data, self.account, self._initdb)
        self.start()
        self.run("CREATE DATABASE breadmate", database="postgres")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it takes connections; after a kill it recovers first."""
        with (self.folder / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                servers.postgres_command(self.programs, self.data, self.sockets, self.settings),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=leash.on_parent_death(signal.SIGQUIT),  # noqa: PLW1509 - it calls one C function
                **self.account.switch,
            )
        end = time.monotonic() + START_SECONDS
        while not self.answers():
            assert time.monotonic() < end, (self.folder / "postgres.log").read_text()[-2000:]
            time.sleep(0.05)

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """Kill the postmaster without warning; its children see it and end."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def url(self, database: str = "breadmate", *, port: int | None = None) -> str:
        """Say where a database is, or where it is reached through another port."""
        return f"postgres://{servers.SUPERUSER}@127.0.0.1:{port or self.port}/{database}"

    def run(self, statement: str, *values: Any, database: str = "breadmate") -> list[tuple[Any, ...]]:
        """Run one statement by itself, past every proxy, and return its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as server:
            found = server.execute(statement, values or None)  # type: ignore[call-overload]  # our own text
            return list(found.fetchall()) if found.description else []

    def _initdb(self, command: list[str]) -> str | None:
        made = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **self.account.switch)
        return made.stderr if made.returncode else None

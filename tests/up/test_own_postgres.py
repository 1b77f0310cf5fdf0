"""A shop on a Postgres of its own: backups of it, shipped elsewhere, and the way back by the words of docs/operations.md."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from breadmate.backup import age
from breadmate.up import servers
from tests.blackbox.client import wait_for
from tests.docs.documents import command
from tests.stack import PROJECT, Stack, free_ports
from tests.up.test_lost_disk import MOST_LOST_SECONDS, Till, read

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        shutil.which("rclone") is None, reason="rclone is missing. Type:  sudo apt-get install -y rclone"
    ),
]
DOCS = PROJECT / "docs"
HOOK = re.compile(r"`BACKUP_HOOK=(rclone [^`]+)`")


class OwnPostgres:
    """A server that is not ours: its own port and settings file, passwords, a role that is no superuser."""

    def __init__(self, folder: Path) -> None:
        self.account = servers.postgres_account()
        self.programs = servers.postgres_programs(self.account)
        self.folder, self.port = folder, free_ports()
        self.url = f"postgres://loja:s%40nha@127.0.0.1:{self.port}/padaria"
        self.program: subprocess.Popen[bytes] | None = None

    def make(self, data: Path) -> None:
        """Make it as its owner would: a role for the shop that may replicate, and a database."""
        servers.private_folder(data, self.account)
        password = self.folder / "password"
        password.write_text("dono")
        words = ["-D", str(data), "-U", "dono", "-A", "scram-sha-256", "--pwfile", str(password), "--no-sync"]
        initdb = [str(self.programs / "initdb"), *words]
        made = subprocess.run(initdb, cwd="/", capture_output=True, text=True, check=False, **self.account.switch)
        assert made.returncode == 0, made.stderr
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(f"port = {self.port}\nunix_socket_directories = ''\nmax_connections = 150\n")
        self.start(data)
        with psycopg.connect(f"postgres://dono:dono@127.0.0.1:{self.port}/postgres", autocommit=True) as owner:
            owner.execute("CREATE ROLE loja LOGIN REPLICATION PASSWORD 's@nha'")
            owner.execute("CREATE DATABASE padaria OWNER loja")

    def start(self, data: Path) -> None:
        with (self.folder / "postgres.log").open("ab") as log:
            postgres = [str(self.programs / "postgres"), "-D", str(data)]
            self.program = subprocess.Popen(postgres, cwd="/", stdout=log, stderr=log, **self.account.switch)
        wait_for(self._answers, "the server")

    def stop(self, number: signal.Signals) -> None:
        if self.program is not None and self.program.poll() is None:
            self.program.send_signal(number)
            self.program.wait()

    def _answers(self) -> bool:
        asked = [str(self.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, cwd="/", check=False).returncode == 0


@pytest.fixture
def own(open_folder: Path) -> Generator[OwnPostgres]:
    server = OwnPostgres(open_folder)
    try:
        yield server
    finally:
        server.stop(signal.SIGQUIT)


def type_in(stack: Stack, shown: str, **environ: str) -> subprocess.CompletedProcess[str]:
    words = ["/bin/sh", "-c", shown]
    return subprocess.run(words, cwd=PROJECT, env=stack.environ | environ, capture_output=True, text=True, check=False)


@pytest.mark.timeout(420)
def test_shop_on_its_own_postgres_comes_back_from_a_cloud(open_folder: Path, own: OwnPostgres) -> None:
    data, new, cloud = open_folder / "main", open_folder / "new", open_folder / "cloud"
    (open_folder / "rclone.conf").write_text(f"[minha-nuvem]\ntype = alias\nremote = {cloud}\n")
    own.make(data)
    folder, key = open_folder / "backups", open_folder / "backup.key"
    folder.mkdir()
    limits = {"LIMIT_OPEN_UNPAID": "100000", "LIMIT_CHECKOUT_PER_MINUTE": "100000", "ORDER_TTL_SECONDS": "3600"}
    path = f"{own.programs}{os.pathsep}{os.environ['PATH']}"
    hooks = {
        found for page in ("operations.md", "operacao.pt-BR.md") for found in HOOK.findall((DOCS / page).read_text())
    }
    assert len(hooks) == 1
    shipping = {"BACKUP_HOOK": hooks.pop(), "RCLONE_CONFIG": str(open_folder / "rclone.conf")}
    settings = {"DATABASE_URL": own.url, "PATH": path, "BACKUP_DIR": str(folder)} | shipping
    stack = Stack(settings=settings | limits)
    try:
        till = Till(stack.start())
        wait_for(lambda: till.sell() and read(folder / "drill.json"), "the first drill", 120)
        assert read(folder / "drill.json")["ok"], stack.tail()
        drilled = (folder / "status.json").stat().st_mtime_ns
        wait_for(lambda: till.sell() and (folder / "status.json").stat().st_mtime_ns > drilled, "the log", 60)
        shutil.copy(stack.run_dir / "backup.key", key)
        wait_for(lambda: till.sell() and (cloud / "breadmate" / "drill.json").exists(), "the copy elsewhere", 60)
        wait_for(lambda: read(folder / "status.json").get("hook_failed") is False, "a copy that went well", 60)

        for _ in range(10):
            till.sell()
        died_at = datetime.now(UTC)
        own.stop(signal.SIGQUIT)
        stack.stop()
        for lost in (data, folder):
            shutil.rmtree(lost)

        fetched = type_in(stack, command("rclone sync").replace("/media/backup/breadmate", str(folder)))
        assert fetched.returncode == 0, fetched.stderr
        age.make_key(open_folder / "wrong.key")
        refused = type_in(stack, f"make restore INTO={new}", BACKUP_KEY=str(open_folder / "wrong.key"))
        assert (refused.returncode, "Esta chave não abre" in refused.stderr) == (2, True), refused.stderr
        assert not new.exists()
        before = open_folder.stat().st_mode
        restored = type_in(stack, f"make restore INTO={new}", BACKUP_KEY=str(key))
        assert restored.returncode == 0, restored.stdout + restored.stderr
        assert "Auditoria: todas as regras valem." in restored.stdout
        assert open_folder.stat().st_mode == before
        own.start(new)

        promised, till = till.promised, Till(stack.start())
        with psycopg.connect(own.url) as database:
            there = {str(id_) for (id_,) in database.execute("SELECT id FROM orders_order")}
        ages = [(died_at - at).total_seconds() for id_, (_, at) in promised.items() if id_ not in there]
        print(restored.stdout)
        print(
            f"{len(promised)} orders promised, {len(ages)} lost, the oldest {max(ages, default=0):.1f} s before the end"
        )
        assert max(ages, default=0) <= MOST_LOST_SECONDS
        came_back = max(number for id_, (number, _) in promised.items() if id_ in there)
        assert till.sell() == came_back + 101
    finally:
        stack.close()

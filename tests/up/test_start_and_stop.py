"""How a stack starts, refuses to start, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from breadmate.up import leash, servers
from tests.stack import PROJECT, Stack, free_ports

GONE_SECONDS = 10.0


def start_and_fail(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "breadmate.up"]
    return subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_second_start_is_refused_in_one_line(stack: Stack) -> None:
    refused = start_and_fail(stack.environ)

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == (
        f"BreadMate is already running: pid {stack.pid('supervisor')}, {stack.base_url} "
        "(another one beside it: set PORT and RUN_DIR)\n"
    )
    assert leash.is_alive(stack.pid("supervisor"))


@pytest.mark.parametrize(("offset", "setting"), [(0, "PORT"), (1, "PORT"), (2, "METRICS_PORT"), (3, "PORT")])
def test_taken_port_is_one_line_that_names_port_and_setting(open_folder: Path, offset: int, setting: str) -> None:
    first = free_ports()
    environ = {**os.environ, "PORT": str(first), "RUN_DIR": str(open_folder / "run")}
    environ.pop("MP_BASE_URL", None)

    with socket.create_server(("127.0.0.1", first + offset)):
        refused = start_and_fail(environ)

    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert f"Port {first + offset} " in refused.stderr
    assert f"set {setting} " in refused.stderr
    assert leash.survivors(open_folder / "run", open_folder / "run" / "pg") == {}
    assert not (open_folder / "run" / "pg").exists()


def test_data_of_another_postgres_is_refused_in_one_line(open_folder: Path) -> None:
    run_dir = open_folder / "run"
    run_dir.mkdir(mode=0o755)
    account = servers.postgres_account()
    data = servers.data_folder(run_dir, account, servers.tag_of(run_dir))
    servers.private_folder(data, account)
    (data / "PG_VERSION").write_text("12\n")

    refused = start_and_fail({**os.environ, "PORT": str(free_ports()), "RUN_DIR": str(run_dir), "DATABASE_URL": ""})

    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "written by Postgres 12" in refused.stderr
    assert (data / "PG_VERSION").exists()


def test_copy_under_a_path_with_a_space_survives_its_supervisors_death_and_stops_clean(copy_with_space: Stack) -> None:
    stack = copy_with_space.start()
    before = stack.pids
    assert set(before) == {"supervisor", "postgres", "valkey", "web", "stream", "engine", "worker", "simulator"}
    assert len(stack.processes()) > len(before)  # gunicorn's and Postgres's own children are found, too

    stack.kill("supervisor")

    assert stack.supervisor is not None
    stack.supervisor.wait()
    assert leash.wait_until_gone(stack.processes, seconds=GONE_SECONDS) == {}

    stack.start()
    stack.kill("supervisor")
    stack.supervisor.wait()
    stack.start()  # at once, beside children that are still on their way out

    assert not set(before.values()) & set(stack.pids.values())
    begun = time.monotonic()
    assert stack.stop(signal.SIGINT) == 0
    assert time.monotonic() - begun <= 12
    assert stack.processes() == {}
    assert not (stack.run_dir / "env").exists()
    assert (stack.run_dir / "demo.json").exists()
    assert stack.manage("audit_invariants", check=False).stderr == "not running: ./run\n"


def test_given_servers_are_used_and_none_is_started() -> None:
    name = f"given_{os.getpid()}"
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    before_query, query = url.split("?", 1) if "?" in url else (url, "")
    given = f"{before_query.rpartition('/')[0]}/{name}?{query}"
    try:
        with Stack(settings={"DATABASE_URL": given, "REDIS_URL": os.environ["REDIS_URL"], "DEMO": "0"}) as stack:
            assert set(stack.pids) == {"supervisor", "web", "stream", "engine", "worker", "simulator"}
            assert stack.env["DATABASE_URL"] == given
            assert not (stack.run_dir / "pg").exists()
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

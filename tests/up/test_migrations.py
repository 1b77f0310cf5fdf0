"""Every migration goes back to nothing and forward again, on a database of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

PROJECT = Path(__file__).resolve().parents[2]
OURS = {"kitchen", "payments", "orders", "promotions", "inventory", "catalog", "customers", "stores", "core"}


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: object) -> Iterator[str]:
    """The URL of an empty database on the server of the tests."""
    name = f"{connection.settings_dict['NAME']}_scratch"
    url = os.environ["DATABASE_URL"]
    base, _, query = url.partition("?")
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f'CREATE DATABASE "{name}"')
        yield f"{base.rpartition('/')[0]}/{name}?{query}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def manage(url: str, *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    environ = {**os.environ, "DATABASE_URL": url}
    done = subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as database:
        rows = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {name for (name,) in rows if name.partition("_")[0] in OURS}


def test_all_the_way_back_and_forward_again(scratch: str) -> None:
    manage(scratch, "migrate", "--verbosity=0")
    there = tables(scratch)

    for app in ("core", "catalog", "kitchen"):  # all else stands on core, but the first tables of these two
        manage(scratch, "migrate", app, "zero", "--verbosity=0")
    assert tables(scratch) == set()

    manage(scratch, "migrate", "--verbosity=0")
    assert tables(scratch) == there
    assert {name.partition("_")[0] for name in there} == OURS

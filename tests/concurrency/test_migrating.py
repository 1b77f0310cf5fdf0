"""A change of a table beside somebody who holds it (F19)."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from breadmate import migrating

TABLE = "fault_table"


@pytest.fixture
def table(transactional_db: None) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {TABLE} (id int)")
    yield TABLE
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}; RESET lock_timeout; RESET statement_timeout")


def add_column() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS more int")


def reader() -> "psycopg.Connection[tuple[object, ...]]":
    """Somebody who has read the table in a transaction that is still open."""
    held = psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor})
    held.execute(f"SELECT * FROM {TABLE}")
    return held


def test_change_waits_its_turn_and_lets_readers_through(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the tries the first refusal is the end of it, as the test below shows."""
    tries = 0
    first_refused = threading.Event()

    def work() -> None:
        nonlocal tries
        tries += 1
        try:
            add_column()
        except OperationalError:
            first_refused.set()
            raise

    with reader() as held:
        changing = threading.Thread(target=lambda: first_refused.wait(30) and held.rollback())
        changing.start()
        migrating.patiently(work)
        changing.join()
    assert tries > 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT more FROM {table}")


def test_table_that_is_never_free_is_given_up(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "TRIES", 1)
    with reader(), pytest.raises(OperationalError) as refused:
        migrating.patiently(add_column)
    assert isinstance(refused.value.__cause__, LockNotAvailable)

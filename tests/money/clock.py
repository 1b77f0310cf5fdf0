"""One clock for Python, Postgres and the simulated provider, that moves only when told to.

Expiry, leases, the way to the provider and the inbox are decided by the database's clock, everything else by the ``at`` that
edges read, and the provider has a clock of its own. Were only one of them moved, or columns shifted backwards instead, an order
could be older than its code. So Python's ``timezone.now`` is replaced, the simulator is given this clock as its real one, and in
this process's session the names ``now`` and its sisters are looked up in a schema that shadows Postgres' own functions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

NOON = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SHADOWS = ("now", "statement_timestamp", "transaction_timestamp", "clock_timestamp")


class StoppedClock:
    """It is noon until ``advance`` says otherwise."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> datetime:
        return self._now

    def seconds(self) -> float:
        """The same as Unix time, for the simulator."""
        return self._now.timestamp()

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._tell(connection)

    def reset(self) -> None:
        self._now = NOON
        self._tell(connection)

    @contextmanager
    def rule(self) -> Iterator[None]:
        """Be the time of this process and of its sessions."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA stopped")
            for name in SHADOWS:
                cursor.execute(
                    f"CREATE FUNCTION stopped.{name}() RETURNS timestamptz LANGUAGE sql STABLE"
                    " AS $$ SELECT current_setting('stopped.at')::timestamptz $$"
                )
        connection_created.connect(self._begin)
        connection.close()
        try:
            with patch("django.utils.timezone.now", self.now):
                yield
        finally:
            connection_created.disconnect(self._begin)
            connection.close()
            with connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA stopped CASCADE")
            connection.close()

    def _begin(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        self._tell(connection)
        with connection.cursor() as cursor:
            cursor.execute("SET search_path = stopped, pg_catalog, public")

    def _tell(self, session: BaseDatabaseWrapper) -> None:
        with session.cursor() as cursor:
            cursor.execute("SELECT set_config('stopped.at', %s, false)", [self._now.isoformat()])

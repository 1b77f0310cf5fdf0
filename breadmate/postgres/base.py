"""Django's backend: few wait for a connection while none can come, and moments are read twenty times as fast."""

from functools import cache
from typing import Any

from django.db import OperationalError
from django.db.backends.postgresql import base
from psycopg import IsolationLevel, errors
from psycopg.adapt import AdaptersMap
from psycopg.types.datetime import TimestamptzLoader

from breadmate.postgres.connection import Connection
from breadmate.postgres.patience import absence


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own; a process that shares a pool remembers that the database was away."""

    def get_connection_params(self) -> dict[str, Any]:
        """Let the driver's compiled reader make moments: connections speak UTC, so there is nothing for Django's to turn."""
        params: dict[str, Any] = super().get_connection_params()
        params["context"] = _reading_moments(params["context"])
        return params

    def create_cursor(self, name: str | None = None) -> Any:
        """Make a cursor as Django does where parameters are bound by the server, but for its own reader of moments."""
        if name is None:
            return self.connection.cursor()
        return self.connection.cursor(name, scrollable=False, withhold=self.connection.autocommit)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Take a connection from the pool, or make one where there is none.

        Raises:
            OperationalError: none in time, or the database was away a moment ago and somebody else is trying.
        """
        if not self.pool:  # as Django does, which lets only a pool choose the class
            self.isolation_level = IsolationLevel.READ_COMMITTED
            return Connection.connect(**conn_params)
        if not absence.may_try():
            raise OperationalError("the database was away a moment ago")
        try:
            connection = super().get_new_connection(conn_params)
        except errors.OperationalError:
            absence.begins()
            raise
        absence.ends()
        return connection


@cache
def _reading_moments(adapters: AdaptersMap) -> AdaptersMap:
    changed = AdaptersMap(adapters)
    changed.register_loader("timestamptz", TimestamptzLoader)
    return changed

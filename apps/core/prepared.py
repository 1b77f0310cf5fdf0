"""Statements of the hot paths, planned once a connection."""

from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


def prepared_cursor() -> CursorWrapper:
    """Return a cursor that sends parameters beside the statement, so that Postgres keeps the plan (``prepare_threshold``).

    The ORM's own cursors write the values into the text, which makes every statement a new one.
    """
    connection.ensure_connection()
    bound: Any = ServerBindingCursor  # a psycopg cursor, which the stubs do not know
    return connection.make_cursor(bound(connection.connection))

"""Changing tables while the shop is open."""

import logging
import time
from collections.abc import Callable

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from breadmate.postgres.patience import patience

logger = logging.getLogger(__name__)

TRIES = 10
LOCK_WAIT_SECONDS = 2  # whoever comes after us waits as long: Postgres lets nobody past a waiting change of a table
PAUSE_SECONDS = 1.0


def patiently(work: Callable[[], object]) -> None:
    """Do what needs a whole table for a moment; when it is not free in two seconds, let others through and try again.

    ``work`` may be begun up to ten times: what an earlier try has committed, it must find done. A statement may take as long
    as it needs, once it has its locks.

    Raises:
        OperationalError: the table was not free in any try; or something else is wrong with the database.
    """
    patience.set(None)
    for left in reversed(range(TRIES)):
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{LOCK_WAIT_SECONDS}s'; SET statement_timeout = 0")
        try:
            work()
        except OperationalError as problem:
            if not isinstance(problem.__cause__, LockNotAvailable) or not left:
                raise
            logger.warning("a table was not free in %s s, trying again %s times", LOCK_WAIT_SECONDS, left)
        else:
            return
        time.sleep(PAUSE_SECONDS)

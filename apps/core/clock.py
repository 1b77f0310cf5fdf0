"""The database's clock, by which all terms are kept, and how far a process's own is from it."""

from datetime import UTC, datetime, timedelta

from django.db import connection

MOST_SKEW = timedelta(seconds=30)  # of the five minutes a guest has to pay


def database_now() -> datetime:
    """Ask the database what time it is, whatever the transaction's own time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return datetime.fromtimestamp(now.timestamp(), UTC)


def skew() -> timedelta:
    """Tell by how much the two clocks differ at least, however long the answer took; never negative."""
    before = datetime.now(UTC)
    theirs = database_now()
    return max(before - theirs, theirs - datetime.now(UTC), timedelta(0))

"""Month partitions of tables keyed by UUIDv7."""

from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

from django.db import connection

PARTITIONED = ("core_storedevent", "inventory_stockmovement")
MONTHS_AHEAD = 2


def first_id(at: datetime) -> UUID:
    """Return the smallest UUIDv7 of a moment."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def months_from(at: datetime, count: int) -> list[datetime]:
    """Return the first moments (UTC) of ``count`` months, the month of ``at`` first."""
    start = at.astimezone(UTC).year * 12 + at.astimezone(UTC).month - 1
    return [datetime((start + i) // 12, (start + i) % 12 + 1, 1, tzinfo=UTC) for i in range(count)]


def ensure(at: datetime) -> None:
    """Make the partitions of this month and the next ``MONTHS_AHEAD`` where they are missing.

    Rows of months without one go to the default partition and stay readable there; a month that already has rows in it is
    left alone.
    """
    bounds = months_from(at, MONTHS_AHEAD + 2)
    with connection.cursor() as cursor:
        for table in PARTITIONED:
            for start, end in pairwise(bounds):
                name = f"{table}_{start:%Y_%m}"
                cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
                (exists,) = cursor.fetchone()
                low, high = first_id(start), first_id(end)
                cursor.execute(f"SELECT EXISTS (SELECT FROM {table}_default WHERE id >= %s AND id < %s)", [low, high])  # noqa: S608 - our own names
                (occupied,) = cursor.fetchone()
                if not exists and not occupied:
                    cursor.execute(
                        f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')"
                    )

"""Order numbers."""

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from apps.orders.models import NumberCounter
from apps.stores.facade import every_store


@dataclass(frozen=True, slots=True)
class Ticket:
    """A number taken, with the database's clock at that moment."""

    business_day: date
    value: int
    at: datetime

    def called(self, channel: str) -> str:
        """Return the number as it is called out, e.g. ``T042``."""
        return f"{channel}{self.value:03d}"


def take(*, store_id: UUID, timezone: str, day_starts_at: time) -> Ticket:
    """Take the next number of the store's business day.

    One statement of its own, outside the checkout's transaction, so that checkouts do not queue for the counter's row. It
    need not reach the disk: a crash of the server can only lose numbers whose orders were not committed either, because
    those are flushed later (a gap, never a repeat).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true))
            INSERT INTO orders_numbercounter AS counter (store_id, business_day, value)
            SELECT %s, (now() AT TIME ZONE %s::text - %s::interval)::date, 1 FROM relaxed
            ON CONFLICT (store_id, business_day) DO UPDATE SET value = counter.value + 1
            RETURNING business_day, value, now()
            """,
            [store_id, timezone, _offset(day_starts_at)],
        )
        business_day, value, at = cursor.fetchone()
    return Ticket(business_day=business_day, value=value, at=at)


@transaction.atomic
def skip(*, count: int) -> None:
    """Move every counter on after a restore, so that a number given in the seconds that were lost is not given again.

    A store that had not begun its day in what came back begins it that much higher, for it may have begun it in those
    seconds.

    Locks: every counter, until commit.
    """
    NumberCounter.objects.update(value=F("value") + count)
    with connection.cursor() as cursor:
        for store in every_store():
            cursor.execute(
                """
                INSERT INTO orders_numbercounter (store_id, business_day, value)
                VALUES (%s, (now() AT TIME ZONE %s::text - %s::interval)::date, %s)
                ON CONFLICT (store_id, business_day) DO NOTHING
                """,
                [store.id, store.timezone, _offset(store.day_starts_at), count],
            )


def _offset(day_starts_at: time) -> str:
    return f"{day_starts_at.hour} hours {day_starts_at.minute} minutes"

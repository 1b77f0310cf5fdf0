"""Order numbers: the store's own day, never the same twice."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from apps.orders import numbers
from apps.stores.models import Store
from tests.factories import StoreFactory


def take(store: Store, zone: str = "America/Sao_Paulo", day_starts_at: time = time(0)) -> numbers.Ticket:
    return numbers.take(store_id=store.id, timezone=zone, day_starts_at=day_starts_at)


def test_numbers_grow_by_one_in_a_store(store: Store) -> None:
    other = StoreFactory()

    taken = [take(each).value for each in (store, store, other, store, other)]

    assert taken == [1, 2, 1, 3, 2]


@pytest.mark.parametrize(("value", "channel", "called"), [(7, "T", "T007"), (42, "C", "C042"), (1234, "T", "T1234")])
def test_number_is_called_with_its_channel(value: int, channel: str, called: str) -> None:
    ticket = numbers.Ticket(business_day=datetime.now(UTC).date(), value=value, at=datetime.now(UTC))

    assert ticket.called(channel) == called


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Sao_Paulo", "Pacific/Niue"])
def test_day_is_the_stores_own(zone: str, store: Store) -> None:
    ticket = take(store, zone)

    assert ticket.business_day == ticket.at.astimezone(ZoneInfo(zone)).date()


def test_stores_at_the_ends_of_the_world_count_on_different_days(db: None) -> None:
    early, late = take(StoreFactory(), "Pacific/Niue"), take(StoreFactory(), "Pacific/Kiritimati")

    assert late.business_day - early.business_day in (timedelta(days=1), timedelta(days=2))
    assert (early.value, late.value) == (1, 1)


def test_night_before_the_day_starts_belongs_to_yesterday(store: Store) -> None:
    local = timezone.now().astimezone(ZoneInfo("UTC"))
    soon = (local + timedelta(minutes=2)).time().replace(second=0, microsecond=0)

    before, after = take(store, "UTC", soon), take(store, "UTC", time(0))

    expected = local.date() if soon < local.time() else local.date() - timedelta(days=1)
    assert (before.business_day, after.business_day) == (expected, local.date())


def test_new_day_counts_from_one(store: Store) -> None:
    take(store)
    take(store)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_numbercounter SET business_day = business_day - 1")

    assert take(store).value == 1


def test_moment_of_the_number_is_the_databases(store: Store) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        (now,) = cursor.fetchone()

    assert take(store).at == now


def test_after_a_restore_numbers_go_on_higher(store: Store) -> None:
    other = StoreFactory()
    take(store)
    take(store)

    numbers.skip(count=100)

    assert [take(store).value, take(other).value, take(store).value] == [103, 101, 104]

"""Month partitions of the tables that only grow."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from apps.core import partitions
from apps.core.ids import new_id
from apps.core.models import StoredEvent

pytestmark = pytest.mark.django_db
JUNE = datetime(2031, 6, 15, 12, tzinfo=UTC)


def tables(prefix: str = "core_storedevent") -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::regclass::text FROM pg_partition_tree(%s) WHERE isleaf ORDER BY 1", [prefix])
        return [name for (name,) in cursor.fetchall()]


def where_is(event: StoredEvent) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM core_storedevent WHERE id = %s", [event.id])
        return str(cursor.fetchone()[0])


def event_at(at: datetime) -> StoredEvent:
    id_ = UUID(int=partitions.first_id(at).int | (7 << 76) | (uuid4().int & ((1 << 60) - 1)))
    return StoredEvent.objects.create(
        id=id_, type="t", version=1, occurred_at=at, subject_id=uuid4(), seq=1, correlation_id="", payload={}
    )


def test_months_ahead_are_made_and_making_them_again_changes_nothing() -> None:
    partitions.ensure(JUNE)
    made = tables()
    partitions.ensure(JUNE)

    assert tables() == made
    assert [name[-7:] for name in made if name.startswith("core_storedevent_2031")] == ["2031_06", "2031_07", "2031_08"]
    assert [name[-7:] for name in tables("inventory_stockmovement") if "_2031_" in name] == [
        "2031_06",
        "2031_07",
        "2031_08",
    ]


@pytest.mark.parametrize(
    ("at", "place"),
    [
        (datetime(2031, 6, 1, tzinfo=UTC), "core_storedevent_2031_06"),
        (datetime(2031, 6, 30, 23, 59, 59, 999000, tzinfo=UTC), "core_storedevent_2031_06"),
        (datetime(2031, 7, 1, tzinfo=UTC), "core_storedevent_2031_07"),
        (datetime(2031, 5, 31, 23, 59, 59, 999000, tzinfo=UTC), "core_storedevent_default"),
        (datetime(2031, 9, 1, tzinfo=UTC), "core_storedevent_default"),
    ],
)
def test_row_lands_in_the_partition_of_its_month(at: datetime, place: str) -> None:
    partitions.ensure(JUNE)

    assert where_is(event_at(at)) == place


def test_month_that_already_has_rows_elsewhere_is_left_alone() -> None:
    event = event_at(JUNE)

    partitions.ensure(JUNE)

    assert where_is(event) == "core_storedevent_default"
    assert [name[-7:] for name in tables() if "_2031_" in name] == ["2031_07", "2031_08"]
    assert StoredEvent.objects.filter(id=event.id).exists()


@pytest.mark.parametrize(
    ("at", "count", "months"),
    [
        (datetime(2026, 11, 30, 23, tzinfo=UTC), 3, [(2026, 11), (2026, 12), (2027, 1)]),
        (datetime(2026, 12, 1, tzinfo=UTC), 1, [(2026, 12)]),
    ],
)
def test_months_are_counted_over_the_new_year(at: datetime, count: int, months: list[tuple[int, int]]) -> None:
    assert [(month.year, month.month) for month in partitions.months_from(at, count)] == months


def test_new_ids_are_version_7_and_grow_with_time() -> None:
    before = timezone.now() - timedelta(milliseconds=2)
    ids = [new_id() for _ in range(100)]

    assert {id_.version for id_ in ids} == {7}
    assert partitions.first_id(before) < min(ids)
    assert max(ids) < partitions.first_id(timezone.now() + timedelta(seconds=1))

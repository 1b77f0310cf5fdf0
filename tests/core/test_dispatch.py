"""Delivery after the commit: every subscriber once, whatever fails."""

import threading
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from apps.contracts.events import Envelope
from apps.core.dispatch import BATCH, deliver_new, name_of, retry_failed
from apps.core.models import FailedDelivery, Receipt, StoredEvent
from tests.factories import CategoryFactory
from tests.fixtures import broken_rules

heard: list[UUID] = []


def on_told(event: Envelope) -> None:
    """A handler that leaves a row behind, and fails when the event says so."""
    heard.append(event.subject)
    CategoryFactory(slug=f"{event.subject}")
    if event.payload.get("poison"):
        raise ValueError("poison")


def on_told_too(event: Envelope) -> None:
    heard.append(event.subject)


TABLE = {"told": (on_told,)}
BOTH = {"told": (on_told, on_told_too)}


@pytest.fixture(autouse=True)
def nobody_has_heard() -> None:
    heard.clear()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def store_event(*, poison: bool = False, type_: str = "told") -> StoredEvent:
    return StoredEvent.objects.create(
        type=type_,
        version=1,
        occurred_at=timezone.now(),
        store_id=uuid4(),
        subject_id=uuid4(),
        seq=4,
        correlation_id="c-1",
        payload={"poison": poison},
    )


def test_event_is_delivered_once_with_its_receipt(db: None, now: datetime) -> None:
    event = store_event()

    assert (deliver_new(TABLE, at=now), deliver_new(TABLE, at=now)) == (1, 0)

    event.refresh_from_db()
    assert (heard, event.dispatched_at) == ([event.subject_id], now)
    assert list(Receipt.objects.values_list("event_id", "handler")) == [(event.id, name_of(on_told))]


def test_envelope_says_what_was_stored(db: None, now: datetime) -> None:
    event, got = store_event(), []

    def on_got(envelope: Envelope) -> None:
        got.append(envelope)

    deliver_new({"told": (on_got,)}, at=now)

    assert got == [
        Envelope(
            id=event.id,
            type="told",
            version=1,
            occurred_at=event.occurred_at,
            store=event.store_id,
            subject=event.subject_id,
            seq=4,
            correlation_id="c-1",
            payload={"poison": False},
        )
    ]


def test_event_without_subscribers_is_done_with(db: None, now: datetime) -> None:
    event = store_event(type_="nobody.cares")

    deliver_new(TABLE, at=now)

    event.refresh_from_db()
    assert (event.dispatched_at, heard) == (now, [])


def test_events_come_oldest_first_and_in_batches(db: None, now: datetime) -> None:
    events = [store_event() for _ in range(BATCH + 1)]

    assert (deliver_new({"told": (on_told_too,)}, at=now), deliver_new({"told": (on_told_too,)}, at=now)) == (BATCH, 1)
    assert heard == [event.subject_id for event in sorted(events, key=lambda event: event.id)]


def test_receipt_of_an_earlier_delivery_prevents_a_second_effect(db: None, now: datetime) -> None:
    event = store_event()
    Receipt.objects.create(event_id=event.id, handler=name_of(on_told))

    deliver_new(TABLE, at=now)

    assert heard == []


def test_failure_undoes_the_handlers_own_rows_and_lets_the_others_flow(db: None, now: datetime) -> None:
    poisoned, healthy = store_event(poison=True), store_event()

    deliver_new(BOTH, at=now)

    assert list(Receipt.objects.order_by("event_id", "handler").values_list("event_id", "handler")) == [
        (poisoned.id, name_of(on_told_too)),
        (healthy.id, name_of(on_told)),
        (healthy.id, name_of(on_told_too)),
    ]
    assert type(CategoryFactory()).objects.filter(slug=str(poisoned.subject_id)).count() == 0
    failure = FailedDelivery.objects.get()
    assert (failure.event_id, failure.handler, failure.tries) == (poisoned.id, name_of(on_told), 1)
    assert (failure.next_try_at, failure.dead_at) == (now + timedelta(seconds=1), None)
    assert "poison" in failure.error
    assert broken_rules() == {}


def test_failing_handler_is_retried_with_growing_pauses_and_then_dead(db: None, now: datetime) -> None:
    store_event(poison=True)
    deliver_new(TABLE, at=now)

    pauses, at = [], now
    while (failure := FailedDelivery.objects.get()).dead_at is None:
        pauses.append((failure.next_try_at - at).total_seconds())
        assert retry_failed(TABLE, at=failure.next_try_at - timedelta(milliseconds=1)) == 0
        at = failure.next_try_at
        assert retry_failed(TABLE, at=at) == 1

    assert pauses == [1, 5, 30, 120]
    assert (failure.tries, failure.dead_at, len(heard)) == (5, at, 5)
    assert retry_failed(TABLE, at=at + timedelta(days=1)) == 0


def test_retry_that_succeeds_clears_the_failure(db: None, now: datetime) -> None:
    event = store_event(poison=True)
    deliver_new(TABLE, at=now)
    StoredEvent.objects.update(payload={})

    retry_failed(TABLE, at=now + timedelta(seconds=1))

    assert not FailedDelivery.objects.exists()
    assert Receipt.objects.get().event_id == event.id
    assert broken_rules() == {}


def test_failure_of_a_subscriber_that_is_no_more_is_dropped(db: None, now: datetime) -> None:
    store_event(poison=True)
    deliver_new(TABLE, at=now)

    retry_failed({}, at=now + timedelta(seconds=1))

    assert not FailedDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_engines_at_once_have_one_effect(now: datetime) -> None:
    events = [store_event() for _ in range(10)]
    start = threading.Barrier(2)
    delivered = []

    def engine() -> None:
        try:
            start.wait()
            delivered.append(deliver_new(TABLE, at=now))
        finally:
            connection.close()

    threads = [threading.Thread(target=engine) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deliver_new(TABLE, at=now)

    assert sorted(heard) == sorted(event.subject_id for event in events)
    assert Receipt.objects.count() == 10


def test_event_nobody_waits_for_is_marked_with_the_others(db: None, now: datetime) -> None:
    awaited, other = store_event(), store_event(type_="unheard")

    assert (deliver_new(TABLE, at=now), deliver_new(TABLE, at=now)) == (2, 0)

    assert heard == [awaited.subject_id]
    other.refresh_from_db()
    assert other.dispatched_at == now
    assert [receipt.event_id for receipt in Receipt.objects.all()] == [awaited.id]

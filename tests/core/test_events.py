"""Publishing: an event stands or falls with the change it tells of."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.contracts.events import Event, MenuChanged, OrderReady
from apps.core import events, request_ids, wake
from apps.core.models import StoredEvent
from breadmate import subscriptions


def ready() -> OrderReady:
    return OrderReady(subject=uuid4(), store=uuid4(), seq=3, at=timezone.now(), number="T001")


@pytest.fixture
def subscribe() -> Iterator[object]:
    """Set other in-transaction subscribers for one test."""
    yield events.subscribe_in_transaction
    events.subscribe_in_transaction(subscriptions.IN_TRANSACTION)


@pytest.mark.django_db(transaction=True)
def test_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(events.OutsideTransactionError):
        events.publish(ready())

    assert not StoredEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_event_of_a_change_that_was_rolled_back_is_not_there() -> None:
    with transaction.atomic():
        events.publish(ready())
        transaction.set_rollback(True)

    assert not StoredEvent.objects.exists()


def test_event_is_stored_with_all_it_says(db: None) -> None:
    event = ready()
    request_ids.take("abc-1")

    events.publish(event)

    stored = StoredEvent.objects.get()
    assert (stored.type, stored.version, stored.payload) == ("order.ready", 1, {"number": "T001"})
    assert (stored.subject_id, stored.store_id, stored.seq) == (event.subject, event.store, 3)
    assert (stored.occurred_at, stored.correlation_id, stored.dispatched_at) == (event.at, "abc-1", None)


@pytest.mark.django_db(transaction=True)
def test_in_transaction_subscriber_that_fails_aborts_the_change(subscribe: object) -> None:
    def refuse(event: Event) -> None:
        raise ValueError(event.type)

    subscribe({OrderReady: (refuse,)})

    with pytest.raises(ValueError, match=r"order\.ready"), transaction.atomic():
        events.publish(ready())

    assert not StoredEvent.objects.exists()


def test_in_transaction_subscribers_hear_only_their_events_and_all_of_them(db: None, subscribe: object) -> None:
    heard: list[tuple[str, Event]] = []
    subscribe({OrderReady: (lambda e: heard.append(("first", e)), lambda e: heard.append(("second", e)))})
    event = ready()

    events.publish(event)
    events.publish(MenuChanged(subject=uuid4(), store=uuid4(), seq=1, at=timezone.now()))

    assert heard == [("first", event), ("second", event)]


@pytest.mark.django_db(transaction=True)
def test_what_one_transaction_did_is_told_in_one_message_without_what_it_took_back() -> None:
    first, gone, second, third = (ready() for _ in range(4))
    with redis.Redis.from_url(settings.REDIS_URL) as client, client.pubsub(ignore_subscribe_messages=True) as ear:
        ear.subscribe(wake.CHANNEL)
        ear.get_message(timeout=5)  # that it listens
        with transaction.atomic():
            events.publish(first)
            with transaction.atomic():
                events.publish(gone)
                transaction.set_rollback(True)
            with transaction.atomic(savepoint=False):
                events.publish(second, third)
        heard = heard_of({each.subject for each in (first, gone, second, third)}, ear)

    assert heard == [[first.subject, second.subject, third.subject]]


@pytest.mark.django_db(transaction=True)
def test_event_after_one_that_was_taken_back_is_told() -> None:
    gone, stays = ready(), ready()
    with redis.Redis.from_url(settings.REDIS_URL) as client, client.pubsub(ignore_subscribe_messages=True) as ear:
        ear.subscribe(wake.CHANNEL)
        ear.get_message(timeout=5)  # that it listens
        with transaction.atomic():
            with transaction.atomic():
                events.publish(gone)
                transaction.set_rollback(True)
            events.publish(stays)
        heard = heard_of({gone.subject, stays.subject}, ear)

    assert heard == [[stays.subject]]


def heard_of(ours: set[UUID], ear: "redis.client.PubSub") -> list[list[UUID]]:
    """The subjects of each message that tells of ours; other tests may talk on the same channel."""
    messages = []
    while message := ear.get_message(timeout=0.5):
        told = [news.subject for news in wake.parse(message["data"])]
        messages += [told] if ours & set(told) else []
    return messages

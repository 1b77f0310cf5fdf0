"""Publishing: an event stands or falls with the change it tells of."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from apps.contracts.events import Event, MenuChanged, OrderReady
from apps.core import events, request_ids
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

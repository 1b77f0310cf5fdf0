"""Money and many at once: one payment, and no lock over a call to the provider."""

import threading
from collections import Counter
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from apps.core.models import StoredEvent
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments.models import Charge, WebhookEvent
from apps.payments.rules import State
from apps.payments.services import advance_charge, claim_due
from apps.stores.models import Store
from tests.concurrency.conftest import Together
from tests.factories import StoreFactory, place, stocked_product
from tests.fixtures import Reply, Screen, broken_rules
from tests.payments.conftest import CREATE, STORE_CODE, Provider, provider

__all__ = ["provider"]  # the fixture of tests/payments


@pytest.fixture
def shop(transactional_db: None) -> Store:
    return StoreFactory(code=STORE_CODE)


@pytest.fixture
def screen(shop: Store) -> Screen:
    return Screen(shop)


@pytest.fixture
def order(screen: Screen) -> Order:
    return place(screen.device, stocked_product(screen.store, 5))


def start(screen: Screen, order: Order, key: str = "") -> Reply:
    return screen.post("/payments", {"order": str(order.id), "method": "mercado_pago_qr"}, key=key or str(uuid4()))


def test_one_key_in_many_requests_makes_one_charge(
    provider: Provider, screen: Screen, order: Order, together: Together
) -> None:
    replies = together(6, lambda _: start(screen, order, "one"))

    seen = Counter(reply.status for reply in replies)
    assert set(seen) <= {201, 409}
    assert seen[201] >= 1
    assert len({reply.body["id"] for reply in replies if reply.status == 201}) == 1
    assert {reply.code for reply in replies if reply.status == 409} <= {(409, "idempotency_conflict")}
    assert (Charge.objects.count(), provider.orders) == (1, 1)


def test_payment_seen_by_many_pays_once(provider: Provider, screen: Screen, order: Order, together: Together) -> None:
    opened = start(screen, order).body
    provider.pay(opened["provider_reference"])
    at = timezone.now()

    together(6, lambda _: advance_charge(charge_id=opened["id"], at=at))

    order.refresh_from_db()
    assert (Charge.objects.get().state, order.status) == (State.APPROVED, Status.RECEIVED)
    assert (order.history.count(), StoredEvent.objects.filter(type="order.paid").count()) == (2, 1)
    assert broken_rules() == {}


def test_no_lock_is_held_while_the_provider_is_asked(
    provider: Provider, screen: Screen, order: Order, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    provider.fault(CREATE, do="slow", delay_ms=1500)
    answers: list[Reply] = []

    def ask() -> None:
        try:
            answers.append(start(screen, order))
        finally:
            connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    eventually(lambda: provider.calls == ["POST /v1/orders"])
    with transaction.atomic():
        locked = list(Order.objects.select_for_update(nowait=True)), list(Charge.objects.select_for_update(nowait=True))
        still_asking = not answers
    thread.join()

    assert still_asking
    assert ([row.id for row in locked[0]], [row.state for row in locked[1]]) == ([order.id], [State.CREATING])
    assert answers[0].status == 201


def test_due_charge_is_taken_by_one_engine(
    provider: Provider, screen: Screen, order: Order, together: Together
) -> None:
    start(screen, order)
    Charge.objects.update(next_check_at=timezone.now())
    at = timezone.now()

    taken = together(5, lambda _: claim_due(at=at))

    assert sorted(len(ids) for ids in taken) == [0, 0, 0, 0, 1]


def test_one_notification_ten_times_at_once_is_kept_once(shop: Store, together: Together) -> None:
    notice = b'{"type":"order","action":"order.processed","data":{"id":"ORD1","version":2}}'
    together(10, lambda _: Client().post("/api/v1/payments/webhook", notice, content_type="application/json"))

    assert WebhookEvent.objects.count() == 1

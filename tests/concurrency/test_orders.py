"""Two hands on one order."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from apps.core.actors import PROVIDER, Actor, Role
from apps.core.models import StoredEvent
from apps.inventory.models import StockLevel, StockMovement
from apps.orders.models import Order, Preparation
from apps.orders.preparation import bump_item
from apps.orders.rules import Status
from apps.orders.services import mark_paid, move_order, undo_move
from apps.stores.models import Device
from tests.concurrency.conftest import Together
from tests.factories import DeviceFactory, ProductFactory, order_in, place, staff, stocked_product
from tests.fixtures import broken_rules


@pytest.fixture
def device(transactional_db: None) -> Device:
    return DeviceFactory()


def test_order_is_paid_once_by_many(device: Device, together: Together) -> None:
    order = place(device, stocked_product(device.store, 5), stocked_product(device.store, 5))

    paid = together(8, lambda _: mark_paid(order_id=order.id, by=PROVIDER, at=timezone.now()))

    assert Counter(paid) == {True: 1, False: 7}
    assert order.history.count() == 2
    assert StoredEvent.objects.filter(type="order.paid").count() == 1
    assert Preparation.objects.count() == 2
    assert StockMovement.objects.filter(reason="sale").count() == 2
    assert list(StockLevel.objects.values_list("on_hand", "reserved")) == [(4, 0)] * 2


def test_order_is_ready_once_for_many_cooks(device: Device, together: Together) -> None:
    order = order_in(Status.IN_PREPARATION, device)
    cook, at = staff(Role.KITCHEN, device.store), order.moved_at + timedelta(seconds=1)

    moved = together(8, lambda _: move_order(order_id=order.id, to=Status.READY, by=cook, at=at).version)

    assert moved == [order.version + 1] * 8
    assert StoredEvent.objects.filter(type="order.ready").count() == 1
    assert order.history.count() == order.version + 1


def test_one_undo_of_many_is_made(device: Device, together: Together) -> None:
    order = order_in(Status.READY, device)
    cook = staff(Role.KITCHEN, device.store)

    outcomes = together(6, lambda _: undo_move(order_id=order.id, by=cook, at=order.moved_at).status)

    assert outcomes.count(Status.IN_PREPARATION) == 1
    order.refresh_from_db()
    assert order.status == Status.IN_PREPARATION


def test_last_two_items_made_at_once_make_the_order_ready_once(device: Device, together: Together) -> None:
    for _ in range(5):
        order = order_in(Status.RECEIVED, device, ProductFactory(), ProductFactory())
        items, cook = list(order.lines.values_list("id", flat=True)), staff(Role.KITCHEN, device.store)

        def tap(number: int, order: Order = order, items: list[UUID] = items, cook: Actor = cook) -> int:
            return bump_item(order_id=order.id, item_id=items[number], by=cook, at=timezone.now()).version

        made = together(2, tap)

        assert sorted(made) == [4, 6]
        assert StoredEvent.objects.filter(type="order.ready", subject_id=order.id).count() == 1
        assert list(order.history.order_by("seq").values_list("to_status", flat=True)) == [0, 1, 2, 3]
    assert broken_rules().keys() <= {"P5"}  # the factories pay without a charge

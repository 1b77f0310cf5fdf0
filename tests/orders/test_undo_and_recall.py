"""Taking a step back: the slip of a finger, and an order that comes back to the kitchen."""

from datetime import timedelta

import pytest

from apps.core.actors import Actor, Role
from apps.core.models import StoredEvent
from apps.orders.errors import IllegalMoveError, OrderNotFoundError
from apps.orders.models import Preparation
from apps.orders.rules import Status
from apps.orders.services import move_order, recall_order, undo_move
from apps.stores.models import Store
from tests.factories import DeviceFactory, StoreFactory, order_in, staff
from tests.fixtures import broken_rules

SECOND = timedelta(seconds=1)
BACK = {
    Status.IN_PREPARATION: Status.RECEIVED,
    Status.READY: Status.IN_PREPARATION,
    Status.FINISHED: Status.READY,
}


@pytest.fixture
def cook(store: Store) -> Actor:
    return staff(Role.KITCHEN, store)


def count(type_: str) -> int:
    return StoredEvent.objects.filter(type=type_).count()


@pytest.mark.parametrize(("now", "to"), BACK.items())
@pytest.mark.parametrize("seconds", [0, 10])
def test_step_is_undone_within_ten_seconds(now: Status, to: Status, seconds: int, store: Store, cook: Actor) -> None:
    order = order_in(now, DeviceFactory(store=store))
    at = order.moved_at + seconds * SECOND

    undo_move(order_id=order.id, by=cook, at=at)

    order.refresh_from_db()
    assert order.status == to
    last = order.history.order_by("-seq").first()
    assert (last.from_status, last.to_status, last.kind, last.at) == (now, to, "undo", at)
    assert StoredEvent.objects.get(type="order.status_changed", seq=order.version).payload["kind"] == "undo"


@pytest.mark.parametrize("now", BACK)
def test_step_of_eleven_seconds_ago_stands(now: Status, store: Store, cook: Actor) -> None:
    order = order_in(now, DeviceFactory(store=store))
    steps = order.history.count()

    with pytest.raises(IllegalMoveError):
        undo_move(order_id=order.id, by=cook, at=order.moved_at + 11 * SECOND)

    order.refresh_from_db()
    assert (order.status, order.history.count()) == (now, steps)


@pytest.mark.parametrize(
    "now", [Status.AWAITING_PAYMENT, Status.RECEIVED, Status.EXPIRED, Status.CANCELLED], ids=lambda status: status.code
)
def test_what_no_hand_did_no_hand_undoes(now: Status, store: Store, cook: Actor) -> None:
    order = order_in(now, DeviceFactory(store=store))

    with pytest.raises(IllegalMoveError):
        undo_move(order_id=order.id, by=cook, at=order.moved_at)

    order.refresh_from_db()
    assert order.status == now


def test_undo_is_not_undone(store: Store, cook: Actor) -> None:
    order = order_in(Status.READY, DeviceFactory(store=store))
    undo_move(order_id=order.id, by=cook, at=order.moved_at)

    with pytest.raises(IllegalMoveError):
        undo_move(order_id=order.id, by=cook, at=order.moved_at)

    order.refresh_from_db()
    assert order.status == Status.IN_PREPARATION


def test_recall_is_not_undone(store: Store, cook: Actor) -> None:
    order = order_in(Status.READY, DeviceFactory(store=store))
    recall_order(order_id=order.id, by=cook, at=order.moved_at)

    with pytest.raises(IllegalMoveError):
        undo_move(order_id=order.id, by=cook, at=order.moved_at)


def test_recalled_order_keeps_its_place_and_is_not_called_twice(store: Store, cook: Actor) -> None:
    order = order_in(Status.READY, DeviceFactory(store=store))
    place, first_ready, at = order.queue_at, order.ready_at, order.moved_at + SECOND

    recall_order(order_id=order.id, by=cook, at=at)
    order.refresh_from_db()
    assert (order.status, order.queue_at) == (Status.IN_PREPARATION, place)
    assert Preparation.objects.get(line__order=order).state == "started"

    move_order(order_id=order.id, to=Status.READY, by=cook, at=at + SECOND)
    order.refresh_from_db()
    assert (order.status, order.queue_at, order.ready_at) == (Status.READY, place, first_ready)
    assert count("order.ready") == 1
    assert [step.kind for step in order.history.order_by("seq")][-2:] == ["recall", "move"]


def test_undone_and_repeated_ready_is_called_once(store: Store, cook: Actor) -> None:
    order = order_in(Status.READY, DeviceFactory(store=store))
    undo_move(order_id=order.id, by=cook, at=order.moved_at)

    move_order(order_id=order.id, to=Status.READY, by=cook, at=order.moved_at)

    assert count("order.ready") == 1
    assert broken_rules().keys() == {"P5"}  # paid by hand here, so without a charge


def test_recall_of_what_is_in_preparation_changes_nothing(store: Store, cook: Actor) -> None:
    order = order_in(Status.IN_PREPARATION, DeviceFactory(store=store))
    steps, events = order.history.count(), StoredEvent.objects.count()

    recall_order(order_id=order.id, by=cook, at=order.moved_at + SECOND)

    assert (order.history.count(), StoredEvent.objects.count()) == (steps, events)


@pytest.mark.parametrize("now", [s for s in Status if s not in (Status.READY, Status.IN_PREPARATION)])
def test_only_a_ready_order_is_recalled(now: Status, store: Store, cook: Actor) -> None:
    order = order_in(now, DeviceFactory(store=store))

    with pytest.raises(IllegalMoveError):
        recall_order(order_id=order.id, by=cook, at=order.moved_at + SECOND)

    order.refresh_from_db()
    assert order.status == now


@pytest.mark.parametrize("step", [undo_move, recall_order])
def test_other_stores_cook_steps_nothing_back(step: object, store: Store) -> None:
    order = order_in(Status.READY, DeviceFactory(store=store))

    with pytest.raises(OrderNotFoundError):
        step(order_id=order.id, by=staff(Role.KITCHEN, StoreFactory()), at=order.moved_at)

    order.refresh_from_db()
    assert order.status == Status.READY

"""The graph an order moves through by hand: every pair of statuses, both ways."""

from datetime import timedelta
from itertools import product as pairs

import pytest
from django.db import transaction

from apps.core.actors import PROVIDER, Actor, Role
from apps.core.models import StoredEvent
from apps.orders.errors import AlreadyPaidError, IllegalMoveError, OrderNotFoundError
from apps.orders.models import Preparation, StatusChange
from apps.orders.rules import Status
from apps.orders.services import move_order, take_paid
from apps.stores.models import Store
from tests.factories import DeviceFactory, ProductFactory, StoreFactory, device_actor, order_in, staff

LEGAL = {
    Status.RECEIVED: Status.IN_PREPARATION,
    Status.IN_PREPARATION: Status.READY,
    Status.READY: Status.FINISHED,
}
ILLEGAL = [(now, to) for now, to in pairs(Status, Status) if now != to and LEGAL.get(now) != to]
SECOND = timedelta(seconds=1)


@pytest.fixture
def cook(store: Store) -> Actor:
    return staff(Role.KITCHEN, store)


def told() -> list[tuple[str, int]]:
    return list(StoredEvent.objects.order_by("id").values_list("type", "seq"))


@pytest.mark.parametrize(("now", "to"), LEGAL.items())
def test_legal_move_is_made_and_told(now: Status, to: Status, store: Store, cook: Actor) -> None:
    order = order_in(now, DeviceFactory(store=store))
    before, at = told(), order.moved_at + SECOND

    moved = move_order(order_id=order.id, to=to, by=cook, at=at)

    order.refresh_from_db()
    assert (order.status, order.version, order.moved_at) == (to, moved.version, at)
    step = StatusChange.objects.get(order=order, seq=order.version)
    assert (step.from_status, step.to_status, step.kind, step.at) == (now, to, "move", at)
    assert (step.actor_kind, step.actor_id) == ("staff", cook.id)
    extra = {Status.READY: ["order.ready"], Status.FINISHED: ["order.handed_over"]}.get(to, [])
    assert told()[len(before) :] == [(type_, order.version) for type_ in ["order.status_changed", *extra]]


@pytest.mark.parametrize(("now", "to"), ILLEGAL)
def test_illegal_move_names_the_legal_ones_and_writes_nothing(
    now: Status, to: Status, store: Store, cook: Actor
) -> None:
    order = order_in(now, DeviceFactory(store=store))
    before = (told(), order.history.count())

    with pytest.raises(IllegalMoveError) as refusal:
        move_order(order_id=order.id, to=to, by=cook, at=order.moved_at + SECOND)

    assert refusal.value.extra == {"legal": [LEGAL[now].code] if now in LEGAL else []}
    version = order.version
    order.refresh_from_db()
    assert (order.status, order.version) == (now, version)
    assert (told(), order.history.count()) == before


@pytest.mark.parametrize("status", list(Status))
def test_repeated_move_changes_nothing_and_emits_nothing(status: Status, store: Store, cook: Actor) -> None:
    order = order_in(status, DeviceFactory(store=store))
    before = (told(), order.history.count(), order.moved_at)

    again = move_order(order_id=order.id, to=status, by=cook, at=order.moved_at + SECOND)

    order.refresh_from_db()
    assert (again.version, order.status) == (order.version, status)
    assert (told(), order.history.count(), order.moved_at) == before


@pytest.mark.parametrize("status", [Status.AWAITING_PAYMENT, Status.EXPIRED, Status.CANCELLED])
def test_unpaid_order_never_reaches_the_kitchen(status: Status, store: Store, cook: Actor) -> None:
    order = order_in(status, DeviceFactory(store=store))

    for to in (Status.RECEIVED, Status.IN_PREPARATION, Status.READY, Status.FINISHED):
        with pytest.raises(IllegalMoveError):
            move_order(order_id=order.id, to=to, by=cook, at=order.moved_at + SECOND)

    assert not Preparation.objects.exists()


@pytest.mark.parametrize(
    ("role", "here", "may"),
    [
        (Role.BOARD, True, True),
        (Role.KITCHEN, True, True),
        (Role.CASHIER, True, True),
        (Role.MANAGER, True, True),
        (Role.OWNER, True, True),
        (Role.AUDITOR, True, False),
        (Role.KIOSK, True, False),
        (Role.PANEL, True, False),
        (Role.BOARD, False, False),
        (Role.MANAGER, False, False),
    ],
)
def test_only_kitchen_and_counter_of_the_store_move_an_order(role: Role, here: bool, may: bool, store: Store) -> None:
    order = order_in(Status.RECEIVED, DeviceFactory(store=store))
    actor = staff(role, store if here else StoreFactory())

    if may:
        move_order(order_id=order.id, to=Status.IN_PREPARATION, by=actor, at=order.moved_at + SECOND)
    else:
        with pytest.raises(OrderNotFoundError):
            move_order(order_id=order.id, to=Status.IN_PREPARATION, by=actor, at=order.moved_at + SECOND)

    order.refresh_from_db()
    assert order.status == (Status.IN_PREPARATION if may else Status.RECEIVED)


def test_kiosk_that_placed_an_order_cannot_move_it(store: Store) -> None:
    device = DeviceFactory(store=store)
    order = order_in(Status.RECEIVED, device)

    with pytest.raises(OrderNotFoundError):
        move_order(order_id=order.id, to=Status.IN_PREPARATION, by=device_actor(device), at=order.moved_at + SECOND)


def test_things_to_make_follow_the_order(store: Store, cook: Actor) -> None:
    order = order_in(Status.RECEIVED, DeviceFactory(store=store), ProductFactory(), ProductFactory())
    start, end = order.moved_at + SECOND, order.moved_at + 2 * SECOND
    rows = Preparation.objects.filter(line__order=order)
    assert list(rows.values_list("state", "started_at", "done_at")) == [("queued", None, None)] * 2

    move_order(order_id=order.id, to=Status.IN_PREPARATION, by=cook, at=start)
    assert list(rows.values_list("state", "started_at", "done_at")) == [("started", start, None)] * 2

    move_order(order_id=order.id, to=Status.READY, by=cook, at=end)
    assert list(rows.values_list("state", "started_at", "done_at")) == [("done", start, end)] * 2


@pytest.mark.parametrize("now", [status for status in Status if status != Status.AWAITING_PAYMENT])
def test_money_for_an_order_that_does_not_wait_for_it_hands_nothing_over(now: Status, store: Store) -> None:
    order = order_in(now, DeviceFactory(store=store))
    before = (told(), order.history.count())

    with pytest.raises(AlreadyPaidError), transaction.atomic():
        take_paid(order, by=PROVIDER, at=order.moved_at + SECOND)

    assert (told(), order.history.count()) == before

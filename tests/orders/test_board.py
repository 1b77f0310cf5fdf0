"""What a store's screens see of its orders."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.actors import PROVIDER, Role
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.orders.services import mark_paid
from apps.stores.models import Store
from tests.factories import OptionFactory, ProductFactory, ProductModifierGroupFactory, new_menu, order_in
from tests.fixtures import Screen, cart

MONEY = ("price", "total", "discount", "payment", "tracking_url", "pickup_code", "amount")


def numbers(screen: Screen) -> list[str]:
    return [order["number"] for order in screen.get("/orders").body["results"]]


def names_in(document: Any) -> set[str]:
    """Every member name anywhere in a document."""
    if isinstance(document, dict):
        return set(document) | {name for value in document.values() for name in names_in(value)}
    if isinstance(document, list):
        return {name for value in document for name in names_in(value)}
    return set()


@pytest.fixture
def every_status(kiosk: Screen) -> dict[Status, Order]:
    return {status: order_in(status, kiosk.device) for status in Status}


def test_ready_comes_before_in_preparation_before_received(board: Screen, every_status: dict[Status, Order]) -> None:
    expected = [every_status[status].number for status in (Status.READY, Status.IN_PREPARATION, Status.RECEIVED)]

    assert numbers(board) == expected


def test_older_place_in_the_queue_comes_first(kiosk: Screen, board: Screen) -> None:
    orders = [order_in(Status.RECEIVED, kiosk.device) for _ in range(3)]
    for order, minutes in zip(orders, (2, 9, 5), strict=True):
        Order.objects.filter(id=order.id).update(queue_at=timezone.now() - timedelta(minutes=minutes))

    assert numbers(board) == [orders[1].number, orders[2].number, orders[0].number]


def test_order_far_ahead_is_not_shown_yet(kiosk: Screen, board: Screen) -> None:
    soon, later = (order_in(Status.RECEIVED, kiosk.device) for _ in range(2))
    Order.objects.filter(id=soon.id).update(queue_at=timezone.now() + timedelta(minutes=9))
    Order.objects.filter(id=later.id).update(queue_at=timezone.now() + timedelta(minutes=11))

    assert numbers(board) == [soon.number]


@pytest.mark.parametrize("kind", [Role.KIOSK, Role.BOARD, Role.PANEL])
def test_every_screen_sees_its_own_store_only(kind: Role, kiosk: Screen, stranger: Screen) -> None:
    ours = order_in(Status.RECEIVED, kiosk.device)
    order_in(Status.RECEIVED, stranger.device)
    order_in(Status.READY, stranger.device)

    assert numbers(Screen(kiosk.store, kind)) == [ours.number]


def test_board_is_told_no_money_and_no_secrets(store: Store, kiosk: Screen, board: Screen) -> None:
    product = ProductFactory()
    option = OptionFactory(group=ProductModifierGroupFactory(product=product).group)
    new_menu(store)
    body = cart(product, guest_name="Ana")
    body["items"][0]["options"] = [{"option": str(option.id)}]
    order = Order.objects.get(id=kiosk.checkout(body).body["id"])
    mark_paid(order_id=order.id, by=PROVIDER, at=timezone.now())

    listed = board.get("/orders").body["results"][0]

    assert listed["guest_name"] == "Ana"
    assert listed["items"][0]["options"] == [{"option": str(option.id), "name": option.name, "quantity": 1}]
    for document in (listed, board.get(f"/orders/{order.id}").body):
        assert [name for name in names_in(document) if any(word in name for word in MONEY)] == []
        assert document == listed


def test_board_is_told_no_money_in_the_answer_to_a_move(kiosk: Screen, board: Screen) -> None:
    order = order_in(Status.RECEIVED, kiosk.device)

    moved = board.patch(f"/orders/{order.id}/status", {"status": "in_preparation"})

    assert (moved.status, moved.body["status"], moved.body["version"]) == (200, "in_preparation", 3)
    assert [name for name in names_in(moved.body) if any(word in name for word in MONEY)] == []


def test_panel_is_told_numbers_and_nothing_else(panel: Screen, every_status: dict[Status, Order]) -> None:
    told = panel.get("/orders").body["results"]

    assert told == [
        {"number": every_status[status].number, "status": status.code}
        for status in (Status.READY, Status.IN_PREPARATION, Status.RECEIVED)
    ]


@pytest.mark.parametrize("kind", [Role.BOARD, Role.PANEL])
def test_more_orders_take_no_more_queries(kind: Role, kiosk: Screen) -> None:
    screen = Screen(kiosk.store, kind)
    product = ProductFactory()
    taken = []
    for total in (1, 30):
        while Order.objects.count() < total:
            order_in(Status.RECEIVED, kiosk.device, product, product)
        screen.call_in()
        with CaptureQueriesContext(connection) as queries:
            assert len(numbers(screen)) == total
        taken.append(len(queries))

    assert taken[0] == taken[1]

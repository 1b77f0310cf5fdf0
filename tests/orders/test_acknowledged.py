"""What will not be made after all stays on the board until the kitchen has seen it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.actors import PROVIDER, Role
from apps.core.models import StoredEvent
from apps.kitchen.screens import shown_on_board
from apps.orders.cancel import cancel_order, void_item
from apps.orders.models import Acknowledgement, Order, OrderLine
from apps.orders.rules import Status
from apps.orders.services import mark_paid
from tests.factories import ProductFactory, order_in, place, staff
from tests.fixtures import Reply, Screen, broken_rules


@pytest.fixture
def order(kiosk: Screen) -> Order:
    """A received order of two things, the first of them to be voided."""
    return order_in(Status.RECEIVED, kiosk.device, ProductFactory(station="chapa"), ProductFactory(station="bebidas"))


def lines(order: Order) -> list[OrderLine]:
    return list(order.lines.order_by("position"))


def void(order: Order, line: OrderLine) -> None:
    cashier = staff(Role.CASHIER, order.store)
    void_item(order_id=order.id, line_id=line.id, by=cashier, at=timezone.now(), reason="acabou")


def cancel(order: Order, reason: str = "") -> None:
    cancel_order(order_id=order.id, by=staff(Role.CASHIER, order.store), at=timezone.now(), reason=reason)


def see(screen: Screen, order: Order, line: OrderLine | None = None) -> Reply:
    return screen.post(f"/orders/{order.id}{f'/items/{line.id}' if line else ''}/acknowledge")


def tickets(screen: Screen, at: timedelta = timedelta(0)) -> list[tuple[str, str, str, list[str]]]:
    """Number, status, column and states of the items of every ticket on the board."""
    return [
        (each["number"], each["status"], each["stage"], [item["state"] for item in each["items"]])
        for each in shown_on_board(screen.store.id, timezone.now() + at)["tickets"]
    ]


def acknowledgements(order: Order) -> list[tuple[int, object]]:
    events = StoredEvent.objects.filter(subject_id=order.id, type="order.change_acknowledged").order_by("id")
    return [(event.seq, event.payload["item"]) for event in events]


def test_voided_item_leaves_its_ticket_once_it_was_seen(order: Order, board: Screen) -> None:
    first, _ = lines(order)
    void(order, first)
    assert tickets(board) == [(order.number, "received", "received", ["voided", "queued"])]
    (ticket,) = shown_on_board(order.store_id, timezone.now())["tickets"]
    assert [station["is_done"] for station in ticket["stations"]] == [False, False]  # nobody made anything

    replies = [see(board, order, first) for _ in range(2)]

    assert [reply.status for reply in replies] == [200, 200]
    assert replies[0].body == replies[1].body
    assert [item["state"] for item in replies[0].body["items"]] == ["voided", "queued"]
    assert tickets(board) == [(order.number, "received", "received", ["queued"])]
    (ticket,) = shown_on_board(order.store_id, timezone.now())["tickets"]
    assert [station["code"] for station in ticket["stations"]] == ["bebidas"]
    order.refresh_from_db()
    assert acknowledgements(order) == [(order.version, str(first.id))]
    assert Acknowledgement.objects.get().actor_id == board.device.id
    assert broken_rules().keys() <= {"P5"}  # the factories pay without a charge


def test_cancelled_order_keeps_its_place_until_it_was_seen(order: Order, board: Screen, kiosk: Screen) -> None:
    making, waiting = (order_in(to, kiosk.device) for to in (Status.IN_PREPARATION, Status.RECEIVED))
    version = Order.objects.get(id=making.id).version
    cancel(making, "desistiu")
    cancel(order)

    shown = tickets(board)

    assert shown == [
        (order.number, "cancelled", "received", ["voided", "voided"]),
        (making.number, "cancelled", "in_preparation", ["voided"]),
        (waiting.number, "received", "received", ["queued"]),
    ]
    assert [told["number"] for told in board.get("/orders").body["results"]] == [waiting.number]
    assert [see(board, making).status for _ in range(2)] == [200, 200]
    assert tickets(board) == [shown[0], shown[2]]
    assert acknowledgements(making) == [(version + 2, None)]
    assert broken_rules().keys() <= {"P5"}  # the factories pay without a charge


def test_item_that_was_seen_is_not_on_the_ticket_of_its_cancelled_order(order: Order, board: Screen) -> None:
    first, _ = lines(order)
    void(order, first)
    see(board, order, first)
    cancel(order)

    assert tickets(board) == [(order.number, "cancelled", "received", ["voided"])]


def test_kitchen_sees_no_cancelled_order_that_it_never_had(kiosk: Screen, board: Screen) -> None:
    cancel(place(kiosk.device, ProductFactory()))
    ahead = place(kiosk.device, ProductFactory())
    mark_paid(order_id=ahead.id, by=PROVIDER, at=timezone.now())
    Order.objects.filter(id=ahead.id).update(queue_at=timezone.now() + timedelta(hours=1))
    cancel(ahead)

    assert tickets(board) == []


def test_cancelled_order_of_another_day_is_not_waited_for(order: Order, board: Screen) -> None:
    cancel(order)

    assert len(tickets(board, timedelta(hours=11))) == 1
    assert tickets(board, timedelta(hours=13)) == []


@pytest.mark.parametrize("status", [Status.RECEIVED, Status.FINISHED, Status.CANCELLED])
def test_what_was_not_taken_from_the_kitchen_cannot_be_seen(status: Status, kiosk: Screen, board: Screen) -> None:
    order = order_in(status, kiosk.device)  # the cancelled one was never paid

    assert see(board, order).code == (409, "invalid_transition")
    assert see(board, order, lines(order)[0]).code == (409, "invalid_transition")
    assert not Acknowledgement.objects.exists()


def test_only_board_and_staff_of_the_store_say_that_they_have_seen(
    order: Order, kiosk: Screen, panel: Screen, stranger: Screen
) -> None:
    first, _ = lines(order)
    void(order, first)
    elsewhere = Screen(stranger.store, Role.BOARD)

    assert [see(screen, order, first).code for screen in (kiosk, panel)] == [(403, "permission_denied")] * 2
    assert see(elsewhere, order, first).code == (404, "not_found")
    cancel(order)
    assert [see(screen, order).code for screen in (kiosk, panel)] == [(403, "permission_denied")] * 2
    assert see(elsewhere, order).code == (404, "not_found")
    assert tickets(elsewhere) == []
    assert not Acknowledgement.objects.exists()

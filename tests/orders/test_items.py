"""Single items at the board: made, taken back, and what becomes of their order."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from apps.core.actors import PROVIDER, Role
from apps.core.models import StoredEvent
from apps.orders.models import Order, OrderLine, Preparation
from apps.orders.preparation import bump_item
from apps.orders.rules import Status
from apps.orders.services import mark_paid
from tests.combos.boxes import cart_of, combo, filled
from tests.factories import ProductFactory, new_menu, order_in, staff
from tests.fixtures import Reply, Screen, broken_rules


@pytest.fixture
def order(kiosk: Screen) -> Order:
    """A received order of a sandwich at the griddle and a juice."""
    return order_in(Status.RECEIVED, kiosk.device, ProductFactory(station="chapa"), ProductFactory(station="bebidas"))


def lines(order: Order) -> list[OrderLine]:
    return list(order.lines.order_by("position"))


def tap(screen: Screen, line: OrderLine, what: str = "bump") -> Reply:
    return screen.post(f"/orders/{line.order_id}/items/{line.id}/{what}")


def told(reply: Reply) -> tuple[str, list[str]]:
    """Where the order stands and its items are."""
    assert reply.status == 200, reply.body
    return reply.body["status"], [item["state"] for item in reply.body["items"]]


def events(order: Order) -> list[tuple[str, int]]:
    return list(StoredEvent.objects.filter(subject_id=order.id).order_by("id").values_list("type", "seq"))


def test_first_item_starts_the_order_and_the_last_makes_it_ready(order: Order, board: Screen) -> None:
    sandwich, juice = lines(order)
    before = len(events(order))

    assert told(tap(board, sandwich)) == ("in_preparation", ["done", "queued"])
    assert told(tap(board, juice)) == ("ready", ["done", "done"])

    assert events(order)[before:] == [
        ("order.item_moved", 3),
        ("order.status_changed", 4),
        ("order.item_moved", 5),
        ("order.status_changed", 6),
        ("order.ready", 6),
    ]
    steps = list(order.history.order_by("seq").values_list("to_status", "kind"))
    assert steps[-2:] == [(Status.IN_PREPARATION, "move"), (Status.READY, "move")]
    assert broken_rules().keys() <= {"P5"}  # the factories pay without a charge


def test_only_item_goes_all_the_way_and_skips_no_step(kiosk: Screen, board: Screen) -> None:
    order = order_in(Status.RECEIVED, kiosk.device)

    assert told(tap(board, lines(order)[0])) == ("ready", ["done"])
    assert [status for (status,) in order.history.order_by("seq").values_list("to_status")] == [0, 1, 2, 3]
    assert broken_rules().keys() <= {"P5"}  # the factories pay without a charge


def test_item_is_started_when_it_is_made_at_the_latest(order: Order, board: Screen) -> None:
    tap(board, lines(order)[0])

    made, waiting = Preparation.objects.filter(line__order=order).order_by("line__position")
    assert made.started_at == made.done_at
    assert (waiting.started_at, waiting.done_at) == (None, None)


@pytest.mark.parametrize("what", ["bump", "recall"])
def test_repeating_changes_nothing_and_tells_nobody(what: str, order: Order, board: Screen) -> None:
    sandwich, _ = lines(order)
    tap(board, sandwich)
    if what == "recall":
        tap(board, sandwich, "recall")
    first = board.get(f"/orders/{order.id}").body
    before = events(order)

    again = tap(board, sandwich, what)

    assert (again.status, again.body) == (200, first)
    assert events(order) == before


def test_item_of_a_ready_order_brings_it_back_to_its_old_place(order: Order, board: Screen) -> None:
    sandwich, juice = lines(order)
    tap(board, sandwich)
    tap(board, juice)
    order.refresh_from_db()
    place, ready_at = order.queue_at, order.ready_at

    assert told(tap(board, sandwich, "recall")) == ("in_preparation", ["started", "done"])

    order.refresh_from_db()
    assert (order.queue_at, order.ready_at) == (place, ready_at)
    assert order.history.order_by("seq").last().kind == "recall"  # type: ignore[union-attr]  # it has steps
    assert told(tap(board, sandwich)) == ("ready", ["done", "done"])
    assert [type_ for type_, _ in events(order)].count("order.ready") == 1
    assert broken_rules().keys() <= {"P5"}  # the factories pay without a charge


def test_item_taken_back_early_leaves_the_order_in_preparation(order: Order, board: Screen) -> None:
    sandwich, _ = lines(order)
    tap(board, sandwich)

    assert told(tap(board, sandwich, "recall")) == ("in_preparation", ["started", "queued"])
    assert broken_rules().keys() <= {"P5"}  # the factories pay without a charge


def test_undo_of_ready_leaves_what_was_made_before(order: Order, board: Screen) -> None:
    sandwich, _ = lines(order)
    tap(board, sandwich)
    board.patch(f"/orders/{order.id}/status", {"status": "ready"})

    assert told(board.post(f"/orders/{order.id}/undo")) == ("in_preparation", ["done", "started"])


def test_combo_is_made_with_all_its_parts(kiosk: Screen, board: Screen) -> None:
    toast, juice = ProductFactory(station="chapa"), ProductFactory(station="bebidas")
    snack = combo([toast], [juice])
    new_menu(kiosk.store)
    placed = kiosk.checkout(cart_of(filled(snack, toast, juice))).body
    mark_paid(order_id=UUID(placed["id"]), by=PROVIDER, at=timezone.now())

    assert told(tap(board, OrderLine.objects.get())) == ("ready", ["done"])
    assert [row.state for row in Preparation.objects.all()] == ["done", "done"]


@pytest.mark.parametrize("status", [Status.AWAITING_PAYMENT, Status.FINISHED, Status.EXPIRED, Status.CANCELLED])
@pytest.mark.parametrize("what", ["bump", "recall"])
def test_item_of_an_order_off_the_board_stays(what: str, status: Status, kiosk: Screen, board: Screen) -> None:
    order = order_in(status, kiosk.device)
    before = events(order)

    refused = tap(board, lines(order)[0], what)

    assert refused.code == (409, "invalid_transition")
    assert refused.body["legal"] == []
    assert events(order) == before


def test_item_is_found_in_its_own_order_and_store_only(
    order: Order, board: Screen, kiosk: Screen, stranger: Screen
) -> None:
    other = order_in(Status.RECEIVED, kiosk.device)
    theirs = order_in(Status.RECEIVED, stranger.device)

    def refusal(order_id: Any, item_id: Any) -> tuple[int, str]:
        return board.post(f"/orders/{order_id}/items/{item_id}/bump").code

    assert refusal(order.id, lines(other)[0].id) == (404, "not_found")
    assert refusal(order.id, uuid4()) == (404, "not_found")
    assert refusal(theirs.id, lines(theirs)[0].id) == (404, "not_found")
    assert not Preparation.objects.exclude(state="queued").exists()


@pytest.mark.parametrize("role", [Role.KIOSK, Role.PANEL])
@pytest.mark.parametrize("what", ["bump", "recall"])
def test_guests_screens_make_nothing(what: str, role: Role, order: Order) -> None:
    assert tap(Screen(order.store, role), lines(order)[0], what).code == (403, "permission_denied")


def test_two_taps_at_once_leave_a_history_that_only_goes_forward(order: Order, board: Screen) -> None:
    cook = staff(Role.KITCHEN, board.store)
    first, second = lines(order)
    bump_item(order_id=order.id, item_id=first.id, by=cook, at=order.moved_at + timedelta(seconds=2))

    bump_item(order_id=order.id, item_id=second.id, by=cook, at=order.moved_at + timedelta(seconds=1))

    assert broken_rules().keys() <= {"P5"}  # the factories pay without a charge

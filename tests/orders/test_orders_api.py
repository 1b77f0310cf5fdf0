"""Reading and moving one order through the API."""

from datetime import timedelta

import pytest

from apps.core.actors import Role
from apps.core.formats import iso
from apps.orders.models import Order
from apps.orders.rules import Status
from tests.factories import order_in
from tests.fixtures import Screen

LEGAL = {
    Status.RECEIVED: ["in_preparation"],
    Status.IN_PREPARATION: ["ready"],
    Status.READY: ["finished"],
}


@pytest.mark.parametrize("status", list(Status), ids=lambda status: status.code)
def test_illegal_move_is_answered_with_the_legal_ones(status: Status, kiosk: Screen, board: Screen) -> None:
    order = order_in(status, kiosk.device)
    to = "received" if status != Status.RECEIVED else "finished"

    reply = board.patch(f"/orders/{order.id}/status", {"status": to})

    assert reply.code == (409, "invalid_transition")
    assert reply.body["legal"] == LEGAL.get(status, [])
    order.refresh_from_db()
    assert order.status == status


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"status": "made"}, "invalid_choice"),
        ({"status": "READY"}, "invalid_choice"),
        ({"status": 2}, "invalid_choice"),
        ({"status": ["ready"]}, "invalid_choice"),
        ({"status": None}, "null"),
        ({"status": "ready", "x": 1}, "unknown_field"),
    ],
)
def test_unknown_move_is_refused(body: object, code: str, kiosk: Screen, board: Screen) -> None:
    order = order_in(Status.IN_PREPARATION, kiosk.device)

    reply = board.patch(f"/orders/{order.id}/status", body)

    assert (reply.code, [error["code"] for error in reply.body["errors"]]) == ((400, "invalid"), [code])
    order.refresh_from_db()
    assert order.status == Status.IN_PREPARATION


def test_step_is_answered_as_short_as_its_caller_prefers(kiosk: Screen, board: Screen) -> None:
    order = order_in(Status.RECEIVED, kiosk.device)
    path = f"/orders/{order.id}"

    whole = board.patch(f"{path}/status", {"status": "in_preparation"})
    short = board.send("PATCH", f"{path}/status", {"status": "ready"}, Prefer="respond-async, return=minimal")

    assert ("items" in whole.body, whole.response.has_header("Preference-Applied")) == (True, False)
    assert short.response["Preference-Applied"] == "return=minimal"
    assert short.body == board.get(f"{path}/status").body
    assert short.body["status"] == "ready"


def test_order_goes_from_the_board_to_the_counter_and_back(kiosk: Screen, board: Screen) -> None:
    order = order_in(Status.RECEIVED, kiosk.device)
    path = f"/orders/{order.id}"

    seen = [board.patch(f"{path}/status", {"status": to}).body["status"] for to in ("in_preparation", "ready")]
    seen += [
        board.post(f"{path}/undo").body["status"],
        board.patch(f"{path}/status", {"status": "ready"}).body["status"],
    ]
    seen += [board.post(f"{path}/recall").body["status"]]

    assert seen == ["in_preparation", "ready", "in_preparation", "ready", "in_preparation"]
    steps = board.get(f"{path}/history").body["results"]
    assert [(step["from"], step["to"], step["kind"], step["by"]) for step in steps] == [
        (None, "awaiting_payment", "move", kiosk.device.name),
        ("awaiting_payment", "received", "move", "provider"),
        ("received", "in_preparation", "move", board.device.name),
        ("in_preparation", "ready", "move", board.device.name),
        ("ready", "in_preparation", "undo", board.device.name),
        ("in_preparation", "ready", "move", board.device.name),
        ("ready", "in_preparation", "recall", board.device.name),
    ]


def test_undo_too_late_is_refused(kiosk: Screen, board: Screen) -> None:
    order = order_in(Status.READY, kiosk.device)
    Order.objects.filter(id=order.id).update(moved_at=order.moved_at - timedelta(minutes=5))

    assert board.post(f"/orders/{order.id}/undo").code == (409, "invalid_transition")


@pytest.mark.parametrize("status", list(Status), ids=lambda status: status.code)
def test_narrow_answer_says_where_an_order_stands_and_when_to_ask_again(status: Status, kiosk: Screen) -> None:
    order = order_in(status, kiosk.device)

    reply = kiosk.get(f"/orders/{order.id}/status")

    assert reply.body == {
        "id": str(order.id),
        "number": order.number,
        "status": status.code,
        "status_label": status.label,
        "promised_at": iso(order.promised_at),
        "version": order.version,
        "release": None,
    }
    assert reply.response["Retry-After"] == ("5" if status <= Status.READY else "30")


def test_kiosk_does_not_see_the_order_of_its_neighbour(kiosk: Screen) -> None:
    neighbour = Screen(kiosk.store)
    theirs, ours = order_in(Status.RECEIVED, neighbour.device), order_in(Status.RECEIVED, kiosk.device)

    assert kiosk.get(f"/orders/{theirs.id}").code == (404, "not_found")
    assert kiosk.get(f"/orders/{ours.id}").status == 200


@pytest.mark.parametrize("kind", [Role.KIOSK, Role.PANEL])
@pytest.mark.parametrize("path", ["undo", "recall"])
def test_screens_of_the_guests_step_nothing_back(kind: Role, path: str, kiosk: Screen) -> None:
    order = order_in(Status.READY, kiosk.device)
    screen = kiosk if kind == Role.KIOSK else Screen(kiosk.store, kind)

    assert screen.post(f"/orders/{order.id}/{path}").code == (403, "permission_denied")
    order.refresh_from_db()
    assert order.status == Status.READY

"""Board and panel: what they draw, and who may open them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import dispatch
from apps.core.actors import PROVIDER, Role
from apps.kitchen import screens
from apps.kitchen.models import Call
from apps.kitchen.screens import board_drawing, panel_drawing, shown_on_board
from apps.orders.cancel import cancel_order, void_item
from apps.orders.models import Order
from apps.orders.preparation import acknowledge_void, bump_item, recall_item
from apps.orders.rules import Status
from apps.orders.services import mark_paid, move_order, recall_order, undo_move
from apps.stores.models import Store
from breadmate.subscriptions import AFTER_COMMIT
from tests.factories import ProductFactory, order_in, place, staff
from tests.fixtures import Screen


def deliver() -> None:
    dispatch.deliver_new(AFTER_COMMIT, at=timezone.now())


def browser(screen: Screen) -> Client:
    client = Client()
    client.cookies["bm_device"] = screen.token
    return client


def board_html(store: Store) -> str:
    return str(board_drawing(store.id, timezone.now()).data["html"])


def test_board_shows_what_is_to_be_made_for_whom(store: Store, kiosk: Screen) -> None:
    order = place(kiosk.device, ProductFactory(name="Pão na chapa"), quantity=2)
    Order.objects.update(guest_name="Dona Ana")
    mark_paid(order_id=order.id, by=PROVIDER, at=timezone.now())

    html = board_html(store)

    assert [text in html for text in (order.number, "Pão na chapa", "Dona Ana", str(order.id))] == [True] * 4
    assert [text in html for text in ("R$", "20,00", "20.00", order.pickup_code, order.tracking_token)] == [False] * 5


def test_text_of_a_guest_stays_text(store: Store, kiosk: Screen) -> None:
    order = place(kiosk.device, ProductFactory(name="<b>Pão</b>"))
    Order.objects.update(guest_name="<script>alert(1)</script>")
    order.lines.update(note='"><img src=x onerror=alert(1)>')
    mark_paid(order_id=order.id, by=PROVIDER, at=timezone.now())

    html = board_html(store)

    assert [text in html for text in ("<script>", "<b>Pão", "<img src=x")] == [False] * 3
    assert "&lt;script&gt;alert(1)" in html


def test_board_of_a_store_shows_no_other_store(store: Store, kiosk: Screen, stranger: Screen) -> None:
    theirs = order_in(Status.RECEIVED, stranger.device)

    assert str(theirs.id) not in board_html(store)
    assert str(theirs.id) in board_html(stranger.store)


@pytest.mark.parametrize("draw", [board_drawing, panel_drawing])
def test_more_orders_take_no_more_queries(draw: Any, store: Store, kiosk: Screen) -> None:
    product, taken = ProductFactory(), []
    for total in (1, 20):
        while Order.objects.count() < total:
            order_in(Status.RECEIVED, kiosk.device, product)
        with CaptureQueriesContext(connection) as queries:
            draw(store.id, timezone.now())
        taken.append(len(queries))

    assert taken[0] == taken[1]


def test_more_cancelled_orders_take_no_more_queries(store: Store, kiosk: Screen) -> None:
    product, cashier, taken = ProductFactory(), staff(Role.CASHIER, store), []
    for total in (1, 5):
        while Order.objects.count() < total:
            order = order_in(Status.RECEIVED, kiosk.device, product)
            cancel_order(order_id=order.id, by=cashier, at=timezone.now(), reason="<b>desistiu</b>")
        with CaptureQueriesContext(connection) as queries:
            html = board_html(store)
        taken.append(len(queries))

    assert taken[0] == taken[1]
    assert (html.count("Cancelado"), html.count("&lt;b&gt;desistiu"), html.count("<b>")) == (5, 5, 0)


def test_drawing_changes_its_version_with_every_move(store: Store, kiosk: Screen) -> None:
    order = order_in(Status.RECEIVED, kiosk.device)
    cook, versions = staff(Role.KITCHEN, store), []
    for to in (Status.RECEIVED, Status.IN_PREPARATION, Status.READY):
        move_order(order_id=order.id, to=to, by=cook, at=timezone.now())
        versions.append(board_drawing(store.id, timezone.now()).version)

    assert versions == sorted(set(versions))


def test_ready_order_is_called_once_also_after_a_recall(store: Store, kiosk: Screen) -> None:
    order = order_in(Status.READY, kiosk.device)
    cook = staff(Role.KITCHEN, store)
    deliver()
    recall_order(order_id=order.id, by=cook, at=timezone.now())
    move_order(order_id=order.id, to=Status.READY, by=cook, at=timezone.now())

    deliver()

    call = Call.objects.get()
    assert (call.order_id, call.number, call.store_id) == (order.id, order.number, store.id)
    assert [told["number"] for told in panel_drawing(store.id, timezone.now()).data["calls"]] == [order.number]


def test_order_that_is_not_ready_any_more_is_not_called(store: Store, kiosk: Screen) -> None:
    order = order_in(Status.READY, kiosk.device)
    deliver()
    recall_order(order_id=order.id, by=staff(Role.KITCHEN, store), at=timezone.now())

    assert panel_drawing(store.id, timezone.now()).data["calls"] == []


def test_panel_says_numbers_and_nothing_about_guests(store: Store, kiosk: Screen) -> None:
    order = place(kiosk.device, ProductFactory(name="Sonho"))
    Order.objects.update(guest_name="Dona Ana")
    mark_paid(order_id=order.id, by=PROVIDER, at=timezone.now())

    html = str(panel_drawing(store.id, timezone.now()).data["html"])

    assert [text in html for text in (order.number, "Sonho", "Dona Ana", str(order.id))] == [True, False, False, False]


def test_order_called_last_comes_first(store: Store, kiosk: Screen) -> None:
    first, second = (order_in(Status.READY, kiosk.device) for _ in range(2))
    deliver()
    Call.objects.filter(order=first).update(called_at=timezone.now())
    Call.objects.filter(order=second).update(called_at=timezone.now() - timedelta(minutes=5))

    calls = panel_drawing(store.id, timezone.now()).data["calls"]

    assert [told["number"] for told in calls] == [first.number, second.number]


@pytest.mark.parametrize(("path", "kind"), [("/kitchen/", Role.BOARD), ("/panel/", Role.PANEL)])
def test_page_opens_to_its_own_kind_of_device(path: str, kind: Role, store: Store, kiosk: Screen) -> None:
    order = order_in(Status.READY, kiosk.device)

    shown = browser(Screen(store, kind)).get(path)
    others = {Role.KIOSK, Role.BOARD, Role.PANEL} - {kind}
    asked_to_pair = [browser(Screen(store, other)).get(path) for other in others]

    assert (shown.status_code, order.number in shown.content.decode()) == (200, True)
    assert [(page.status_code, order.number in page.content.decode()) for page in asked_to_pair] == [(200, False)] * 2
    assert {page["Cache-Control"] for page in [shown, *asked_to_pair]} == {shown["Cache-Control"]}
    assert "no-store" in shown["Cache-Control"]


@pytest.mark.parametrize(("path", "kind"), [("/kitchen/orders/", Role.BOARD), ("/panel/orders/", Role.PANEL)])
def test_fragment_is_for_its_own_kind_of_device(path: str, kind: Role, store: Store, kiosk: Screen) -> None:
    order = order_in(Status.READY, kiosk.device)

    assert order.number in browser(Screen(store, kind)).get(path).content.decode()
    assert (Client().get(path).status_code, browser(kiosk).get(path).status_code) == (401, 401)
    assert browser(Screen(store, kind)).post(path).status_code in (403, 405)


def test_totals_count_what_is_still_to_be_made(store: Store, kiosk: Screen, board: Screen) -> None:
    bun, juice = ProductFactory(name="Pão", station="chapa"), ProductFactory(name="Suco", station="bebidas")
    for _ in range(2):
        order = place(kiosk.device, bun, juice, quantity=3)
        mark_paid(order_id=order.id, by=PROVIDER, at=timezone.now())
    made = order.lines.get(name="Pão")
    bump_item(order_id=order.id, item_id=made.id, by=staff(Role.KITCHEN, store), at=timezone.now())

    totals = shown_on_board(store.id, timezone.now())["all_day"]

    assert [(station["code"], station["things"]) for station in totals] == [
        ("chapa", [{"name": "Pão", "units": 3}]),
        ("bebidas", [{"name": "Suco", "units": 6}]),
    ]


def test_ticket_says_its_promise_and_where_its_parts_are_made(store: Store, kiosk: Screen) -> None:
    bun = ProductFactory(station="chapa", prep_minutes=7)
    order = order_in(Status.RECEIVED, kiosk.device, bun, ProductFactory(station="bebidas"))
    bump_item(
        order_id=order.id, item_id=order.lines.get(product=bun).id, by=staff(Role.KITCHEN, store), at=timezone.now()
    )

    (ticket,) = shown_on_board(store.id, timezone.now())["orders"]

    assert ticket["promised_at"] == order.promised_at
    assert [(each["code"], each["is_done"]) for each in ticket["stations"]] == [("chapa", True), ("bebidas", False)]
    assert "promessa" in board_html(store)


def test_recent_orders_are_the_ready_and_the_handed_over_ones_of_this_store(
    store: Store, kiosk: Screen, stranger: Screen
) -> None:
    order_in(Status.FINISHED, stranger.device)
    order_in(Status.IN_PREPARATION, kiosk.device)
    done, first, second = (order_in(to, kiosk.device) for to in (Status.FINISHED, Status.READY, Status.READY))

    recent = shown_on_board(store.id, timezone.now())["recent"]

    assert [(each["number"], each["is_ready"]) for each in recent] == [
        (second.number, True),
        (first.number, True),
        (done.number, False),
    ]


def test_remembered_ticket_is_the_one_that_would_be_drawn_anew(store: Store, kiosk: Screen, board: Screen) -> None:
    """After every kind of change that a ticket shows; seen red with the order's version left out of what is remembered."""
    order_in(Status.RECEIVED, kiosk.device)
    order = order_in(Status.RECEIVED, kiosk.device, *(ProductFactory(station=code) for code in ("chapa", "bebidas")))
    first, second = order.lines.order_by("position")
    cook, cashier = staff(Role.KITCHEN, store), staff(Role.CASHIER, store)
    told = {"order_id": order.id, "at": timezone.now()}
    changes: list[Callable[[], object]] = [
        lambda: void_item(**told, line_id=first.id, by=cashier, reason="acabou"),
        lambda: acknowledge_void(**told, item_id=first.id, by=cook),
        lambda: move_order(**told, to=Status.IN_PREPARATION, by=cook),
        lambda: undo_move(**told, by=cook),
        lambda: move_order(**told, to=Status.IN_PREPARATION, by=cook),
        lambda: bump_item(**told, item_id=second.id, by=cook),
        lambda: recall_item(**told, item_id=second.id, by=cook),
        lambda: move_order(**told, to=Status.READY, by=cook),
        lambda: recall_order(**told, by=cook),
    ]
    drawn = {board_html(store)}
    for change in changes:
        change()
        remembered = board_html(store)
        screens._drawn.clear()
        assert remembered == board_html(store)
        drawn.add(remembered)
    assert len(drawn) == 5  # received, one voided, that seen, begun, ready; the rest goes back and forth


def test_board_reads_the_lines_of_what_changed_alone(store: Store, kiosk: Screen) -> None:
    orders = [order_in(Status.RECEIVED, kiosk.device) for _ in range(2)]
    board_html(store)

    with CaptureQueriesContext(connection) as unchanged:
        board_html(store)
    move_order(order_id=orders[0].id, to=Status.IN_PREPARATION, by=staff(Role.KITCHEN, store), at=timezone.now())
    with CaptureQueriesContext(connection) as changed:
        board_html(store)

    assert [query["sql"] for query in unchanged if "orders_orderline" in query["sql"]] == []
    (lines,) = [query["sql"] for query in changed if 'FROM "orders_orderline" ' in query["sql"]]
    assert orders[0].id.hex in lines
    assert orders[1].id.hex not in lines

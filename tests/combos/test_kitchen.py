"""A paid combo: one thing to make for each slot, told to the kitchen and to the guest."""

import re
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.actors import PROVIDER, Role
from apps.kitchen.screens import board_drawing
from apps.orders.models import Order, OrderLine, OrderSlot, Preparation
from apps.orders.rules import Status
from apps.orders.services import mark_paid, move_order, undo_move
from apps.payments.rules import Method, Tender
from apps.payments.services import confirm_counter, open_charge
from tests.combos.boxes import cart_of, combo, filled
from tests.factories import (
    ModifierGroupFactory,
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    claim,
    new_menu,
    staff,
)
from tests.fixtures import Screen, broken_rules


@pytest.fixture
def order(kiosk: Screen) -> Order:
    """A paid order of two combos, one line, and a pudding."""
    juice, toast = ProductFactory(name="Suco", station="bebidas"), ProductFactory(name="Misto", station="chapa")
    pudding = ProductFactory(name="Pudim", station="balcao")
    group = ModifierGroupFactory(min=1, max=2)
    ProductModifierGroupFactory(product=toast, group=group)
    egg = OptionFactory(group=group, name="Ovo", price="3.00")
    snack = combo([toast], [juice, pudding], [(juice, "1.00")], name="Lanche da tarde", station="balcao")
    item = filled(snack, toast, juice, juice, quantity=2)
    item["slots"][0]["options"] = [{"option": str(egg.id), "quantity": 2}]
    new_menu(kiosk.store)
    placed = kiosk.checkout(cart_of(item, {"product": str(pudding.id), "quantity": 1}))
    order_id = UUID(placed.body["id"])
    assert not Preparation.objects.exists()
    cashier, now = staff(Role.CASHIER, kiosk.store), timezone.now()
    charge = open_charge(order_id=order_id, method=Method.COUNTER, by=kiosk.actor, claim=claim(kiosk.actor), at=now)
    confirm_counter(charge_id=charge.id, tender=Tender.CASH, received=None, by=cashier, at=now)
    return Order.objects.get(id=order_id)


def states(board: Screen) -> list[str]:
    return [item["state"] for item in board.get("/orders").body["results"][0]["items"]]


def test_each_slot_is_one_thing_to_make_at_its_own_station(order: Order) -> None:
    line, single = order.lines.order_by("position")

    things = Preparation.objects.filter(line=line).order_by("slot__position")

    assert list(things.values_list("slot__position", "station", "state")) == [
        (0, "chapa", "queued"),
        (1, "bebidas", "queued"),
        (2, "bebidas", "queued"),
    ]
    assert list(Preparation.objects.filter(line=single).values_list("slot", "station")) == [(None, "balcao")]
    assert Preparation.objects.count() == 4
    assert broken_rules() == {}


def test_combo_is_as_far_as_the_slot_that_is_behind(order: Order, board: Screen) -> None:
    line = order.lines.get(position=0)
    first, second, third = Preparation.objects.filter(line=line).order_by("slot__position")

    seen = []
    for row, state in ((first, "done"), (second, "started"), (third, "started"), (second, "done"), (third, "done")):
        Preparation.objects.filter(id=row.id).update(state=state)
        seen.append(states(board))

    assert seen == [[each, "queued"] for each in ("queued", "queued", "started", "started", "done")]


def test_steps_of_the_order_move_every_slot(order: Order, board: Screen) -> None:
    cook, at = staff(Role.KITCHEN, board.store), timezone.now()

    move_order(order_id=order.id, to=Status.IN_PREPARATION, by=cook, at=at)
    assert set(Preparation.objects.values_list("state", flat=True)) == {"started"}
    move_order(order_id=order.id, to=Status.READY, by=cook, at=at)
    assert set(Preparation.objects.values_list("state", flat=True)) == {"done"}
    undo_move(order_id=order.id, by=cook, at=at)
    assert states(board) == ["started", "started"]
    assert broken_rules() == {}


def test_board_hears_of_the_choices_and_of_no_money(order: Order, board: Screen) -> None:
    (told,) = board.get("/orders").body["results"]

    assert [slot["name"] for slot in told["items"][0]["slots"]] == ["Misto", "Suco", "Suco"]
    assert [sorted(slot) for slot in told["items"][0]["slots"]] == [["name", "options", "product", "slot"]] * 3
    (egg,) = told["items"][0]["slots"][0]["options"]
    assert (sorted(egg), egg["name"], egg["quantity"]) == (["name", "option", "quantity"], "Ovo", 2)
    assert told["items"][0]["options"] == told["items"][1]["slots"] == []


def test_ticket_and_tracking_page_show_the_choices_under_the_combo(order: Order) -> None:
    ticket, _, totals = str(board_drawing(order.store_id, timezone.now()).data["html"]).partition("drawer-all-day")
    page = Client().get(f"/t/{order.tracking_token}/").content.decode()

    for html in (ticket, page):
        places = [html.index(text) for text in ("Lanche da tarde", "Misto", "2× Ovo", "Suco", "Pudim")]
        assert places == sorted(places)
        assert (html.count("Suco"), html.count("2× Ovo")) == (2, 1)
    assert re.search(r">4</span>\s*Suco<", totals)


def test_board_takes_as_many_queries_with_one_combo_as_with_three(
    order: Order, kiosk: Screen, board: Screen, django_assert_max_num_queries
) -> None:
    def count() -> int:
        board.call_in()
        with django_assert_max_num_queries(30) as asked:
            assert board.get("/orders").status == 200
        return len(asked)

    once = count()
    for _ in range(2):
        snack = combo([filling := ProductFactory()], [filling])
        new_menu(kiosk.store)
        placed = kiosk.checkout(cart_of(filled(snack, filling, filling)))
        mark_paid(order_id=UUID(placed.body["id"]), by=PROVIDER, at=timezone.now())

    assert count() == once
    assert len(board.get("/orders").body["results"]) == 3


def thing_of_a_slot_lost(order: Order) -> object:
    lost = Preparation.objects.filter(slot__position=1).get()
    lost.delete()
    return lost.slot_id


def thing_of_the_whole_combo_beside_its_slots(order: Order) -> object:
    line = order.lines.get(position=0)
    Preparation.objects.create(line=line, station="balcao")
    return line.id


def thing_under_another_line(order: Order) -> object:
    moved = Preparation.objects.filter(slot__position=2).get()
    Preparation.objects.filter(id=moved.id).update(line=order.lines.get(position=1))
    return moved.slot_id


def delta_that_was_not_charged(order: Order) -> object:
    OrderSlot.objects.filter(position=1).update(price_delta="0.50")
    return order.id


def option_of_a_slot_that_was_not_charged(order: Order) -> object:
    OrderLine.objects.get(order=order, position=0).options.update(unit_price="3.01")
    return order.id


@pytest.mark.parametrize(
    ("rule", "plant"),
    [
        ("O3", thing_of_a_slot_lost),
        ("O3", thing_of_the_whole_combo_beside_its_slots),
        ("O3", thing_under_another_line),
        ("O6", delta_that_was_not_charged),
        ("O6", option_of_a_slot_that_was_not_charged),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_audit_sees_what_is_wrong_with_a_combo(rule: str, plant: object, order: Order) -> None:
    assert broken_rules() == {}

    row = plant(order)

    red = broken_rules()
    assert list(red) == [rule]
    assert any(str(row) in each for each in red[rule])

"""Combos in a cart: what is asked, what it costs, what it takes from the shelf."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.catalog.models import Product
from apps.inventory.models import RecipeLine, StockLevel
from apps.orders.cancel import cancel_order
from apps.orders.models import Order
from apps.promotions.models import Promotion
from apps.promotions.rules import Kind
from apps.stores.models import Store
from tests.combos.boxes import cart_of, choices_of, combo, filled, slots_of
from tests.factories import (
    ModifierGroupFactory,
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    RecipeLineFactory,
    StoreProductFactory,
    new_menu,
    stocked_product,
    supply,
)
from tests.fixtures import Reply, Screen, broken_rules


class Lunch:
    """A combo of two slots: a sandwich, asked for its bread, and a drink."""

    def __init__(self, store: Store) -> None:
        self.burger, self.toast = ProductFactory(name="X-salada"), ProductFactory(name="Misto")
        self.juice, self.water = ProductFactory(name="Suco"), ProductFactory(name="Água")
        self.stranger = ProductFactory(name="Pudim")
        breads = ModifierGroupFactory(name="Pão", min=1, max=1)
        ProductModifierGroupFactory(product=self.burger, group=breads)
        self.bread = OptionFactory(group=breads, price="1.50", max_quantity=1)
        sauces = ModifierGroupFactory(name="Molhos", min=0, max=3)
        self.combo = combo([self.burger, (self.toast, "-2.00")], [self.water, (self.juice, "4.00")], price="30.00")
        ProductModifierGroupFactory(product=self.combo, group=sauces)
        self.sauce = OptionFactory(group=sauces, price="0.50", max_quantity=2)
        self.main, self.drink = slots_of(self.combo)
        new_menu(store)

    def item(self, **fields: Any) -> dict[str, Any]:
        """The burger on its bread with juice."""
        item = filled(self.combo, self.burger, self.juice, **fields)
        item["slots"][0]["options"] = [{"option": str(self.bread.id), "quantity": 1}]
        return item


@pytest.fixture
def lunch(store: Store) -> Lunch:
    return Lunch(store)


def test_combo_costs_its_price_its_deltas_and_all_options_times_the_quantity(kiosk: Screen, lunch: Lunch) -> None:
    item = lunch.item(quantity=3, options=[{"option": str(lunch.sauce.id), "quantity": 2}], note="sem sal")

    placed = kiosk.checkout(cart_of(item))

    assert placed.status == 201
    (told,) = placed.body["items"]
    assert told["slots"] == [
        {
            "slot": str(lunch.main.id),
            "product": str(lunch.burger.id),
            "name": "X-salada",
            "price_delta": "0.00",
            "options": [
                {"option": str(lunch.bread.id), "name": lunch.bread.name, "quantity": 1, "unit_price": "1.50"},
            ],
        },
        {
            "slot": str(lunch.drink.id),
            "product": str(lunch.juice.id),
            "name": "Suco",
            "price_delta": "4.00",
            "options": [],
        },
    ]
    assert [option["option"] for option in told["options"]] == [str(lunch.sauce.id)]
    assert (told["unit_price"], told["total"], placed.body["total"]) == ("30.00", "109.50", "109.50")
    assert kiosk.get(f"/orders/{placed.body['id']}").body == placed.body
    assert broken_rules() == {}


def test_slots_may_come_in_any_order_and_are_told_in_the_combos(kiosk: Screen, lunch: Lunch) -> None:
    item = lunch.item()
    item["slots"].reverse()

    placed = kiosk.checkout(cart_of(item))

    assert [slot["name"] for slot in placed.body["items"][0]["slots"]] == ["X-salada", "Suco"]


def test_delta_may_make_it_cheaper(kiosk: Screen, lunch: Lunch) -> None:
    placed = kiosk.checkout(cart_of(filled(lunch.combo, lunch.toast, lunch.water)))

    assert placed.body["total"] == "28.00"
    assert broken_rules() == {}


def test_stores_own_price_is_the_combos_and_singles_prices_do_not_matter(kiosk: Screen, lunch: Lunch) -> None:
    StoreProductFactory(store=kiosk.store, product=lunch.combo, price="25.00")
    StoreProductFactory(store=kiosk.store, product=lunch.water, price="99.00")
    new_menu(kiosk.store)

    assert kiosk.checkout(cart_of(filled(lunch.combo, lunch.toast, lunch.water))).body["total"] == "23.00"


def no_slots(lunch: Lunch, item: dict[str, Any]) -> None:
    del item["slots"]


def one_slot_open(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"].pop()


def slot_twice(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"].append(item["slots"][0])


def slot_twice_instead_of_the_other(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"][1] = item["slots"][0]


def slot_of_another_combo(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"][1]["slot"] = str(slots_of(combo([lunch.juice]))[0].id)


def slot_that_is_not_there(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"].append({"slot": str(uuid4()), "product": str(lunch.water.id)})


def choice_of_the_other_slot(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"][1]["product"] = str(lunch.burger.id)


def product_that_is_no_choice(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"][0] = {"slot": str(lunch.main.id), "product": str(lunch.stranger.id)}


def product_that_is_not_there(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"][0]["product"] = str(uuid4())


def required_option_not_chosen(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"][0]["options"] = []


def option_of_the_combo_in_a_slot(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"][0]["options"].append({"option": str(lunch.sauce.id), "quantity": 1})


def option_of_a_slot_on_the_combo(lunch: Lunch, item: dict[str, Any]) -> None:
    item["options"] = [{"option": str(lunch.bread.id), "quantity": 1}]


def option_of_another_choice(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"][1]["options"] = [{"option": str(lunch.bread.id), "quantity": 1}]


def option_twice_in_a_slot(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"][0]["options"] *= 2


def single_with_slots(lunch: Lunch, item: dict[str, Any]) -> None:
    item["product"] = str(lunch.stranger.id)


def field_nobody_knows(lunch: Lunch, item: dict[str, Any]) -> None:
    item["slots"][1]["quantity"] = 2


BAD: list[tuple[Callable[[Lunch, dict[str, Any]], None], str, str]] = [
    (no_slots, "items[0].slots", "slot_missing"),
    (one_slot_open, "items[0].slots", "slot_missing"),
    (slot_twice, "items[0].slots[2].slot", "duplicate"),
    (slot_twice_instead_of_the_other, "items[0].slots[1].slot", "duplicate"),
    (slot_of_another_combo, "items[0].slots[1].slot", "invalid"),
    (slot_that_is_not_there, "items[0].slots[2].slot", "invalid"),
    (choice_of_the_other_slot, "items[0].slots[1].product", "invalid"),
    (product_that_is_no_choice, "items[0].slots[0].product", "invalid"),
    (product_that_is_not_there, "items[0].slots[0].product", "invalid"),
    (required_option_not_chosen, "items[0].slots[0].options", "group_minimum"),
    (option_of_the_combo_in_a_slot, "items[0].slots[0].options", "invalid"),
    (option_of_a_slot_on_the_combo, "items[0].options", "invalid"),
    (option_of_another_choice, "items[0].slots[1].options", "invalid"),
    (option_twice_in_a_slot, "items[0].slots[0].options", "duplicate"),
    (single_with_slots, "items[0].slots[0].slot", "invalid"),
    (field_nobody_knows, "items[0].slots[1].quantity", "unknown_field"),
]


@pytest.mark.parametrize(("spoil", "field", "code"), BAD, ids=lambda value: getattr(value, "__name__", None))
def test_slots_filled_wrongly_are_refused(
    spoil: Callable[[Lunch, dict[str, Any]], None], field: str, code: str, kiosk: Screen, lunch: Lunch
) -> None:
    item = lunch.item()
    spoil(lunch, item)
    new_menu(kiosk.store)

    replies: list[Reply] = [kiosk.checkout(cart_of(item)), kiosk.post("/orders/quote", {"items": [item]})]

    assert [reply.code for reply in replies] == [(400, "invalid")] * 2
    assert [reply.errors for reply in replies] == [[(field, code)]] * 2
    assert not Order.objects.exists()


@pytest.mark.parametrize("who", ["burger", "juice", "combo"])
def test_what_is_paused_is_not_sold_inside_a_combo_either(who: str, kiosk: Screen, lunch: Lunch) -> None:
    product: Product = getattr(lunch, who)
    StoreProductFactory(store=kiosk.store, product=product, paused_until=timezone.now() + timedelta(hours=1))
    new_menu(kiosk.store)

    reply = kiosk.checkout(cart_of(lunch.item()))

    assert reply.code == (409, "item_unavailable")
    assert reply.body["errors"][0]["product"] == str(product.id)
    assert not Order.objects.exists()


def reserved(product: Product) -> int:
    return StockLevel.objects.get(item=RecipeLine.objects.get(product=product).item_id).reserved


def test_combo_that_holds_a_thing_twice_takes_two_of_it(kiosk: Screen) -> None:
    coxinha, soda = stocked_product(kiosk.store, 7), stocked_product(kiosk.store, 9)
    pair = combo([coxinha, soda], [coxinha], [soda])
    new_menu(kiosk.store)

    placed = kiosk.checkout(
        cart_of(filled(pair, coxinha, coxinha, soda, quantity=3), {"product": str(coxinha.id), "quantity": 1})
    )

    assert placed.status == 201
    assert (reserved(coxinha), reserved(soda)) == (7, 3)
    assert broken_rules() == {}


def test_combo_short_of_a_thing_it_holds_twice_is_refused_whole(kiosk: Screen) -> None:
    coxinha, soda = stocked_product(kiosk.store, 3), stocked_product(kiosk.store, 9)
    pair = combo([coxinha], [coxinha], [soda])
    new_menu(kiosk.store)

    reply = kiosk.checkout(cart_of(filled(pair, coxinha, coxinha, soda, quantity=2)))

    assert reply.code == (409, "out_of_stock")
    assert [(each["product"], each["available"]) for each in reply.body["errors"]] == [(str(coxinha.id), 3)]
    assert (reserved(coxinha), reserved(soda), Order.objects.count()) == (0, 0, 0)
    assert broken_rules() == {}


def test_combo_takes_its_own_recipe_beside_its_slots(kiosk: Screen) -> None:
    coxinha = stocked_product(kiosk.store, 5)
    box = RecipeLineFactory(product=combo([coxinha]), quantity=2)
    supply(box.item, kiosk.store, 10)
    new_menu(kiosk.store)

    order = kiosk.checkout(cart_of(filled(box.product, coxinha, quantity=2)))
    assert (reserved(coxinha), reserved(box.product)) == (2, 4)

    cancel_order(order_id=order.body["id"], by=kiosk.actor, at=timezone.now())
    assert (reserved(coxinha), reserved(box.product)) == (0, 0)
    assert broken_rules() == {}


def test_promotion_is_on_the_whole_combo_and_never_on_what_fills_it(kiosk: Screen, lunch: Lunch) -> None:
    Promotion.objects.create(name="Combo do dia", kind=Kind.PERCENT, value=Decimal(10), product=lunch.combo)
    Promotion.objects.create(name="Suco", kind=Kind.AMOUNT, value=Decimal(5), product=lunch.juice)

    placed = kiosk.checkout(cart_of(lunch.item(quantity=2)))

    assert placed.body["subtotal"] == "71.00"
    assert placed.body["discounts"] == [{"name": "Combo do dia", "amount": "7.10"}]
    assert placed.body["total"] == "63.90"
    assert broken_rules() == {}


def test_promise_counts_the_slowest_thing_in_it(kiosk: Screen) -> None:
    slow = combo([ProductFactory(prep_minutes=12)], [ProductFactory(prep_minutes=2)])
    fillings = [each.product for slot in slots_of(slow) for each in choices_of(slot)]
    new_menu(kiosk.store)

    quote = kiosk.post("/orders/quote", {"items": [filled(slow, *fillings)]})

    assert quote.body["promised_minutes"] == 12


def test_order_keeps_what_a_combo_was_when_it_is_remade(kiosk: Screen, lunch: Lunch) -> None:
    placed = kiosk.checkout(cart_of(lunch.item())).body

    lunch.main.delete()
    Product.objects.filter(id=lunch.juice.id).update(name="Suco novo")
    new_menu(kiosk.store)

    assert kiosk.get(f"/orders/{placed['id']}").body == placed

"""Combos on the menu: what is shown of them, and when they can be had."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.catalog.models import Product, SlotChoice
from apps.catalog.services import pause_product
from apps.core.actors import Role
from apps.core.facade import iso
from apps.inventory.models import StockItem
from apps.stores.models import Store
from tests.combos.boxes import combo, slots_of
from tests.factories import (
    ModifierGroupFactory,
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    StoreProductFactory,
    new_menu,
    staff,
    stocked_product,
)
from tests.fixtures import Screen, broken_rules


def on_menu(kiosk: Screen, product: Product) -> dict[str, Any]:
    new_menu(kiosk.store)
    shelves = kiosk.get("/menu").body["categories"]
    return next(each for shelf in shelves for each in shelf["products"] if each["id"] == str(product.id))


def pause(store: Store, product: Product, minutes: int) -> Any:
    until = timezone.now() + timedelta(minutes=minutes)
    pause_product(product_id=product.id, store_id=store.id, until=until, by=staff(Role.BOARD, store), at=timezone.now())
    return until


def test_slots_are_shown_with_their_choices_and_the_options_of_each(kiosk: Screen) -> None:
    toast, coffee, juice = (ProductFactory(name=name) for name in ("Pão na chapa", "Café", "Suco"))
    group = ModifierGroupFactory(name="Leite", min=1, max=1)
    ProductModifierGroupFactory(product=coffee, group=group)
    oat = OptionFactory(group=group, name="De aveia", price="2.50", max_quantity=1)
    morning = combo([toast], [coffee, (juice, "4.00")], price="19.90")
    bread, drink = slots_of(morning)

    told = on_menu(kiosk, morning)

    assert (told["kind"], told["price"], told["available"], told["modifier_groups"]) == ("combo", "19.90", True, [])
    milk = {
        "id": str(group.id),
        "name": "Leite",
        "min": 1,
        "max": 1,
        "options": [
            {"id": str(oat.id), "name": "De aveia", "price": "2.50", "max_quantity": 1, "available": True},
        ],
    }
    assert told["slots"] == [
        {
            "id": str(bread.id),
            "name": bread.name,
            "choices": [choice(toast, "0.00")],
        },
        {
            "id": str(drink.id),
            "name": drink.name,
            "choices": [choice(coffee, "0.00") | {"modifier_groups": [milk]}, choice(juice, "4.00")],
        },
    ]
    single = on_menu(kiosk, toast)
    assert (single["kind"], single["slots"]) == ("single", [])


def choice(product: Product, delta: str) -> dict[str, Any]:
    return {
        "product": str(product.id),
        "name": product.name,
        "price_delta": delta,
        "available": True,
        "needs_release": False,
        "modifier_groups": [],
    }


def available(told: dict[str, Any]) -> tuple[bool, list[list[bool]]]:
    return told["available"], [[each["available"] for each in slot["choices"]] for slot in told["slots"]]


def test_sold_out_choice_is_shown_so_and_the_combo_goes_with_its_last_choice(kiosk: Screen) -> None:
    coxinha, pastel = stocked_product(kiosk.store, 1), stocked_product(kiosk.store, 1)
    snack = combo([coxinha, pastel], [ProductFactory()])
    assert available(on_menu(kiosk, snack)) == (True, [[True, True], [True]])

    assert kiosk.buy(coxinha).status == 201
    assert available(on_menu(kiosk, snack)) == (True, [[False, True], [True]])

    assert kiosk.buy(pastel).status == 201
    told = on_menu(kiosk, snack)
    assert available(told) == (False, [[False, False], [True]])
    assert (told["unavailable_until"], told["marks"]) == (None, [])
    assert StockItem.objects.count() == 2
    assert broken_rules() == {}


def test_combo_comes_back_with_the_first_choice_of_its_emptiest_slot(kiosk: Screen) -> None:
    first, second, drink = ProductFactory.create_batch(3)
    snack = combo([first, second], [drink])
    pause(kiosk.store, first, 90)
    sooner = pause(kiosk.store, second, 60)

    assert on_menu(kiosk, snack)["unavailable_until"] == iso(sooner)

    later = pause(kiosk.store, drink, 75)
    told = on_menu(kiosk, snack)
    assert available(told) == (False, [[False, False], [False]])
    assert told["unavailable_until"] == iso(later)
    assert kiosk.get("/menu").body["valid_until"] == iso(sooner)


def test_pause_of_the_combo_leaves_its_choices_alone(kiosk: Screen) -> None:
    drink = ProductFactory()
    snack = combo([drink])
    until = pause(kiosk.store, snack, 30)

    told = on_menu(kiosk, snack)

    assert available(told) == (False, [[True]])
    assert told["unavailable_until"] == iso(until)
    assert on_menu(kiosk, drink)["available"] is True


@pytest.mark.parametrize("why", ["not sold here", "archived", "category archived", "a combo itself"])
def test_choice_that_is_no_single_of_this_menu_is_left_out(why: str, kiosk: Screen, stranger: Screen) -> None:
    stays, goes = ProductFactory(), ProductFactory()
    snack = combo([stays, goes])
    if why == "not sold here":
        StoreProductFactory(store=kiosk.store, product=goes, sold_here=False)
    elif why == "archived":
        Product.objects.filter(id=goes.id).update(archived_at=timezone.now())
    elif why == "category archived":
        type(goes.category).objects.filter(id=goes.category_id).update(archived_at=timezone.now())
    else:
        Product.objects.filter(id=goes.id).update(kind="combo")

    def named(screen: Screen) -> list[str]:
        return [each["name"] for each in on_menu(screen, snack)["slots"][0]["choices"]]

    assert named(kiosk) == [stays.name]
    assert named(stranger) == ([stays.name, goes.name] if why == "not sold here" else [stays.name])


@pytest.mark.parametrize("missing", ["slots", "choices", "price"])
def test_combo_that_cannot_be_put_together_is_not_offered(missing: str, kiosk: Screen) -> None:
    drink = ProductFactory()
    snack = combo(price="1.00") if missing == "slots" else combo([(drink, "-1.00")], price="1.00")
    if missing == "choices":
        SlotChoice.objects.all().delete()
    elif missing == "price":
        StoreProductFactory(store=kiosk.store, product=snack, price=Decimal("0.50"))

    told = on_menu(kiosk, snack)

    assert (told["available"], told["unavailable_until"]) == (False, None)
    item = {"product": str(snack.id), "quantity": 1}
    if missing == "price":
        item["slots"] = [{"slot": str(slots_of(snack)[0].id), "product": str(drink.id)}]
    reply = kiosk.checkout({"dining_option": "eat_in", "items": [item]})
    assert reply.code == (409, "item_unavailable")


def test_allergens_are_those_of_every_choice(kiosk: Screen) -> None:
    snack = combo([ProductFactory(allergens=["gluten", "milk"])], [ProductFactory(allergens=["milk", "egg"])])

    assert on_menu(kiosk, snack)["allergens"] == ["gluten", "milk", "egg"]


def test_products_api_says_the_slots_as_the_menu_does(kiosk: Screen) -> None:
    drink = ProductFactory()
    snack = combo([(drink, "-1.50")])
    told = on_menu(kiosk, snack)

    one = kiosk.get(f"/products/{snack.id}?store={kiosk.store.id}").body
    listed = kiosk.get("/products").body["results"]

    assert one == told | {"category": str(snack.category_id)}
    assert {each["id"]: each["slots"] for each in listed} == {str(snack.id): told["slots"], str(drink.id): []}


def test_three_combos_take_as_many_queries_as_one(store: Store, kiosk: Screen, django_assert_num_queries) -> None:
    for _ in range(3):
        combo([ProductFactory(), ProductFactory()], [ProductFactory()])
        kiosk.call_in()
        with django_assert_num_queries(7):
            assert kiosk.get(f"/products?store={store.id}").status == 200

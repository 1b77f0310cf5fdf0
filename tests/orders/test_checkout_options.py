"""Options of an item: which may be chosen, and how many."""

from typing import Any
from uuid import UUID

import pytest

from apps.catalog.models import Option, Product
from apps.orders.models import Order
from apps.stores.models import Store
from tests.factories import (
    ModifierGroupFactory,
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    StoreOptionFactory,
    new_menu,
)
from tests.fixtures import Reply, Screen, cart


@pytest.fixture
def product() -> Product:
    return ProductFactory()


@pytest.fixture
def options(store: Store, product: Product) -> list[Option]:
    """Three options of a group of which one to three must be chosen, each at most twice."""
    group = ModifierGroupFactory(min=1, max=3)
    ProductModifierGroupFactory(product=product, group=group)
    options = OptionFactory.create_batch(3, group=group, max_quantity=2)
    new_menu(store)
    return options


def choose(kiosk: Screen, product: Product, *chosen: tuple[UUID, int]) -> Reply:
    body: dict[str, Any] = cart(product)
    body["items"][0]["options"] = [{"option": str(id_), "quantity": quantity} for id_, quantity in chosen]
    return kiosk.checkout(body)


def refused(reply: Reply, code: str) -> None:
    assert reply.code == (400, "invalid")
    assert reply.errors == [("items[0].options", code)]
    assert not Order.objects.exists()


@pytest.mark.parametrize("quantities", [[1], [2], [2, 1], [1, 1, 1]])
def test_choice_within_the_bounds_is_accepted(
    quantities: list[int], kiosk: Screen, product: Product, options: list[Option]
) -> None:
    chosen = [(option.id, quantity) for option, quantity in zip(options, quantities, strict=False)]

    assert choose(kiosk, product, *chosen).status == 201


def test_too_few_of_a_group_are_refused(kiosk: Screen, product: Product, options: list[Option]) -> None:
    refused(choose(kiosk, product), "group_minimum")


def test_too_many_of_a_group_are_refused(kiosk: Screen, product: Product, options: list[Option]) -> None:
    refused(choose(kiosk, product, (options[0].id, 2), (options[1].id, 2)), "group_maximum")


def test_more_of_one_option_than_it_allows_is_refused(kiosk: Screen, product: Product, options: list[Option]) -> None:
    refused(choose(kiosk, product, (options[0].id, 3)), "option_maximum")


def test_option_named_twice_is_refused(kiosk: Screen, product: Product, options: list[Option]) -> None:
    refused(choose(kiosk, product, (options[0].id, 1), (options[0].id, 1)), "duplicate")


def test_option_of_another_product_is_refused(
    store: Store, kiosk: Screen, product: Product, options: list[Option]
) -> None:
    other = OptionFactory(group=ProductModifierGroupFactory(product=ProductFactory()).group)
    new_menu(store)

    refused(choose(kiosk, product, (options[0].id, 1), (other.id, 1)), "invalid")


def test_archived_option_is_refused(store: Store, kiosk: Screen, product: Product, options: list[Option]) -> None:
    Option.objects.filter(id=options[1].id).update(archived_at="2026-01-01T00:00:00Z")
    new_menu(store)

    refused(choose(kiosk, product, (options[0].id, 1), (options[1].id, 1)), "invalid")


def test_option_not_sold_at_this_store_is_refused_here_only(
    kiosk: Screen, stranger: Screen, product: Product, options: list[Option]
) -> None:
    StoreOptionFactory(store=kiosk.store, option=options[1], sold_here=False)
    new_menu(kiosk.store, stranger.store)

    refused(choose(kiosk, product, (options[0].id, 1), (options[1].id, 1)), "invalid")
    assert choose(stranger, product, (options[0].id, 1), (options[1].id, 1)).status == 201


def test_stores_own_price_of_an_option_is_charged(
    store: Store, kiosk: Screen, product: Product, options: list[Option]
) -> None:
    StoreOptionFactory(store=store, option=options[0], price="1.10")
    new_menu(store)

    assert choose(kiosk, product, (options[0].id, 2)).body["total"] == "12.20"

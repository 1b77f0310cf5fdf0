"""A recipe that is changed in the back office is seen on the menus at once, not at the next movement."""

import pytest
from django.test import Client

from apps.catalog.models import Mark, MenuVersion
from apps.core.actors import Role
from apps.inventory.models import RecipeLine, StockLevel
from apps.stores.models import Store
from tests.factories import ProductFactory, RecipeLineFactory, StoreFactory, new_menu, stocked_product, supply
from tests.fixtures import broken_rules
from tests.trail.conftest import browser_of, form_of, page_of, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    return browser_of(person(Role.OWNER, None))


def change(desk: Client, line: RecipeLine, **fields: str) -> None:
    address = page_of(RecipeLine, "change", line.pk)
    assert desk.post(address, {**form_of(desk, address), **fields}).status_code == 302


def sold_out() -> set[tuple[object, object]]:
    return set(Mark.objects.filter(kind="sold_out").values_list("store_id", "product_id"))


def test_recipe_that_takes_more_than_there_is_sells_out_and_back(desk: Client, store: Store) -> None:
    product, rich = stocked_product(store, 3), StoreFactory()
    line = RecipeLine.objects.get(product=product)
    supply(line.item, rich, 30)
    new_menu(store, rich)

    change(desk, line, quantity="5")
    assert sold_out() == {(store.pk, product.pk)}
    assert broken_rules() == {}
    version = MenuVersion.objects.get(store=store).value

    change(desk, line, quantity="3")
    assert sold_out() == set()
    assert MenuVersion.objects.get(store=store).value == version + 1
    assert broken_rules() == {}


def test_recipe_moved_to_another_product_is_said_of_both(desk: Client, store: Store) -> None:
    product, other = stocked_product(store, 1), ProductFactory()
    line = RecipeLine.objects.get(product=product)
    change(desk, line, quantity="2")
    assert sold_out() == {(store.pk, product.pk)}

    change(desk, line, product=str(other.pk))

    assert sold_out() == {(store.pk, other.pk)}


def test_new_line_is_said_at_once(desk: Client, store: Store) -> None:
    product = stocked_product(store, 3)
    item = RecipeLineFactory().item
    StockLevel.objects.create(store=store, item=item)

    desk.post(page_of(RecipeLine, "add"), {"product": str(product.pk), "item": str(item.pk), "quantity": "1"})

    assert (store.pk, product.pk) in sold_out()


def test_mark_that_is_not_so_breaks_a_rule(store: Store) -> None:
    product = stocked_product(store, 3)
    assert broken_rules() == {}

    Mark.objects.create(store=store, product=product, kind="sold_out")

    assert list(broken_rules()) == ["S5"]

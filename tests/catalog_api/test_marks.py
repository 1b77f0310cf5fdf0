"""Marks: what other apps say of a product, above all that it is sold out, told with the change of stock itself."""

import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError
from django.utils import timezone

from apps.catalog.facade import clear_mark, menu_snapshot, set_mark
from apps.catalog.models import Mark, MenuVersion, Product
from apps.core.actors import SYSTEM
from apps.core.models import StoredEvent
from apps.inventory.errors import OutOfStockError
from apps.inventory.models import RecipeLine, StockLevel
from apps.inventory.services import adjust, release_reserved, reserve, take_reserved
from apps.orders.models import Order
from apps.stores.models import Store
from tests.factories import (
    ProductFactory,
    RecipeLineFactory,
    StockItemFactory,
    StoreFactory,
    new_menu,
    place,
    stocked_product,
    supply,
)
from tests.fixtures import Screen, broken_rules

NOON = datetime(2026, 11, 22, 15, tzinfo=UTC)


def sold_out(store: Store) -> set[Any]:
    return set(Mark.objects.filter(store=store, kind="sold_out").values_list("product_id", flat=True))


def version(store: Store) -> int:
    return MenuVersion.objects.get(store=store).value


def shown(kiosk: Screen) -> dict[str, Any]:
    return kiosk.get("/menu").body["categories"][0]["products"][0]


@pytest.mark.django_db
def test_last_unit_promised_greys_the_product_on_every_kiosk(kiosk: Screen) -> None:
    coxinha = stocked_product(kiosk.store, 2)
    new_menu(kiosk.store)
    before = version(kiosk.store)

    assert kiosk.buy(coxinha).status == 201
    assert (sold_out(kiosk.store), version(kiosk.store)) == (set(), before), "nothing flipped"
    assert (shown(kiosk)["available"], shown(kiosk)["marks"]) == (True, [])
    order = kiosk.buy(coxinha).body

    assert (sold_out(kiosk.store), version(kiosk.store)) == ({coxinha.id}, before + 1)
    told = shown(kiosk)
    assert (told["available"], told["unavailable_until"]) == (False, None)
    assert told["marks"] == [{"kind": "sold_out", "until": None, "value": None}]
    refused = kiosk.buy(coxinha)
    assert refused.code == (409, "out_of_stock")
    assert refused.body["errors"][0]["available"] == 0

    assert kiosk.send("DELETE", f"/orders/{order['id']}").status == 200
    assert (sold_out(kiosk.store), version(kiosk.store)) == (set(), before + 2)
    assert shown(kiosk)["available"] is True


@pytest.mark.django_db
def test_payment_flips_nothing_because_the_unit_was_promised_already(kiosk: Screen) -> None:
    coxinha = stocked_product(kiosk.store, 1)
    order = place(kiosk.device, coxinha)
    before = version(kiosk.store)

    take_reserved(order_id=order.id, by=SYSTEM, at=NOON)
    release_reserved(order_id=order.id, at=NOON)

    assert (sold_out(kiosk.store), version(kiosk.store)) == ({coxinha.id}, before)


@pytest.mark.django_db
def test_refused_checkout_marks_nothing(kiosk: Screen) -> None:
    plenty, few = stocked_product(kiosk.store, 2), stocked_product(kiosk.store, 1)
    new_menu(kiosk.store)

    assert kiosk.buy(plenty, few, quantity=2).code == (409, "out_of_stock")

    assert sold_out(kiosk.store) == set()


@pytest.mark.django_db
def test_products_that_share_an_ingredient_flip_each_at_their_own_need(store: Store) -> None:
    cheese = StockItemFactory(unit="g")
    small, big = ProductFactory(), ProductFactory()
    RecipeLineFactory(product=small, item=cheese, quantity=30)
    RecipeLineFactory(product=big, item=cheese, quantity=100)
    supply(cheese, store, 150)

    for delta, expected in ((-51, {big.id}), (-69, {big.id}), (-1, {big.id, small.id}), (1, {big.id}), (70, set())):
        adjust(store_id=store.id, item_id=cheese.id, delta=delta, reason="count", by=SYSTEM, at=NOON)
        assert sold_out(store) == expected, delta


@pytest.mark.django_db
def test_product_is_to_be_had_only_when_all_of_its_recipe_is_there(store: Store) -> None:
    bread, cheese = StockItemFactory(), StockItemFactory()
    toast = ProductFactory()
    for item in (bread, cheese):
        RecipeLineFactory(product=toast, item=item)
    supply(bread, store, 1)
    assert sold_out(store) == {toast.id}, "there is no cheese yet"
    supply(cheese, store, 1)
    assert sold_out(store) == set()
    for item in (bread, cheese):
        adjust(store_id=store.id, item_id=item.id, delta=-1, reason="waste", by=SYSTEM, at=NOON)
    supply(bread, store, 1)
    assert sold_out(store) == {toast.id}
    supply(cheese, store, 1)
    assert sold_out(store) == set()


@pytest.mark.django_db
def test_stock_of_one_store_says_nothing_of_another(store: Store) -> None:
    other = StoreFactory()
    coxinha = stocked_product(store, 1)
    supply(StockLevel.objects.get().item, other, 5)

    reserve(order_id=coxinha.id, store_id=store.id, products={coxinha.id: 1}, at=NOON)

    assert (sold_out(store), sold_out(other)) == ({coxinha.id}, set())


@pytest.mark.django_db
def test_checkout_that_flips_nothing_reads_no_menu_version_for_it(store: Store, django_assert_num_queries) -> None:
    coxinha = stocked_product(store, 10)

    with django_assert_num_queries(8):  # savepoint, recipe, level, reservation, update, read, event, release
        reserve(order_id=coxinha.id, store_id=store.id, products={coxinha.id: 1}, at=NOON)


@pytest.mark.django_db
def test_mark_is_told_until_its_end_and_repeating_it_is_no_news(store: Store) -> None:
    product, end = ProductFactory(), NOON + timedelta(minutes=20)
    told = {"store_id": store.id, "product_id": product.id, "kind": "coming", "until": end, "value": "12"}

    assert set_mark(**told, at=NOON) is True
    assert set_mark(**told, at=NOON) is False

    first = version(store)
    assert StoredEvent.objects.filter(type="menu.changed").count() == 1
    snapshot = menu_snapshot(store.id).products[product.id]
    assert [(mark.kind, mark.value) for mark in snapshot.standing_marks(end - timedelta(seconds=1))] == [
        ("coming", "12")
    ]
    assert snapshot.standing_marks(end) == []
    assert snapshot.unavailable_until(NOON) == (False, None)
    assert set_mark(**{**told, "value": "24"}, at=NOON) is True
    assert Mark.objects.get().value == "24"
    assert clear_mark(store_id=store.id, product_id=product.id, kind="coming", at=NOON) is True
    assert clear_mark(store_id=store.id, product_id=product.id, kind="coming", at=NOON) is False
    assert version(store) == first + 2


def at_once(count: int, work: Any) -> list[Any]:
    """Call ``work(number)`` in threads that begin together; return what each returned or raised."""
    barrier, results = threading.Barrier(count), []

    def run(number: int) -> None:
        barrier.wait()
        try:
            results.append(work(number))
        except Exception as problem:  # noqa: BLE001 - the test looks at it
            results.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_twenty_kiosks_after_the_last_units_end_with_the_right_marks() -> None:
    screen = Screen(StoreFactory())
    screens = [screen, *(Screen(screen.store) for _ in range(19))]
    shared = StockItemFactory()
    products = []
    for units in (9, 3, 40):
        product = stocked_product(screen.store, units)
        RecipeLineFactory(product=product, item=shared)
        products.append(product)
    supply(shared, screen.store, 14)
    new_menu(screen.store)

    def buy(number: int) -> int:
        some = number % 3
        picked = random.Random(number).sample(products, k=1 + some) if some else [products[1]]
        return screens[number].buy(*picked).status

    answers = at_once(20, buy)

    assert set(answers) <= {201, 409}, answers
    assert {201, 409} <= set(answers)
    free = {level.item_id: level.on_hand - level.reserved for level in StockLevel.objects.all()}
    assert sold_out(screen.store) == {product.id for product in products if not makeable(product, free)}
    assert products[1].id in sold_out(screen.store)
    assert broken_rules() == {}
    cancelled = at_once(
        Order.objects.count(),
        lambda number: release_reserved(order_id=list(Order.objects.order_by("id"))[number].id, at=timezone.now()),
    )
    assert [answer for answer in cancelled if answer is not None] == []
    assert sold_out(screen.store) == set()


def makeable(product: Product, free: dict[Any, int]) -> bool:
    return all(free[line.item_id] >= line.quantity for line in RecipeLine.objects.filter(product=product))


@pytest.mark.django_db(transaction=True)
def test_two_ingredients_that_come_back_at_the_same_moment_clear_the_mark() -> None:
    store = StoreFactory()
    bread, cheese = StockItemFactory(), StockItemFactory()
    toast = ProductFactory()
    for item in (bread, cheese):
        RecipeLineFactory(product=toast, item=item)
        supply(item, store, 1)
        adjust(store_id=store.id, item_id=item.id, delta=-1, reason="waste", by=SYSTEM, at=NOON)
    assert sold_out(store) == {toast.id}
    done = threading.Barrier(2)

    def bring(number: int) -> None:
        item = (bread, cheese)[number]
        with transaction.atomic():
            StockLevel.objects.select_for_update().get(store=store, item=item)
            done.wait()
            adjust(store_id=store.id, item_id=item.id, delta=1, reason="count", by=SYSTEM, at=NOON)

    assert [answer for answer in at_once(2, bring) if isinstance(answer, (OperationalError, OutOfStockError))] == []
    assert sold_out(store) == set()

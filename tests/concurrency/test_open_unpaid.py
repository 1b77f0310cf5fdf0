"""How many unpaid orders one kiosk may have open holds when it asks for all of them at once."""

from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from apps.catalog.models import Product
from apps.inventory.models import StockLevel
from apps.orders.models import Order
from apps.payments.rules import Method
from apps.payments.services import open_charge
from apps.stores.models import Store
from tests.concurrency.conftest import Together
from tests.factories import StoreFactory, claim, new_menu, stocked_product
from tests.fixtures import Screen, broken_rules

MOST = 3
ASKED = 20


@pytest.fixture
def shop(transactional_db: None, settings: Settings) -> Store:
    settings.LIMIT_OPEN_UNPAID = MOST
    return StoreFactory()


@pytest.fixture
def product(shop: Store) -> Product:
    product = stocked_product(shop, 100)
    new_menu(shop)
    return product


def test_twenty_checkouts_at_once_open_no_more_than_the_limit(
    shop: Store, product: Product, together: Together
) -> None:
    kiosk, rival = Screen(shop), Screen(shop)

    replies = together(ASKED, lambda _: kiosk.buy(product))

    assert Counter(reply.status for reply in replies) == {201: MOST, 429: ASKED - MOST}
    assert StockLevel.objects.get().reserved == MOST
    assert rival.buy(product).status == 201
    assert broken_rules() == {}


def test_orders_for_the_counter_come_on_top_of_it(shop: Store, product: Product, together: Together) -> None:
    kiosk = Screen(shop)
    for _ in range(2):
        order = kiosk.buy(product).body["id"]
        by = kiosk.actor
        open_charge(order_id=order, method=Method.COUNTER, by=by, claim=claim(by), at=timezone.now())

    replies = together(ASKED, lambda _: kiosk.buy(product))

    assert Counter(reply.status for reply in replies) == {201: MOST, 429: ASKED - MOST}
    assert Order.objects.count() == MOST + 2


def test_without_the_lock_the_limit_would_not_hold(shop: Store, product: Product, together: Together) -> None:
    """The negative control: the same function, its lock taken out and a pause put where the count has been made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('orders_checkout(jsonb, bytea, bytea)'::regprocedure)")
        whole = cursor.fetchone()[0]
        lock = "PERFORM pg_advisory_xact_lock(hashtextextended('orders.open:' || placed.placed_by_id, 0));"
        assert lock in whole
        without = whole.replace(lock, "").replace(
            "INSERT INTO orders_order SELECT", "PERFORM pg_sleep(0.3);\nINSERT INTO orders_order SELECT"
        )
        cursor.execute(without)
    kiosk = Screen(shop)
    try:
        replies = together(10, lambda _: kiosk.buy(product))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(whole)

    assert [reply.status for reply in replies].count(201) > MOST

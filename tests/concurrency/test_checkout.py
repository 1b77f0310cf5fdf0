"""The same checkout many times at once, and many checkouts at once."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
from django.db import connection, transaction
from psycopg.errors import LockNotAvailable

from apps.catalog.models import Product
from apps.core.idempotency import Answer, keep_answer
from apps.inventory.models import StockLevel
from apps.orders.models import Order
from apps.stores.models import Store
from tests.concurrency.conftest import Eventually, Together
from tests.factories import StoreFactory, claim, new_menu, stocked_product
from tests.fixtures import Screen, broken_rules, cart

RIVALS = 10
PLANNED_FOR_GOOD_AFTER = 6  # executions; before, Postgres plans each anew and sees the change


@pytest.fixture
def shop(transactional_db: None) -> Store:
    return StoreFactory()


@pytest.fixture
def product(shop: Store) -> Product:
    product = stocked_product(shop, 100)
    new_menu(shop)
    return product


def test_one_key_in_ten_checkouts_makes_one_order(shop: Store, product: Product, together: Together) -> None:
    kiosk = Screen(shop)

    replies = together(RIVALS, lambda _: kiosk.checkout(cart(product), key="one"))

    placed = [reply for reply in replies if reply.status == 201]
    told_to_wait = [reply for reply in replies if reply.status == 409]
    assert len(placed) + len(told_to_wait) == RIVALS
    assert len({reply.response.content for reply in placed}) == 1
    assert [reply.response.get("Idempotent-Replayed") for reply in placed].count(None) == 1
    assert all(reply.response["Retry-After"] == "2" for reply in told_to_wait)
    assert Order.objects.count() == 1
    assert StockLevel.objects.get().reserved == 1
    assert broken_rules() == {}


def test_one_key_with_two_bodies_makes_one_order(shop: Store, product: Product, together: Together) -> None:
    kiosk = Screen(shop)

    replies = together(RIVALS, lambda number: kiosk.checkout(cart(product, quantity=1 + number % 2), key="one"))

    assert Counter(reply.status for reply in replies) == {201: RIVALS // 2, 422: RIVALS // 2}
    assert Order.objects.count() == 1


def other_connection() -> "psycopg.Connection[tuple[object, ...]]":
    """Somebody whose statements are each for themselves."""
    given = {**connection.get_connection_params(), "cursor_factory": psycopg.Cursor, "autocommit": True}
    return psycopg.connect(**given)


def test_order_that_waits_while_its_table_gets_a_column_is_placed(
    shop: Store, product: Product, eventually: Eventually
) -> None:
    """Seen red without the early lock of ``sql/checkout.sql``: the row made before the change had a column too few."""
    kiosk = Screen(shop)
    begun, held = threading.Event(), threading.Event()

    def buy() -> int:
        try:
            for _ in range(PLANNED_FOR_GOOD_AFTER):
                assert kiosk.checkout(cart(product)).status == 201
            begun.set()
            held.wait(30)
            return kiosk.checkout(cart(product), key="one").status
        finally:
            connection.close()

    def somebody_waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return cursor.fetchone()[0] > 0

    with ThreadPoolExecutor(1) as pool, other_connection() as changing:
        buying = pool.submit(buy)
        assert begun.wait(30)
        with transaction.atomic():
            keep_answer(claim(kiosk.actor, key="one"), Answer(status=201, body=b"{}"))
            held.set()
            eventually(somebody_waits)
            with suppress(LockNotAvailable):
                changing.execute("SET lock_timeout = '200ms'; ALTER TABLE orders_order ADD COLUMN probe int")
            transaction.set_rollback(True)
        try:
            assert buying.result(30) == 201
        finally:
            changing.execute("ALTER TABLE orders_order DROP COLUMN IF EXISTS probe")


def test_same_key_at_two_kiosks_makes_two_orders(shop: Store, product: Product, together: Together) -> None:
    kiosks = [Screen(shop), Screen(shop)]

    replies = together(2, lambda number: kiosks[number].checkout(cart(product), key="one"))

    assert [reply.status for reply in replies] == [201, 201]
    assert Order.objects.count() == 2


def test_numbers_of_twenty_checkouts_at_once_are_all_different(
    shop: Store, product: Product, together: Together
) -> None:
    kiosk = Screen(shop)

    replies = together(20, lambda _: kiosk.buy(product))

    assert sorted(reply.body["number"] for reply in replies) == [f"T{n:03d}" for n in range(1, 21)]


def held_by_somebody(work: object, hold: object) -> object:
    """Run ``work`` while another connection keeps a transaction open in which it has done ``hold``."""
    is_held, done = threading.Event(), threading.Event()

    def holder() -> None:
        try:
            with transaction.atomic():
                hold()
                is_held.set()
                done.wait(20)
                transaction.set_rollback(True)
        finally:
            connection.close()

    thread = threading.Thread(target=holder)
    thread.start()
    try:
        assert is_held.wait(20)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        return work()
    finally:
        done.set()
        thread.join()
        connection.close()


def test_rival_that_does_not_end_is_answered_409_and_may_be_tried_again(shop: Store, product: Product) -> None:
    kiosk = Screen(shop)
    mine = claim(kiosk.actor, key="one")

    reply = held_by_somebody(
        lambda: kiosk.checkout(cart(product), key="one"), lambda: keep_answer(mine, Answer(status=201, body=b"{}"))
    )

    assert reply.code == (409, "idempotency_conflict")
    assert reply.response["Retry-After"] == "2"
    assert not Order.objects.exists()
    assert kiosk.checkout(cart(product), key="one").status == 201


def test_stock_that_is_not_free_in_time_is_answered_503_and_may_be_tried_again(shop: Store, product: Product) -> None:
    kiosk = Screen(shop)

    reply = held_by_somebody(
        lambda: kiosk.checkout(cart(product), key="one"),
        lambda: list(StockLevel.objects.select_for_update()),
    )

    assert reply.code == (503, "database_unavailable")
    assert reply.response["Retry-After"] == "2"
    assert not Order.objects.exists()
    assert kiosk.checkout(cart(product), key="one").status == 201
    assert broken_rules() == {}

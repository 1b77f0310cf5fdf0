"""Scarce goods and many buyers: what is there is sold, and not one more."""

import threading
from collections import Counter
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from apps.catalog.models import Product
from apps.core.actors import SYSTEM
from apps.inventory.errors import OutOfStockError
from apps.inventory.models import StockLevel
from apps.inventory.services import adjust, reserve
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.stores.models import Store
from tests.concurrency.conftest import Together
from tests.factories import StockItemFactory, StoreFactory, new_menu, stocked_product
from tests.fixtures import Reply, Screen, broken_rules

BUYERS = 30
UNITS = 10


@pytest.fixture
def shop(transactional_db: None) -> Store:
    return StoreFactory()


@pytest.fixture
def scarce(shop: Store) -> Product:
    product = stocked_product(shop, UNITS)
    new_menu(shop)
    return product


def test_sixty_buyers_of_ten_units_get_exactly_ten(shop: Store, scarce: Product, together: Together) -> None:
    kiosks = [Screen(shop) for _ in range(3)]

    def buy(number: int) -> Reply:
        while (reply := kiosks[number % 3].buy(scarce)).status == 503:
            pass  # the stock was not free in time: nothing was kept, and a kiosk tries again
        return reply

    replies = together(2 * BUYERS, buy)

    assert Counter(reply.status for reply in replies) == {201: UNITS, 409: 2 * BUYERS - UNITS}
    assert {reply.code for reply in replies if reply.status == 409} == {(409, "out_of_stock")}
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved) == (UNITS, UNITS)
    assert Order.objects.filter(status=Status.AWAITING_PAYMENT).count() == UNITS
    assert broken_rules() == {}


def test_negative_control_reading_before_writing_oversells(shop: Store, scarce: Product, together: Together) -> None:
    """If this one ever fails, the test above proves nothing."""
    everybody_has_read = threading.Barrier(BUYERS)

    def buy_naively(_: int) -> bool:
        with transaction.atomic():
            level = StockLevel.objects.get()
            everybody_has_read.wait()
            if level.on_hand - level.reserved < 1:
                return False
            StockLevel.objects.filter(pk=level.pk).update(reserved=level.reserved + 1)
            return True

    sold = together(BUYERS, buy_naively)

    assert sold == [True] * BUYERS
    assert StockLevel.objects.get().reserved == 1


def test_carts_in_opposite_order_do_not_deadlock(shop: Store, together: Together) -> None:
    breads = [stocked_product(shop, 100) for _ in range(4)]
    new_menu(shop)
    kiosk = Screen(shop)

    def buy(number: int) -> int:
        return kiosk.buy(*(breads if number % 2 else reversed(breads))).status

    assert together(20, buy) == [201] * 20
    assert list(StockLevel.objects.values_list("reserved", flat=True)) == [20] * 4
    assert broken_rules() == {}


def test_reserving_races_with_taking_stock_away(shop: Store, scarce: Product, together: Together) -> None:
    level = StockLevel.objects.get()
    kiosk = Screen(shop)

    def either(number: int) -> str:
        if number % 2:
            return str(kiosk.buy(scarce, quantity=2).status)
        try:
            adjust(store_id=shop.id, item_id=level.item_id, delta=-2, reason="waste", by=SYSTEM, at=timezone.now())
        except OutOfStockError:
            return "nothing to waste"
        return "wasted"

    seen = Counter(together(12, either))

    level.refresh_from_db()
    assert seen["201"] + seen["wasted"] == UNITS // 2
    assert (level.on_hand, level.reserved) == (UNITS - 2 * seen["wasted"], 2 * seen["201"])
    assert broken_rules() == {}


def test_first_delivery_of_a_new_item_by_many_is_counted_whole(shop: Store, together: Together) -> None:
    item_id = StockItemFactory().id

    def deliver(_: int) -> int:
        return adjust(store_id=shop.id, item_id=item_id, delta=5, reason="count", by=SYSTEM, at=timezone.now()).delta

    assert together(8, deliver) == [5] * 8
    assert StockLevel.objects.get().on_hand == 40
    assert broken_rules() == {}


def test_hold_of_one_order_is_made_once(shop: Store, scarce: Product, together: Together) -> None:
    order_id = uuid4()

    def hold(_: int) -> object:
        return reserve(order_id=order_id, store_id=shop.id, products={scarce.id: 1}, at=timezone.now())

    outcomes = together(5, hold)

    assert outcomes.count(None) == 1
    assert StockLevel.objects.get().reserved == 1

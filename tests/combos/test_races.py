"""The last units, asked for at one moment by combos and singles."""

from collections import Counter
from typing import Any

import pytest

from apps.inventory.models import StockLevel
from apps.orders.models import Order
from tests.combos.boxes import cart_of, combo, filled
from tests.concurrency.conftest import Together, together
from tests.factories import StoreFactory, new_menu, stocked_product
from tests.fixtures import Screen, broken_rules

__all__ = ["together"]


@pytest.mark.parametrize("units", [3, 7])
def test_last_units_are_sold_once_by_combos_and_singles_mixed(units: int, together: Together[Any]) -> None:
    kiosk = Screen(StoreFactory())
    coxinha, soda = stocked_product(kiosk.store, units), stocked_product(kiosk.store, 100)
    pair = combo([soda], [coxinha], [coxinha])
    new_menu(kiosk.store)
    carts = [
        cart_of(filled(pair, soda, coxinha, coxinha)),
        cart_of({"product": str(coxinha.id), "quantity": 1}, {"product": str(soda.id), "quantity": 1}),
    ]

    replies = together(12, lambda number: kiosk.checkout(carts[number % 2]))

    assert Counter(reply.status for reply in replies).keys() == {201, 409}
    assert {reply.code for reply in replies if reply.status == 409} == {(409, "out_of_stock")}
    sold = [number % 2 for number, reply in enumerate(replies) if reply.status == 201]
    taken = sum(1 if single else 2 for single in sold)
    level = StockLevel.objects.get(on_hand=units)
    assert (level.reserved, Order.objects.count()) == (taken, len(sold))
    assert units - taken in (0, 1)  # one left over is less than a combo needs
    assert units - taken == 0 or sold.count(1) == 6
    assert StockLevel.objects.get(on_hand=100).reserved == len(sold)
    assert broken_rules() == {}

"""Whatever happens to stock, in whatever order: nothing is lost, nothing is promised twice (S1, S2, S4)."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from apps.core.actors import SYSTEM
from apps.inventory.errors import OutOfStockError
from apps.inventory.models import StockItem, StockLevel
from apps.inventory.services import adjust, release_reserved, reserve, take_reserved
from apps.stores.models import Store
from tests.factories import RecipeLineFactory, StockItemFactory, StoreFactory, supply
from tests.fixtures import broken_rules

Step = tuple[str, int, int]
STEPS = some.lists(
    some.tuples(
        some.sampled_from(["hold", "take", "release", "adjust"]),
        some.integers(0, 5),
        some.integers(-6, 6),
    ),
    max_size=20,
)
START = 8


class Model:
    """What should be there, kept in memory: on hand by item, and what each order holds."""

    def __init__(self, items: Sequence[StockItem]) -> None:
        self.on_hand = {item.id: START for item in items}
        self.held: dict[UUID, dict[UUID, int]] = {}

    def free(self, item: UUID) -> int:
        return self.on_hand[item] - sum(held.get(item, 0) for held in self.held.values())


@pytest.fixture
def shop(db: None) -> Store:
    return StoreFactory()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_sequence_of_steps_conserves_stock(steps: list[Step], shop: Store) -> None:
    with transaction.atomic():
        run(steps, shop)
        transaction.set_rollback(True)


def run(steps: list[Step], shop: Store) -> None:
    first, second = StockItemFactory.create_batch(2)
    for item in (first, second):
        supply(item, shop, START)
    both = RecipeLineFactory(item=first)
    RecipeLineFactory(product=both.product, item=second, quantity=2)
    recipes = {both.product_id: {first.id: 1, second.id: 2}}
    for item in (first, second):
        recipes[RecipeLineFactory(item=item).product_id] = {item.id: 1}
    products = list(recipes)
    model, orders = Model([first, second]), []
    for kind, which, amount in steps:
        if kind == "hold":
            wanted, product = abs(amount) + 1, products[which % 3]
            demand = {item: wanted * each for item, each in recipes[product].items()}
            fits = all(model.free(item) >= units for item, units in demand.items())
            order_id = uuid4()
            assert done(reserve, order_id=order_id, store_id=shop.id, products={product: wanted}) is fits
            if fits:
                model.held[order_id] = demand
                orders.append(order_id)
        elif kind == "adjust":
            item = (first, second)[which % 2].id
            fits = model.free(item) + amount >= 0
            assert done(adjust, store_id=shop.id, item_id=item, delta=amount, reason="count", by=SYSTEM) is fits
            model.on_hand[item] += amount if fits else 0
        elif orders:
            order_id = orders[which % len(orders)]
            held = model.held.pop(order_id, {})
            if kind == "take":
                take_reserved(order_id=order_id, by=SYSTEM, at=timezone.now())
                for item, units in held.items():
                    model.on_hand[item] -= units
            else:
                release_reserved(order_id=order_id, at=timezone.now())
    levels = StockLevel.objects.filter(store=shop)
    assert {row.item_id: row.on_hand for row in levels} == model.on_hand
    assert {row.item_id: row.on_hand - row.reserved for row in levels} == {
        item: model.free(item) for item in model.on_hand
    }
    assert {id_: rows for id_, rows in broken_rules().items() if id_ in ("S1", "S2", "S4")} == {}


def done(step: object, **arguments: object) -> bool:
    """Tell whether a step was made or refused for want of stock."""
    try:
        with transaction.atomic():
            step(**arguments, at=timezone.now())
    except OutOfStockError:
        return False
    return True

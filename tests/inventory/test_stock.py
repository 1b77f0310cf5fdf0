"""Holding, taking, giving back and correcting stock."""

from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from apps.core.actors import PROVIDER, Role
from apps.core.facade import NotFoundError
from apps.core.models import StoredEvent
from apps.inventory.errors import OutOfStockError
from apps.inventory.models import Reservation, StockItem, StockLevel, StockMovement
from apps.inventory.services import adjust, release_reserved, reserve, take_reserved
from apps.stores.models import Store
from tests.factories import ProductFactory, RecipeLineFactory, StockItemFactory, StoreFactory, staff, supply


@pytest.fixture
def item(store: Store) -> StockItem:
    item = StockItemFactory()
    supply(item, store, 10)
    StoredEvent.objects.all().delete()
    return item


def product_of(item: StockItem, quantity: int = 1) -> UUID:
    return RecipeLineFactory(item=item, quantity=quantity).product_id


def hold(store: Store, products: dict[UUID, int]) -> UUID:
    order_id = uuid4()
    reserve(order_id=order_id, store_id=store.id, products=products, at=timezone.now())
    return order_id


def level(store: Store, item: StockItem) -> tuple[int, int]:
    return StockLevel.objects.values_list("on_hand", "reserved").get(store=store, item=item)


def told() -> list[int]:
    return [event.payload["quantity"] for event in StoredEvent.objects.order_by("id")]


def test_hold_promises_and_moves_nothing(store: Store, item: StockItem) -> None:
    hold(store, {product_of(item): 3})

    assert level(store, item) == (10, 3)
    assert StockMovement.objects.filter(reason="sale").count() == 0
    assert told() == [7]


def test_hold_taken_is_one_movement_and_repeating_it_changes_nothing(store: Store, item: StockItem) -> None:
    order_id = hold(store, {product_of(item): 3})

    for _ in range(2):
        take_reserved(order_id=order_id, by=PROVIDER, at=timezone.now())

    assert level(store, item) == (7, 0)
    assert list(StockMovement.objects.filter(order_id=order_id).values_list("delta", "reason")) == [(-3, "sale")]
    assert Reservation.objects.get().state == "taken"
    assert told() == [7, 7]


def test_each_level_a_hold_is_taken_from_has_its_own_movement_and_tells_of_itself(
    store: Store, item: StockItem
) -> None:
    other = StockItemFactory()
    supply(other, store, 20)
    order_id = hold(store, {product_of(item): 3, product_of(other, quantity=2): 4})
    StoredEvent.objects.all().delete()

    take_reserved(order_id=order_id, by=PROVIDER, at=timezone.now())

    assert (level(store, item), level(store, other)) == ((7, 0), (12, 0))
    assert dict(StockMovement.objects.filter(order_id=order_id).values_list("item", "delta")) == {
        item.id: -3,
        other.id: -8,
    }
    levels = {each.id: each for each in StockLevel.objects.all()}
    events = StoredEvent.objects.order_by("subject_id")
    assert [event.subject_id for event in events] == sorted(levels)
    assert [(event.seq, event.payload) for event in events] == [
        (levels[at].version, {"item": str(levels[at].item_id), "quantity": levels[at].on_hand}) for at in sorted(levels)
    ]


def test_hold_released_is_free_again_and_repeating_it_changes_nothing(store: Store, item: StockItem) -> None:
    order_id = hold(store, {product_of(item): 3})

    for _ in range(2):
        release_reserved(order_id=order_id, at=timezone.now())

    assert level(store, item) == (10, 0)
    assert not StockMovement.objects.filter(order_id=order_id).exists()
    assert told() == [7, 10]


@pytest.mark.parametrize("taken_first", [True, False])
def test_hold_ends_once_whichever_way(taken_first: bool, store: Store, item: StockItem) -> None:
    order_id = hold(store, {product_of(item): 3})
    steps = [
        lambda: take_reserved(order_id=order_id, by=PROVIDER, at=timezone.now()),
        lambda: release_reserved(order_id=order_id, at=timezone.now()),
    ]

    for step in steps if taken_first else reversed(steps):
        step()

    assert Reservation.objects.get().state == ("taken" if taken_first else "released")
    assert level(store, item) == ((7, 0) if taken_first else (10, 0))


def test_product_that_is_not_counted_is_always_there(store: Store) -> None:
    order_id = hold(store, {ProductFactory().id: 10_000})

    take_reserved(order_id=order_id, by=PROVIDER, at=timezone.now())

    assert not Reservation.objects.exists()
    assert not StockMovement.objects.exists()


def test_products_that_share_an_item_are_summed(store: Store, item: StockItem) -> None:
    single, double = product_of(item), product_of(item, quantity=2)

    hold(store, {single: 2, double: 4})
    assert level(store, item) == (10, 10)

    with pytest.raises(OutOfStockError):
        hold(store, {single: 1})


def test_short_item_names_every_product_that_needs_it_in_units_of_the_product(store: Store, item: StockItem) -> None:
    single, double, other = product_of(item), product_of(item, quantity=3), product_of(StockItemFactory())
    supply(StockItem.objects.latest("id"), store, 5)

    with pytest.raises(OutOfStockError) as refusal:
        hold(store, {single: 2, double: 3, other: 1})

    named = {error["product"]: error["available"] for error in refusal.value.errors}
    assert named == {str(single): 10, str(double): 3}
    assert not Reservation.objects.exists()
    assert level(store, item) == (10, 0)


def test_item_the_store_never_had_is_out_of_stock(store: Store, item: StockItem) -> None:
    elsewhere = StoreFactory()

    with pytest.raises(OutOfStockError) as refusal:
        hold(elsewhere, {product_of(item): 1})

    assert [error["available"] for error in refusal.value.errors] == [0]
    assert level(store, item) == (10, 0)


def test_other_stores_stock_is_not_touched(store: Store, item: StockItem) -> None:
    elsewhere = StoreFactory()
    supply(item, elsewhere, 4)

    hold(elsewhere, {product_of(item): 4})

    assert (level(store, item), level(elsewhere, item)) == ((10, 0), (4, 4))


@pytest.mark.parametrize(("delta", "after"), [(5, 15), (-10, 0), (-3, 7)])
def test_correction_is_a_movement_of_whoever_made_it(delta: int, after: int, store: Store, item: StockItem) -> None:
    manager = staff(Role.MANAGER, store)

    recorded = adjust(store_id=store.id, item_id=item.id, delta=delta, reason="count", by=manager, at=timezone.now())

    movement = StockMovement.objects.latest("id")
    assert (recorded, level(store, item)) == (movement, (after, 0))
    assert (movement.delta, movement.actor_kind, movement.actor_id) == (delta, "staff", manager.id)
    assert told() == [after]


@pytest.mark.parametrize("delta", [-8, -10, -11, -1000])
def test_correction_below_what_is_promised_is_refused(delta: int, store: Store, item: StockItem) -> None:
    hold(store, {product_of(item): 3})

    with pytest.raises(OutOfStockError):
        adjust(store_id=store.id, item_id=item.id, delta=delta, reason="waste", by=PROVIDER, at=timezone.now())

    assert level(store, item) == (10, 3)
    assert StockMovement.objects.count() == 1


@pytest.mark.parametrize("delta", [0, -1])
def test_nothing_is_taken_from_what_was_never_there(delta: int, store: Store) -> None:
    with pytest.raises(NotFoundError):
        adjust(
            store_id=store.id,
            item_id=StockItemFactory().id,
            delta=delta,
            reason="waste",
            by=PROVIDER,
            at=timezone.now(),
        )

    assert not StockLevel.objects.exists()

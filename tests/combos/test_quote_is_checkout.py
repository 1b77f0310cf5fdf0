"""What is quoted for combos is what is charged, and what the shelf gives up is what was asked."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from apps.inventory.models import RecipeLine, StockLevel
from tests.combos.boxes import cart_of, combo, filled
from tests.factories import (
    ModifierGroupFactory,
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    RecipeLineFactory,
    StoreFactory,
    new_menu,
    supply,
)
from tests.fixtures import Screen, broken_rules

prices = some.decimals(min_value=Decimal("0.00"), max_value=Decimal("20.00"), places=2)
deltas = some.decimals(min_value=Decimal("-2.00"), max_value=Decimal("9.00"), places=2)
fillings = some.lists(some.tuples(some.integers(0, 2), deltas, some.integers(0, 2)), min_size=1, max_size=4)
carts = some.lists(some.tuples(prices, fillings, some.integers(1, 9), some.integers(0, 2)), min_size=1, max_size=3)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(singles=some.lists(prices, min_size=3, max_size=3), cart=carts)
def test_quote_and_checkout_agree_with_plain_arithmetic(
    singles: list[Decimal], cart: list[tuple[Decimal, list[tuple[int, Decimal, int]], int, int]], db: None
) -> None:
    kiosk, items = Screen(StoreFactory()), []
    products = [RecipeLineFactory(product=ProductFactory()).product for _ in singles]
    for product in products:
        supply(RecipeLine.objects.get(product=product).item, kiosk.store, 500)
    extras = []
    for product, price in zip(products, singles, strict=True):
        link = ProductModifierGroupFactory(product=product, group=ModifierGroupFactory())
        extras.append(OptionFactory(group=link.group, price=price))
    sauce = OptionFactory(price=Decimal("0.35"))
    expected, wanted = [], [0, 0, 0]
    for base, slots, quantity, sauces in cart:
        made = combo(*([(products[which], str(delta))] for which, delta, _ in slots), price=str(base + 8))
        ProductModifierGroupFactory(product=made, group=sauce.group)
        item = filled(made, *(products[which] for which, _, _ in slots), quantity=quantity)
        unit = base + 8 + sauces * sauce.price
        item["options"] = [{"option": str(sauce.id), "quantity": sauces}] if sauces else []
        for told, (which, delta, chosen) in zip(item["slots"], slots, strict=True):
            told["options"] = [{"option": str(extras[which].id), "quantity": chosen}] if chosen else []
            unit += delta + chosen * singles[which]
            wanted[which] += quantity
        items.append(item)
        expected.append(quantity * unit)
    new_menu(kiosk.store)

    quote = kiosk.post("/orders/quote", {"items": items})
    placed = kiosk.checkout(cart_of(*items, expected_total=quote.body["total"]))

    assert (quote.status, placed.status) == (200, 201)
    assert placed.body["total"] == quote.body["total"] == f"{sum(expected):.2f}"
    assert [item["total"] for item in placed.body["items"]] == [f"{total:.2f}" for total in expected]
    assert [item["slots"] for item in placed.body["items"]] == [item["slots"] for item in quote.body["items"]]
    held = {level.item_id: level.reserved for level in StockLevel.objects.filter(store=kiosk.store)}
    assert [held[RecipeLine.objects.get(product=product).item_id] for product in products] == wanted
    assert broken_rules() == {}

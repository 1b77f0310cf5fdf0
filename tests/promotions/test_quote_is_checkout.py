"""What is quoted is what is charged."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.factories import OptionFactory, ProductFactory, ProductModifierGroupFactory, StoreFactory, new_menu
from tests.fixtures import Screen, broken_rules

prices = some.decimals(min_value=Decimal("0.01"), max_value=Decimal("20.00"), places=2)
some_lines = some.lists(some.tuples(prices, prices, some.integers(1, 9), some.integers(0, 2)), min_size=1, max_size=4)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=some_lines)
def test_quote_and_checkout_agree(lines: list[tuple[Decimal, Decimal, int, int]], db: None) -> None:
    kiosk, items = Screen(StoreFactory()), []
    for unit, extra, quantity, chosen in lines:
        asked = ProductModifierGroupFactory(product=ProductFactory(price=unit))
        option = OptionFactory(group=asked.group, price=extra)
        options = [{"option": str(option.id), "quantity": chosen}] if chosen else []
        items.append({"product": str(asked.product_id), "quantity": quantity, "options": options})
    new_menu(kiosk.store)

    quote = kiosk.post("/orders/quote", {"items": items})
    placed = kiosk.checkout({"dining_option": "eat_in", "items": items, "expected_total": quote.body["total"]})

    assert (quote.status, placed.status) == (200, 201)
    expected = sum(quantity * (unit + extra * chosen) for unit, extra, quantity, chosen in lines)
    assert placed.body["total"] == quote.body["total"] == str(expected)
    assert [item["total"] for item in placed.body["items"]] == [item["total"] for item in quote.body["items"]]
    assert broken_rules() == {}

"""The arithmetic of a cart, pure."""

import random
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from apps.promotions.rules import CartLine, PricedOption, cents, price

money = some.decimals(min_value=0, max_value=1000, places=2)
options = some.lists(some.builds(PricedOption, unit_price=money, quantity=some.integers(1, 9)), max_size=4).map(tuple)
lines = some.builds(CartLine, unit_price=money, quantity=some.integers(1, 99), options=options)
carts = some.lists(lines, max_size=12)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        ("0.005", "0.01"),
        ("0.004", "0.00"),
        ("0.0049999", "0.00"),
        ("2.675", "2.68"),
        ("1.005", "1.01"),
        ("10", "10.00"),
        ("-0.005", "-0.01"),
    ],
)
def test_half_a_cent_is_rounded_up(amount: str, rounded: str) -> None:
    assert str(cents(Decimal(amount))) == rounded


def test_line_is_quantity_times_product_and_options() -> None:
    bread = CartLine(Decimal("14.90"), 3, (PricedOption(Decimal("4.00"), 2), PricedOption(Decimal("0.35"), 1)))

    priced = price([bread, CartLine(Decimal("5.00"), 1)])

    assert priced.line_totals == (Decimal("69.75"), Decimal("5.00"))
    assert (priced.subtotal, priced.discount_total, priced.total) == (
        Decimal("74.75"),
        Decimal("0.00"),
        Decimal("74.75"),
    )


def test_empty_cart_costs_nothing() -> None:
    assert str(price([]).total) == "0.00"


@settings(max_examples=40, deadline=None)
@given(carts)
def test_total_is_the_sum_of_its_lines_to_the_cent(cart: list[CartLine]) -> None:
    priced = price(cart)

    exact = sum(
        (
            line.quantity
            * (Fraction(line.unit_price) + sum(Fraction(each.unit_price) * each.quantity for each in line.options))
            for line in cart
        ),
        Fraction(0),
    )
    assert Fraction(priced.subtotal) == sum(map(Fraction, priced.line_totals)) == exact
    assert priced.total == priced.subtotal - priced.discount_total
    assert priced.total >= 0
    assert all(amount.as_tuple().exponent == -2 for amount in (priced.total, priced.subtotal, *priced.line_totals))


@settings(max_examples=40, deadline=None)
@given(carts, some.randoms(use_true_random=False))
def test_order_of_the_lines_never_matters(cart: list[CartLine], chance: random.Random) -> None:
    positions = list(range(len(cart)))
    chance.shuffle(positions)

    straight, shuffled = price(cart), price([cart[position] for position in positions])

    assert shuffled.total == straight.total
    assert list(shuffled.line_totals) == [straight.line_totals[position] for position in positions]


@settings(max_examples=40, deadline=None)
@given(lines, some.integers(1, 5))
def test_more_of_a_line_is_never_cheaper(line: CartLine, more: int) -> None:
    larger = CartLine(line.unit_price, line.quantity + more, line.options)

    assert price([larger]).total >= price([line]).total


@settings(max_examples=40, deadline=None)
@given(some.decimals(min_value=0, max_value=1000, places=4), some.integers(1, 99))
def test_line_is_rounded_once_after_the_multiplication(unit: Decimal, quantity: int) -> None:
    assert price([CartLine(unit, quantity)]).total == (unit * quantity).quantize(Decimal("0.01"), ROUND_HALF_UP)

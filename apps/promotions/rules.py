"""Pricing: pure arithmetic over what the server knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class PricedOption:
    """A chosen option; ``quantity`` is per unit of the line."""

    unit_price: Decimal
    quantity: int


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line to be priced."""

    unit_price: Decimal
    quantity: int
    options: tuple[PricedOption, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """What a cart costs, BRL with two decimals. ``line_totals`` is in the order of the lines."""

    line_totals: tuple[Decimal, ...]
    subtotal: Decimal
    discount_total: Decimal
    total: Decimal


def cents(amount: Decimal) -> Decimal:
    """Round half up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def price(lines: Sequence[CartLine]) -> Price:
    """Price a cart: each line is its quantity times product plus options."""
    totals = tuple(cents(line.quantity * (line.unit_price + _options(line))) for line in lines)
    subtotal = sum(totals, ZERO)
    return Price(line_totals=totals, subtotal=subtotal, discount_total=ZERO, total=subtotal)


def _options(line: CartLine) -> Decimal:
    return sum((option.unit_price * option.quantity for option in line.options), ZERO)

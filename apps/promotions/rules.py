"""Pricing: pure arithmetic over what the server knows.

Each line gets the best one of the offers on its product or category; then the best one of the offers on the whole order is
taken off what is left, then the coupon. Nothing is ever taken off below zero, and the order of the lines does not matter.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from uuid import UUID

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
HUNDRED = Decimal(100)


class Kind(StrEnum):
    """How a value is meant."""

    PERCENT = "percent"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that may be taken off. ``product`` and ``category`` None means the whole order.

    An amount is taken off each unit of a line, or once off an order.
    """

    id: UUID
    name: str
    kind: Kind
    value: Decimal
    product: UUID | None = None
    category: UUID | None = None


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
    product: UUID | None = None
    category: UUID | None = None


@dataclass(frozen=True, slots=True)
class Discount:
    """What one offer takes off, BRL."""

    offer: UUID
    name: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """What a cart costs, BRL with two decimals. ``line_totals`` is in the order of the lines, before discounts."""

    line_totals: tuple[Decimal, ...]
    subtotal: Decimal
    discounts: tuple[Discount, ...]
    discount_total: Decimal
    total: Decimal


def cents(amount: Decimal) -> Decimal:
    """Round half up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def price(lines: Sequence[CartLine], offers: Sequence[Offer] = (), coupon: Offer | None = None) -> Price:
    """Price a cart: each line is its quantity times product plus options, less what the offers take off."""
    totals = tuple(cents(line.quantity * (line.unit_price + _options(line))) for line in lines)
    taken: dict[Offer, Decimal] = defaultdict(lambda: ZERO)
    for line, total in zip(lines, totals, strict=True):
        _take_best([offer for offer in offers if _is_on_line(offer, line)], total, line.quantity, taken)
    left = sum(totals, ZERO) - sum(taken.values(), ZERO)
    _take_best([offer for offer in offers if offer.product is None and offer.category is None], left, 1, taken)
    left = sum(totals, ZERO) - sum(taken.values(), ZERO)
    if coupon is not None:
        _take_best([coupon], left, 1, taken)
    discounts = tuple(
        Discount(offer=offer.id, name=offer.name, amount=amount)
        for offer, amount in sorted(taken.items(), key=lambda pair: (pair[0].name, pair[0].id))
        if amount
    )
    subtotal = sum(totals, ZERO)
    discount_total = sum((discount.amount for discount in discounts), ZERO)
    return Price(
        line_totals=totals,
        subtotal=subtotal,
        discounts=discounts,
        discount_total=discount_total,
        total=subtotal - discount_total,
    )


def within_hours(from_time: time | None, to_time: time | None, local: datetime) -> bool:
    """Tell whether a local moment lies in daily hours, the end left out; hours may pass midnight."""
    if from_time is None or to_time is None:
        return True
    now = local.time()
    if from_time <= to_time:
        return from_time <= now < to_time
    return now >= from_time or now < to_time


def _options(line: CartLine) -> Decimal:
    return sum((option.unit_price * option.quantity for option in line.options), ZERO)


def _is_on_line(offer: Offer, line: CartLine) -> bool:
    if offer.product is not None:
        return offer.product == line.product
    return offer.category is not None and offer.category == line.category


def _take_best(offers: Sequence[Offer], from_amount: Decimal, units: int, taken: dict[Offer, Decimal]) -> None:
    """Add what the offer that takes most takes off; of equals, the one with the smaller id."""
    best = max(offers, key=lambda offer: (_takes(offer, from_amount, units), -offer.id.int), default=None)
    if best is not None:
        taken[best] += _takes(best, from_amount, units)


def _takes(offer: Offer, from_amount: Decimal, units: int) -> Decimal:
    asked = from_amount * offer.value / HUNDRED if offer.kind == Kind.PERCENT else offer.value * units
    return min(cents(asked), from_amount)

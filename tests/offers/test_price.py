"""Pricing with offers, pure: what holds for every cart."""

from datetime import datetime, time
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.promotions.rules import ZERO, CartLine, Kind, Offer, PricedOption, cents, price, within_hours

PRODUCTS = [UUID(int=n) for n in range(1, 4)]
CATEGORIES = [UUID(int=n) for n in range(11, 13)]

money = st.decimals(min_value="0.00", max_value="90.00", places=2)
lines = st.lists(
    st.builds(
        CartLine,
        unit_price=money,
        quantity=st.integers(1, 99),
        options=st.lists(st.builds(PricedOption, unit_price=money, quantity=st.integers(1, 3)), max_size=3).map(tuple),
        product=st.sampled_from(PRODUCTS),
        category=st.sampled_from(CATEGORIES),
    ),
    min_size=1,
    max_size=12,
)
targets = st.one_of(
    st.just({}),
    st.sampled_from(PRODUCTS).map(lambda product: {"product": product}),
    st.sampled_from(CATEGORIES).map(lambda category: {"category": category}),
)


@st.composite
def offer(draw: st.DrawFn, number: int = 0, **fixed: object) -> Offer:
    kind = draw(st.sampled_from(Kind))
    most = "100" if kind == Kind.PERCENT else "500"
    value = draw(st.decimals(min_value="0.01", max_value=most, places=2))
    return Offer(
        id=draw(st.uuids()), name=draw(st.sampled_from("ABC")), kind=kind, value=value, **(draw(targets) | fixed)
    )


@given(lines, st.lists(offer(), max_size=6), st.none() | offer(product=None, category=None))
def test_lines_less_discounts_are_the_total_and_never_negative(
    cart: list[CartLine], offers: list[Offer], coupon: Offer | None
) -> None:
    found = price(cart, offers, coupon)

    assert found.subtotal == sum(found.line_totals)
    assert found.discount_total == sum((each.amount for each in found.discounts), ZERO)
    assert found.total == found.subtotal - found.discount_total >= 0
    assert all(each.amount > 0 for each in found.discounts)
    assert all(amount == cents(amount) for amount in (*found.line_totals, found.discount_total, found.total))


@given(st.data(), lines, st.lists(offer(), max_size=6))
def test_the_order_of_lines_and_offers_never_matters(
    data: st.DataObject, cart: list[CartLine], offers: list[Offer]
) -> None:
    found = price(cart, offers)
    other = price(data.draw(st.permutations(cart)), data.draw(st.permutations(offers)))

    assert (other.total, other.discounts) == (found.total, found.discounts)


@given(lines, st.lists(offer(), max_size=6), offer())
def test_one_offer_more_never_makes_a_line_dearer(cart: list[CartLine], offers: list[Offer], more: Offer) -> None:
    on_lines = [each for each in (*offers, more) if each.product or each.category]

    assert price(cart, on_lines).total <= price(cart, on_lines[:-1]).total


def an_offer(kind: Kind, value: str, **target: UUID) -> Offer:
    return Offer(id=UUID(int=99), name="Oferta", kind=kind, value=Decimal(value), **target)


@pytest.mark.parametrize(
    ("offers", "total"),
    [
        ([], "30.15"),
        ([an_offer(Kind.PERCENT, "10", product=PRODUCTS[0])], "27.13"),  # 3.015 is 3.02 off
        ([an_offer(Kind.AMOUNT, "1.00", product=PRODUCTS[0])], "27.15"),  # a real off each of three
        ([an_offer(Kind.AMOUNT, "20.00", product=PRODUCTS[0])], "0.00"),
        ([an_offer(Kind.PERCENT, "10", product=PRODUCTS[1])], "30.15"),
        ([an_offer(Kind.PERCENT, "50", category=CATEGORIES[0])], "15.07"),
        ([an_offer(Kind.AMOUNT, "5.00")], "25.15"),
        ([an_offer(Kind.AMOUNT, "500.00")], "0.00"),
    ],
)
def test_what_an_offer_takes_off(offers: list[Offer], total: str) -> None:
    cart = [CartLine(Decimal("10.05"), 3, product=PRODUCTS[0], category=CATEGORIES[0])]

    assert price(cart, offers).total == Decimal(total)


def test_line_offers_do_not_stack_and_the_coupon_comes_last() -> None:
    small = Offer(UUID(int=1), "pequena", Kind.PERCENT, Decimal(10), product=PRODUCTS[0])
    large = Offer(UUID(int=2), "grande", Kind.PERCENT, Decimal(50), category=CATEGORIES[0])
    coupon = Offer(UUID(int=3), "cupom", Kind.PERCENT, Decimal(10))
    cart = [CartLine(Decimal("10.00"), 1, product=PRODUCTS[0], category=CATEGORIES[0])]

    found = price(cart, [small, large], coupon)

    assert [(each.name, each.amount) for each in found.discounts] == [
        ("cupom", Decimal("0.50")),
        ("grande", Decimal("5.00")),
    ]


@pytest.mark.parametrize(
    ("now", "holds"),
    [("17:59", False), ("18:00", True), ("23:30", True), ("00:30", True), ("02:00", False), ("12:00", False)],
)
def test_hours_may_pass_midnight(now: str, holds: bool) -> None:
    moment = datetime.fromisoformat(f"2026-11-22T{now}:00-03:00")

    assert within_hours(time(18), time(2), moment) is holds

"""The short reader of carts says what the serializer says, or nothing."""

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.orders import reading
from apps.orders.serializers import CheckoutSerializer, QuoteSerializer
from apps.stores.models import Store
from tests.factories import ProductFactory
from tests.fixtures import Screen, cart

Body = dict[str, Any]

IDS = st.uuids().map(str)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 101),
    st.integers(10**18, 10**20),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.text("a", min_size=10, max_size=150),
    st.sampled_from(
        ["", " ", "\0", "\ud800", "  a  ", "1e3", "-1.00", "0", "12.345", "99999999.99", "100000000", "Infinity"]
    ),
    st.just([]),
    st.just({}),
    st.lists(st.integers(), max_size=2),
    st.uuids().map(lambda each: each.hex),
    st.uuids().map(lambda each: each.urn),
    st.uuids().map(lambda each: f"{{{each}}}"[:36]),
    st.uuids().map(lambda each: str(each).upper()),
)
QUANTITY = st.integers(1, 99)
OPTION = st.fixed_dictionaries({"option": IDS}, optional={"quantity": QUANTITY})
OPTIONS = st.lists(OPTION, max_size=3)
SLOT = st.fixed_dictionaries({"slot": IDS, "product": IDS}, optional={"options": OPTIONS})
ITEM = st.fixed_dictionaries(
    {"product": IDS, "quantity": QUANTITY},
    optional={"options": OPTIONS, "note": st.text(max_size=20), "slots": st.lists(SLOT, max_size=2)},
)
CART = st.fixed_dictionaries(
    {"items": st.lists(ITEM, min_size=1, max_size=3), "dining_option": st.sampled_from(["eat_in", "take_out"])},
    optional={
        "guest_name": st.text(max_size=40),
        "table_tracker": st.sampled_from(["", "7", " 12 "]),
        "coupon": st.sampled_from(["", "PAO10"]),
        "customer": st.sampled_from(["t" * 43, " ", "t" * 65]),
        "expected_total": st.decimals(0, 10**8, places=2).map(str),
        "store": IDS,
    },
)


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every place of a body that something else could stand in."""
    if isinstance(data, dict):
        return [(data, key) for key in data] + [place for inner in data.values() for place in places(inner)]
    if isinstance(data, list):
        return [(data, at) for at in range(len(data))] + [place for inner in data for place in places(inner)]
    return []


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A cart with one to three things in it that may be wrong."""
    body = json.loads(json.dumps(draw(CART)))
    for _ in range(draw(st.integers(1, 3))):
        inside, key = draw(st.sampled_from(places(body) or [(body, "items")]))
        what = draw(st.sampled_from(["replace", "drop", "add", "many"]))
        if what == "replace":
            inside[key] = draw(JUNK)
        elif what == "drop" and key in (inside if isinstance(inside, dict) else range(len(inside))):
            del inside[key]
        elif what == "add" and isinstance(inside, dict):
            inside[draw(st.sampled_from(["x", "store", "slots", "note", "quantity", "customer"]))] = draw(JUNK)
        elif isinstance(inside, dict) and isinstance(inside.get(key), list):
            inside[key] = inside[key] * draw(st.sampled_from([7, 21, 41, 61]))
    return body


def check(body: Any) -> bool:
    """Compare both readers; tell whether the short one said something."""
    ordered, priced = reading.checkout(body), reading.quote(body)
    if ordered is not None:
        asked = CheckoutSerializer(data=body)
        assert asked.is_valid(), asked.errors
        assert ordered == (asked.cart(), asked.validated_data.get("store"))
        assert str(ordered[0].expected_total) == str(asked.cart().expected_total)
    if priced is not None:
        quoted = QuoteSerializer(data=body)
        assert quoted.is_valid(), quoted.errors
        told = quoted.validated_data
        assert priced == (quoted.asked(), told["coupon"], told["dining_option"], told.get("store"))
    return ordered is not None


@given(CART)
def test_good_carts_are_read_alike(body: Body) -> None:
    check(body)
    check({name: body[name] for name in ("items", "coupon", "store") if name in body})


@given(spoiled())
def test_bad_carts_are_left_to_the_serializer(body: Any) -> None:
    check(body)


@pytest.mark.parametrize("body", [None, [], "x", 1, {}, {"items": []}, {"items": None}])
def test_what_is_no_cart_is_left_to_the_serializer(body: Any) -> None:
    assert not check(body)


def test_usual_cart_never_reaches_the_serializer() -> None:
    option, slot = {"option": str(uuid4()), "quantity": 2}, {"slot": str(uuid4()), "product": str(uuid4())}
    item = {"product": str(uuid4()), "quantity": 1, "options": [option], "note": "sem cebola, João", "slots": [slot]}
    body = {"dining_option": "eat_in", "items": [item], "guest_name": "Ana", "expected_total": "12.50"}

    assert check(body)


@pytest.mark.parametrize(
    "spoil",
    [
        {},
        {"items": []},
        {"items": "x"},
        {"dining_option": "fly"},
        {"coupon": "x" * 21},
        {"expected_total": "1.001"},
        {"expected_total": 12.5},
        {"store": "x"},
        {"unknown": 1},
        {"guest_name": None},
    ],
)
def test_answers_are_the_same_with_and_without_the_short_reader(
    spoil: Body, store: Store, kiosk: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = cart(ProductFactory(price="12.50"), **spoil) | spoil
    first = kiosk.checkout(body), kiosk.post("/orders/quote", body)
    monkeypatch.setattr(reading, "checkout", lambda _: None)
    monkeypatch.setattr(reading, "quote", lambda _: None)
    again = kiosk.checkout(body), kiosk.post("/orders/quote", body)

    for short, long in zip(first, again, strict=True):
        assert short.status == long.status
        if short.status >= 400:
            assert (short.code, short.errors) == (long.code, long.errors)
            assert short.body | {"request_id": ""} == long.body | {"request_id": ""}

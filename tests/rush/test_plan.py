"""The day of a seed, and what a guest puts into the cart."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breadmate.rush.plan import End, Word, cart, day, without

seeds = st.integers(0, 2**32)


@given(seeds, st.integers(1, 200), st.floats(0.1, 0.5), st.floats(0.5, 30))
def test_a_seed_makes_the_same_day_of_guests_in_order(seed: int, kiosks: int, minutes: float, rate: float) -> None:
    guests = day(seed=seed, kiosks=kiosks, minutes=minutes, rate=rate)

    assert guests == day(seed=seed, kiosks=kiosks, minutes=minutes, rate=rate)
    moments = [guest.arrives_s for guest in guests]
    assert moments == sorted(moments)
    assert all(0 < moment < minutes * 60 for moment in moments)
    assert {guest.kiosk for guest in guests} <= set(range(kiosks))
    assert [guest.number for guest in guests] == list(range(len(guests)))


def test_another_seed_makes_another_day() -> None:
    assert day(seed=1, kiosks=50, minutes=1, rate=5) != day(seed=2, kiosks=50, minutes=1, rate=5)


def test_a_long_day_has_its_rate_and_every_trouble_in_its_share() -> None:
    guests = day(seed=7, kiosks=50, minutes=60, rate=20)
    ordering = [guest for guest in guests if guest.end not in (End.LEAVES_AT_MENU, End.LEAVES_WITH_CART)]
    ends, words = Counter(guest.end for guest in guests), Counter(guest.word for guest in ordering)

    assert len(ordering) / 3600 == pytest.approx(20, rel=0.02)
    assert set(ends) == set(End)
    assert [words[word] / len(ordering) for word in (Word.LATE, Word.DOUBLED, Word.LOST)] == pytest.approx(
        [0.10, 0.10, 0.05], rel=0.05
    )
    assert not any(guest.asks_again for guest in guests if guest.word in (Word.ON_TIME, Word.DOUBLED))


@st.composite
def groups(draw: st.DrawFn, name: str) -> list[dict[str, Any]]:
    made = []
    for number in range(draw(st.integers(0, 2))):
        options = [
            {"id": f"{name}-{number}-{each}", "max_quantity": draw(st.integers(1, 3)), "available": draw(st.booleans())}
            for each in range(draw(st.integers(0, 4)))
        ]
        least = draw(st.integers(0, 2))
        made.append({"min": least, "max": least + draw(st.integers(0, 2)), "options": options})
    return made


@st.composite
def products(draw: st.DrawFn, name: str) -> dict[str, Any]:
    slots = [
        {
            "id": f"{name}-s{number}",
            "choices": [
                {
                    "product": f"{name}-s{number}-c{each}",
                    "available": draw(st.booleans()),
                    "needs_release": draw(st.booleans()),
                    "modifier_groups": draw(groups(f"{name}-s{number}-c{each}")),
                }
                for each in range(draw(st.integers(0, 3)))
            ],
        }
        for number in range(draw(st.integers(0, 2)))
    ]
    return {
        "id": name,
        "available": draw(st.booleans()),
        "needs_release": draw(st.booleans()),
        "modifier_groups": draw(groups(name)),
        "slots": slots,
    }


@st.composite
def menus(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "categories": [
            {"products": [draw(products(f"p{number}-{each}")) for each in range(draw(st.integers(0, 3)))]}
            for number in range(draw(st.integers(1, 2)))
        ]
    }


def obeys(groups: list[dict[str, Any]], chosen: list[dict[str, Any]]) -> None:
    """Every option is offered, at most as often as it may be, and every group has what it asks for and no more."""
    known = {option["option"]: option["quantity"] for option in chosen}
    assert len(known) == len(chosen)
    for group in groups:
        of_group = {option["id"]: option for option in group["options"]}
        taken = {option: known.pop(option) for option in of_group if option in known}
        assert group["min"] <= sum(taken.values()) <= group["max"]
        for option, quantity in taken.items():
            assert of_group[option]["available"]
            assert 1 <= quantity <= of_group[option]["max_quantity"]
    assert known == {}


@given(menus(), seeds)
def test_a_cart_is_what_the_menu_allows(menu: dict[str, Any], taste: int) -> None:
    lines = cart(menu, taste)
    shelf = {product["id"]: product for category in menu["categories"] for product in category["products"]}

    assert lines == cart(menu, taste)
    assert len({line["product"] for line in lines}) == len(lines) <= 3
    for line in lines:
        product = shelf[line["product"]]
        assert product["available"]
        assert not product["needs_release"]
        obeys(product["modifier_groups"], line["options"])
        assert [slot["slot"] for slot in line.get("slots", [])] == [slot["id"] for slot in product["slots"]]
        for chosen, slot in zip(line.get("slots", []), product["slots"], strict=True):
            choice = {each["product"]: each for each in slot["choices"]}[chosen["product"]]
            assert choice["available"]
            assert not choice["needs_release"]
            obeys(choice["modifier_groups"], chosen["options"])


LINES = [{"product": "a"}, {"product": "b", "slots": [{"product": "c"}]}, {"product": "d"}]


@pytest.mark.parametrize(
    ("error", "left"),
    [
        ({"field": "items", "product": "a"}, ["b", "d"]),
        ({"field": "items", "product": "c"}, ["a", "d"]),
        ({"field": "items[2].product"}, ["a", "b"]),
        ({"field": "items", "product": "of nobody"}, ["a", "b"]),
    ],
)
def test_what_sold_out_leaves_the_cart_and_asking_again_comes_to_an_end(error: dict[str, Any], left: list[str]) -> None:
    assert [line["product"] for line in without(LINES, {"errors": [error]})] == left

"""Who comes, when, what they like and what goes wrong, all from one seed. Pure: no clock, no network."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Line = dict[str, Any]

LEAVES_AT_MENU, LEAVES_WITH_CART = 0.04, 0.03  # of everybody who comes
CANCELS, WALKS_OFF = 0.02, 0.01  # of those who have ordered
ORDERS_OF_ALL = 1 - LEAVES_AT_MENU - LEAVES_WITH_CART
LATE, DOUBLED, LOST = 0.10, 0.10, 0.05  # of the notifications of the provider
ASKS_AGAIN = 0.3  # of those whose notification does not come: they press "Já paguei"
MOST_LINES = 3
SOLD_OUT_LINE = re.compile(r"items\D+(\d+)")


class End(StrEnum):
    """How a guest's visit ends."""

    PAYS = "pays"
    LEAVES_AT_MENU = "leaves_at_menu"
    LEAVES_WITH_CART = "leaves_with_cart"
    CANCELS = "cancels"
    WALKS_OFF = "walks_off"


class Word(StrEnum):
    """What becomes of the provider's notification of a payment."""

    ON_TIME = "on_time"
    LATE = "late"
    DOUBLED = "doubled"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Guest:
    """One visit to one kiosk; all times in seconds."""

    number: int
    arrives_s: float  # after the beginning of the rush
    kiosk: int
    taste: int  # the seed of the cart
    takes_out: bool
    thinks_s: float  # before each tap
    pays_after_s: float  # from the code on the screen
    end: End
    word: Word
    word_after_s: float  # from the payment, for a late one
    asks_again: bool
    cooks_s: tuple[float, float, float]  # until it is begun, made, picked up


def day(*, seed: int, kiosks: int, minutes: float, rate: float) -> list[Guest]:
    """Plan every guest, in the order in which they come.

    Args:
        rate: orders a second on average; those who leave without one come on top.
    """
    chance = random.Random(seed)
    return list(_guests(chance, kiosks, minutes * 60, rate / ORDERS_OF_ALL))


def _guests(chance: random.Random, kiosks: int, seconds: float, rate: float) -> Iterator[Guest]:
    at, number = chance.expovariate(rate), 0
    while at < seconds:
        word = _one_of(chance, (Word.LATE, LATE), (Word.DOUBLED, DOUBLED), (Word.LOST, LOST)) or Word.ON_TIME
        leaves = ((End.LEAVES_AT_MENU, LEAVES_AT_MENU), (End.LEAVES_WITH_CART, LEAVES_WITH_CART))
        stops = ((End.CANCELS, CANCELS * ORDERS_OF_ALL), (End.WALKS_OFF, WALKS_OFF * ORDERS_OF_ALL))
        yield Guest(
            number=number,
            arrives_s=at,
            kiosk=chance.randrange(kiosks),
            taste=chance.getrandbits(32),
            takes_out=chance.random() < 0.4,  # noqa: PLR2004 - four in ten
            thinks_s=chance.uniform(0.3, 1.2),
            pays_after_s=chance.uniform(0.5, 4.0),
            end=_one_of(chance, *leaves, *stops) or End.PAYS,
            word=word,
            word_after_s=chance.uniform(1.0, 8.0),
            asks_again=word in (Word.LOST, Word.LATE) and chance.random() < ASKS_AGAIN,
            cooks_s=(chance.uniform(0.2, 1.5), chance.uniform(0.5, 2.5), chance.uniform(0.2, 1.5)),
        )
        number += 1
        at += chance.expovariate(rate)


def _one_of(chance: random.Random, *shares: tuple[Any, float]) -> Any:
    """Draw one of several outcomes by their shares, or None for what is left over."""
    drawn = chance.random()
    for outcome, share in shares:
        if drawn < share:
            return outcome
        drawn -= share
    return None


def cart(menu: Mapping[str, Any], taste: int) -> list[Line]:
    """Choose up to three lines of a menu document as a guest could alone; empty when nothing can be had."""
    chance = random.Random(taste)
    products = [product for category in menu["categories"] for product in category["products"]]
    shelf = [product for product in products if product["available"] and not product["needs_release"]]
    lines: list[Line] = []
    for product in chance.sample(shelf, len(shelf)):
        if len(lines) == 1 + taste % MOST_LINES:
            break
        line = _line(chance, product)
        if line is not None:
            lines.append(line)
    return lines


def _line(chance: random.Random, product: Mapping[str, Any]) -> Line | None:
    """Choose options and slots of one product; None when a part of it that must be chosen is sold out."""
    options = _options(chance, product["modifier_groups"])
    slots: list[Line] = []
    for slot in product["slots"]:
        choices = [choice for choice in slot["choices"] if choice["available"] and not choice["needs_release"]]
        chosen = chance.choice(choices) if choices else None
        inner = _options(chance, chosen["modifier_groups"]) if chosen else None
        if chosen is None or inner is None:
            return None
        slots.append({"slot": slot["id"], "product": chosen["product"], "options": inner})
    if options is None:
        return None
    line: Line = {"product": product["id"], "quantity": 1 + (chance.random() < 0.2), "options": options}  # noqa: PLR2004
    return line | {"slots": slots} if slots else line


def _options(chance: random.Random, groups: Sequence[Mapping[str, Any]]) -> list[Line] | None:
    """Choose options so that every group has between its ``min`` and its ``max``; None when it cannot be."""
    chosen: list[Line] = []
    for group in groups:
        to_be_had = [option for option in group["options"] if option["available"]]
        least, most = group["min"], min(group["max"], sum(option["max_quantity"] for option in to_be_had))
        if least > most:
            return None
        wanted = least if chance.random() < 0.5 else chance.randint(least, most)  # noqa: PLR2004 - half keep it simple
        for option in chance.sample(to_be_had, len(to_be_had)):
            quantity = min(wanted, option["max_quantity"])
            if quantity:
                chosen.append({"option": option["id"], "quantity": quantity})
                wanted -= quantity
    return chosen


def without(lines: Sequence[Line], problem: Mapping[str, Any]) -> list[Line]:
    """Drop what a refusal names, as the kiosk does when something sold out: lines by place, or whatever holds the product.

    A refusal that names nothing we have drops the last line, so that asking again always comes to an end.
    """
    places = {int(found[1]) for error in problem["errors"] if (found := SOLD_OUT_LINE.search(error["field"]))}
    products = {error["product"] for error in problem["errors"] if "product" in error}

    def is_gone(place: int, line: Line) -> bool:
        held = {line["product"], *(slot["product"] for slot in line.get("slots", []))}
        return place in places or bool(held & products)

    left = [line for place, line in enumerate(lines) if not is_gone(place, line)]
    return left if len(left) < len(lines) else list(lines[:-1])

"""Reads a cart that is as it should be, for a tenth of what a serializer takes.

Only what is beyond doubt is read here. Of everything else ``None`` is said, and the serializer is asked: it may take it all the
same (a number for an amount, an id in braces), and it alone knows how to refuse.
"""

import re
from collections.abc import Callable, Set
from decimal import Decimal
from typing import Any, TypeVar
from unicodedata import is_normalized
from uuid import UUID

from apps.orders.checkout import Cart
from apps.orders.models import DINING
from apps.orders.rules import AskedItem, AskedOption, AskedSlot

T = TypeVar("T")

UUID_LENGTH = 36
CENT = Decimal("0.01")
DINING_OPTIONS = tuple(code for code, _ in DINING)
MOST_ITEMS, MOST_OPTIONS, MOST_SLOTS, MOST_OF_ONE = 60, 40, 20, 99
LONGEST_NOTE, LONGEST_COUPON, LONGEST_NAME, LONGEST_TRACKER, LONGEST_TICKET = 140, 20, 40, 12, 64
AMOUNT = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")

OF_QUOTE = frozenset({"items", "dining_option", "coupon", "store"})
OF_CHECKOUT = OF_QUOTE | {"guest_name", "table_tracker", "customer", "expected_total"}
OF_ITEM = frozenset({"product", "quantity", "options", "note", "slots"})
OF_SLOT = frozenset({"slot", "product", "options"})
OF_OPTION = frozenset({"option", "quantity"})


class _DoubtError(Exception):
    """Let the serializer decide."""


def quote(data: Any) -> tuple[tuple[AskedItem, ...], str, str, UUID | None] | None:
    """Return items, coupon, dining option and store of a cart to be priced, or None."""
    try:
        _known(data, OF_QUOTE)
        dining_option = _dining_option(data.get("dining_option", DINING_OPTIONS[0]))
        return _items(data), _text(data, "coupon", LONGEST_COUPON), dining_option, _store(data)
    except _DoubtError:
        return None


def checkout(data: Any) -> tuple[Cart, UUID | None] | None:
    """Return a cart to be ordered and its store, or None."""
    try:
        _known(data, OF_CHECKOUT)
        cart = Cart(
            items=_items(data),
            dining_option=_dining_option(data.get("dining_option")),
            guest_name=_text(data, "guest_name", LONGEST_NAME),
            table_tracker=_text(data, "table_tracker", LONGEST_TRACKER),
            coupon=_text(data, "coupon", LONGEST_COUPON),
            expected_total=_amount(data["expected_total"]) if "expected_total" in data else None,
            customer=_text(data, "customer", LONGEST_TICKET),
        )
        return cart, _store(data)
    except _DoubtError:
        return None


def _items(data: dict[str, Any]) -> tuple[AskedItem, ...]:
    items = _each(data.get("items"), MOST_ITEMS, _item)
    if not items:
        raise _DoubtError
    return items


def _item(data: Any) -> AskedItem:
    _known(data, OF_ITEM)
    return AskedItem(
        product=_id(data.get("product")),
        quantity=_quantity(data.get("quantity")),
        options=_options(data),
        note=_text(data, "note", LONGEST_NOTE),
        slots=_each(data["slots"], MOST_SLOTS, _slot) if "slots" in data else (),
    )


def _slot(data: Any) -> AskedSlot:
    _known(data, OF_SLOT)
    return AskedSlot(_id(data.get("slot")), _id(data.get("product")), _options(data))


def _options(data: dict[str, Any]) -> tuple[AskedOption, ...]:
    return _each(data["options"], MOST_OPTIONS, _option) if "options" in data else ()


def _option(data: Any) -> AskedOption:
    _known(data, OF_OPTION)
    return AskedOption(_id(data.get("option")), _quantity(data.get("quantity", 1)))


def _known(data: Any, names: Set[str]) -> None:
    if type(data) is not dict or not data.keys() <= names:
        raise _DoubtError


def _each(data: Any, most: int, read: Callable[[Any], T]) -> tuple[T, ...]:
    if type(data) is not list or len(data) > most:
        raise _DoubtError
    return tuple([read(each) for each in data])


def _id(value: Any) -> UUID:
    if type(value) is not str or len(value) != UUID_LENGTH:
        raise _DoubtError
    try:
        return UUID(value)
    except ValueError:
        raise _DoubtError from None


def _store(data: dict[str, Any]) -> UUID | None:
    return _id(data["store"]) if "store" in data else None


def _quantity(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MOST_OF_ONE:
        raise _DoubtError
    return value


def _text(data: dict[str, Any], name: str, longest: int) -> str:
    value = data.get(name, "")
    if type(value) is not str or "\0" in value:
        raise _DoubtError
    found = value.strip()
    if len(found) > longest or "  " in found or not found.isprintable():  # half a character is not printable
        raise _DoubtError
    if not (found.isascii() or is_normalized("NFC", found)):
        raise _DoubtError
    return found


def _dining_option(value: Any) -> str:
    if type(value) is not str or value not in DINING_OPTIONS:
        raise _DoubtError
    return value


def _amount(value: Any) -> Decimal:
    if type(value) is not str or not AMOUNT.fullmatch(value):
        raise _DoubtError
    return Decimal(value).quantize(CENT)

"""Checks of request bodies, in the order in which the API reports them."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from ops.mpsim.errors import ApiError, bad_value
from ops.mpsim.state import ZERO, NewOrder

AMOUNT = re.compile(r"\d{1,12}(\.\d{2})?", re.ASCII)
REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?", re.ASCII)
SHORTEST, LONGEST = timedelta(seconds=30), timedelta(hours=3600)
EVENT_STATUSES = ("processed", "failed", "canceled", "expired", "refunded")
MODES = ("static", "dynamic", "hybrid")
MAX_ITEMS, MAX_DESCRIPTION = 10, 150
TOO_MUCH = 10**12

# A shape is a JSON type, "amount", "any", a dict of shapes, or a list holding the shape of its members.
Shape = type | str | dict[str, "Shape"] | list["Shape"]

ITEM: dict[str, Shape] = {
    "title": str,
    "unit_price": "amount",
    "quantity": int,
    "unit_measure": str,
    "external_code": str,
    "external_categories": "any",
}
ORDER: dict[str, Shape] = {
    "type": str,
    "total_amount": "amount",
    "description": str,
    "external_reference": str,
    "expiration_time": str,
    "config": {"qr": {"external_pos_id": str, "mode": str}},
    "transactions": {"payments": [{"amount": "amount"}]},
    "items": [ITEM],
    "discounts": "any",
    "marketplace_fee": "amount",
    "integration_data": "any",
}
REFUND: dict[str, Shape] = {"transactions": [{"id": str, "amount": "amount"}]}
REQUIRED = (
    "type",
    "total_amount",
    "external_reference",
    "config.qr.external_pos_id",
    "transactions.payments",
)


def parse(body: bytes) -> object:
    """Read JSON."""
    try:
        return json.loads(body, parse_constant=not_json)
    except ValueError:
        raise ApiError(400, "json_syntax_error", "The body is not valid JSON.") from None


def not_json(constant: str) -> object:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{constant} is not JSON")


def new_order(body: bytes, *, lenient_amounts: bool) -> NewOrder:
    """Read the body of an order request.

    Raises:
        ApiError: 400 with the code of the first kind of fault found and every place that has it.
    """
    wish = parse(body)
    if not isinstance(wish, dict):
        raise ApiError(400, "property_type", "The body must be an object.")
    refuse("unsupported_properties", "Unknown properties.", unknown(ORDER, wish))
    refuse("required_properties", "Missing properties.", missing_in_order(wish))
    refuse("property_type", "Wrong types.", wrong_types(ORDER, wish, lenient_amounts=lenient_amounts))
    return order_values(wish)


def event_status(body: bytes) -> str:
    """Read which status a simulated event asks for."""
    wish = parse(body)
    if not isinstance(wish, dict):
        raise ApiError(400, "property_type", "The body must be an object.")
    if wish.get("status") not in EVENT_STATUSES:
        raise bad_value(f"The status is one of {', '.join(EVENT_STATUSES)}.", "status")
    return str(wish["status"])


def refund_amount(body: bytes, payment_id: str) -> Decimal | None:
    """Read the body of a refund request: an amount, or None for a full refund."""
    if body.strip() in (b"", b"null", b"{}"):
        return None
    wish = parse(body)
    if not isinstance(wish, dict):
        raise ApiError(400, "property_type", "The body must be an object.")
    refuse("unsupported_properties", "Unknown properties.", unknown(REFUND, wish))
    refuse("required_properties", "Missing properties.", missing_in_refund(wish))
    refuse("property_type", "Wrong types.", wrong_types(REFUND, wish, lenient_amounts=False))
    if len(wish["transactions"]) != 1:
        raise bad_value("Exactly one transaction is refunded at a time.", "transactions")
    part = wish["transactions"][0]
    if part["id"] != payment_id:
        raise ApiError(404, "transaction_not_found", "The order has no such transaction.")
    amount = Decimal(part["amount"]).quantize(ZERO)
    if amount <= ZERO:
        raise bad_value("The amount must be greater than zero.", "transactions[0].amount")
    return amount


def refuse(code: str, message: str, places: Iterator[str]) -> None:
    """Refuse a body if any place in it is at fault."""
    if details := list(places):
        raise ApiError(400, code, message, details)


def unknown(shape: Shape, value: object, path: str = "") -> Iterator[str]:
    """Name the properties that a shape does not have."""
    if isinstance(shape, dict) and isinstance(value, dict):
        for name, member in value.items():
            here = f"{path}.{name}" if path else name
            if name in shape:
                yield from unknown(shape[name], member, here)
            else:
                yield here
    elif isinstance(shape, list) and isinstance(value, list):
        for index, member in enumerate(value):
            yield from unknown(shape[0], member, f"{path}[{index}]")


def wrong_types(shape: Shape, value: object, path: str = "", *, lenient_amounts: bool) -> Iterator[str]:
    """Name the places whose type is not that of the shape."""
    if isinstance(shape, dict) and isinstance(value, dict):
        for name, member in value.items():
            here = f"{path}.{name}" if path else name
            yield from wrong_types(shape[name], member, here, lenient_amounts=lenient_amounts)
    elif isinstance(shape, list) and isinstance(value, list):
        for index, member in enumerate(value):
            yield from wrong_types(shape[0], member, f"{path}[{index}]", lenient_amounts=lenient_amounts)
    elif shape == "amount":
        number = lenient_amounts and type(value) in (int, float) and 0 <= float(str(value)) < TOO_MUCH
        if not number and not (isinstance(value, str) and AMOUNT.fullmatch(value)):
            yield path
    elif shape != "any" and not (isinstance(shape, type) and type(value) is shape):
        yield path


def missing_in_order(wish: dict[str, object]) -> Iterator[str]:
    """Name the properties that an order needs and lacks."""
    for path in REQUIRED:
        value: object = wish
        for name in path.split("."):
            if not isinstance(value, dict):
                break  # a wrong type, reported as such
            if name not in value:
                yield path
                break
            value = value[name]
    transactions = wish.get("transactions")
    payments = transactions.get("payments") if isinstance(transactions, dict) else None
    yield from missing_in_list(payments, "transactions.payments", "amount")


def missing_in_refund(wish: dict[str, object]) -> Iterator[str]:
    """Name the properties that a refund needs and lacks."""
    if "transactions" not in wish:
        yield "transactions"
    yield from missing_in_list(wish.get("transactions"), "transactions", "id", "amount")


def missing_in_list(members: object, path: str, *names: str) -> Iterator[str]:
    """Name the properties that the members of a list need and lack."""
    for index, member in enumerate(members if isinstance(members, list) else []):
        if isinstance(member, dict):
            yield from (f"{path}[{index}].{name}" for name in names if name not in member)


def order_values(wish: dict[str, object]) -> NewOrder:
    """Check the values of a body whose types are known to be right."""
    if wish["type"] != "qr":
        raise bad_value("The type must be qr.", "type")
    reference = str(wish["external_reference"])
    if not REFERENCE.fullmatch(reference):
        raise bad_value("Use at most 64 letters, digits, hyphens and underscores.", "external_reference")
    description = str(wish.get("description", ""))
    if len(description) > MAX_DESCRIPTION:
        raise bad_value("Use at most 150 characters.", "description")
    total = amount_of(wish["total_amount"])
    if total <= ZERO:
        raise bad_value("The amount must be greater than zero.", "total_amount")
    payments = wish["transactions"]["payments"]  # type: ignore[index]  # its shape was checked
    if len(payments) != 1:
        raise bad_value("Exactly one payment is expected.", "transactions.payments")
    if amount_of(payments[0]["amount"]) != total:
        raise bad_value("The payment must equal the total.", "total_amount", "transactions.payments[0].amount")
    qr = wish["config"]["qr"]  # type: ignore[index]  # its shape was checked
    mode = qr.get("mode", "static")
    if mode not in MODES:
        raise bad_value("The mode must be static, dynamic or hybrid.", "config.qr.mode")
    duration = str(wish.get("expiration_time", "PT15M"))
    items = wish.get("items", [])
    if isinstance(items, list):
        check_items(items)
    return NewOrder(reference, description, total, duration, lifetime(duration), qr["external_pos_id"], mode)


def amount_of(value: object) -> Decimal:
    """Return an amount whose form was checked."""
    return Decimal(str(value)).quantize(ZERO)


def lifetime(duration: str) -> timedelta:
    """Read an ISO 8601 duration from PT30S to PT3600H."""
    match = DURATION.fullmatch(duration)
    if match is None or not any(match.groups()):
        raise bad_value("The duration must be ISO 8601, for example PT5M.", "expiration_time")
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    value = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not SHORTEST <= value <= LONGEST:
        raise bad_value("The duration must lie between PT30S and PT3600H.", "expiration_time")
    return value


def check_items(items: list[dict[str, object]]) -> None:
    """Refuse too many items or too long texts in them."""
    if len(items) > MAX_ITEMS:
        raise bad_value(f"At most {MAX_ITEMS} items are accepted.", "items")
    longest = {"title": 150, "unit_measure": 10, "external_code": 30}
    for index, item in enumerate(items):
        for name, limit in longest.items():
            if len(str(item.get(name, ""))) > limit:
                raise bad_value(f"Use at most {limit} characters.", f"items[{index}].{name}")

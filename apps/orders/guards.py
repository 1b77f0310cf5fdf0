"""How much a device or customer may order before anybody pays: goods held for orders nobody pays are missing in the shop."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from django.conf import settings

from apps.core.facade import Actor, Limit, LimitedError
from apps.orders.models import Order
from apps.orders.rules import CUSTOMER, Status

RETRY_AFTER_SECONDS = 30
MINUTE = 60

_at_counter: list[Callable[[Collection[UUID]], int]] = []


def tell_counter_apart(count: Callable[[Collection[UUID]], int]) -> None:
    """Set who knows how many of some payments wait for the counter; called once at start, by payments."""
    _at_counter[:] = [count]


def per_minute(by: Actor) -> Limit:
    """Return what bounds the new checkouts of a caller; a repeat with a known key is not one."""
    return Limit("checkout", by.principal, settings.LIMIT_CHECKOUT_PER_MINUTE, MINUTE)


def too_many_open() -> LimitedError:
    """Say that too many of a device's orders wait for money."""
    return LimitedError(RETRY_AFTER_SECONDS)


def most_open(by: Actor, *, at_counter: int) -> int | None:
    """Return how many orders may wait for money: a device's besides those on their way to the counter; None is no limit."""
    if by.kind == CUSTOMER:
        return int(settings.LIMIT_CUSTOMER_OPEN_UNPAID)
    return settings.LIMIT_OPEN_UNPAID + at_counter if by.kind == "device" else None


def open_at_counter(by: Actor, *, at: datetime) -> int:
    """Return how many of a device's open orders are on their way to the counter."""
    waiting = Order.objects.filter(
        status=Status.AWAITING_PAYMENT,
        expires_at__gt=at,
        placed_by_kind=by.kind,
        placed_by_id=by.id,
        payment_id__isnull=False,
    )
    asked = [payment for payment in waiting.values_list("payment_id", flat=True) if payment is not None]
    return sum(count(asked) for count in _at_counter)

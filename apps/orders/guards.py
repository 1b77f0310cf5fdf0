"""How much one device may order before anybody pays: goods held for orders that nobody pays are missing in the shop."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from django.conf import settings

from apps.core.facade import Actor, Limit, LimitedError, limits
from apps.orders.models import Order
from apps.orders.rules import Status

RETRY_AFTER_SECONDS = 30
MINUTE = 60

_at_counter: list[Callable[[Collection[UUID]], int]] = []


def tell_counter_apart(count: Callable[[Collection[UUID]], int]) -> None:
    """Set who knows how many of some payments wait for the counter; called once at start, by payments."""
    _at_counter[:] = [count]


def check_checkout(by: Actor, *, at: datetime) -> None:
    """Count one new checkout; a repeat with a known key is not one.

    Raises:
        LimitedError: too many this minute, or too many of this device's orders wait for money.
    """
    limits.hit([Limit("checkout", by.principal, settings.LIMIT_CHECKOUT_PER_MINUTE, MINUTE)], at=at)
    if by.kind == "device" and open_unpaid(by, at=at) >= settings.LIMIT_OPEN_UNPAID:
        raise LimitedError(RETRY_AFTER_SECONDS)


def open_unpaid(by: Actor, *, at: datetime) -> int:
    """Return how many of a device's orders wait for money, without those on their way to the counter."""
    waiting = Order.objects.filter(
        status=Status.AWAITING_PAYMENT, expires_at__gt=at, placed_by_kind=by.kind, placed_by_id=by.id
    )
    payments = list(waiting.values_list("payment_id", flat=True))
    if len(payments) < settings.LIMIT_OPEN_UNPAID:
        return len(payments)
    asked = [payment for payment in payments if payment is not None]
    return len(payments) - sum(count(asked) for count in _at_counter)

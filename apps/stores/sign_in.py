"""Guessing passwords: how many tries there are, over the API and at the door of the back office together."""

from datetime import datetime

from django.conf import settings

from apps.core.facade import Limit, LimitedError, limits
from apps.stores import sign_in_trail

AN_HOUR_SECONDS = 60 * 60
A_QUARTER_SECONDS = 15 * 60
TRIES_AN_ADDRESS = 20  # an hour


def count_try(*, email: str, address: str, at: datetime) -> None:
    """Count a try before its password is looked at, so that many at once are no more than that many.

    A stranger locks an account only for their own address, and nobody for longer than a quarter of an hour.

    Raises:
        LimitedError: too many of this account from this address, or of any from there; the trail hears of it.

    Locks: the two windows, for the time of the count.
    """
    try:
        limits.hit(_limits(email, address), at=at)
    except LimitedError:
        sign_in_trail.locked(email=email, at=at)
        raise


def forget_try(*, email: str, address: str, at: datetime) -> None:
    """Uncount a try that was no guess: its password was right.

    Locks: the two windows, for the time of the count.
    """
    limits.give_back(_limits(email, address), at=at)


def _limits(email: str, address: str) -> list[Limit]:
    whose = f"{email.strip().lower()} {address}"
    return [
        Limit("sign_in.account", whose, settings.LIMIT_SIGN_IN_PER_QUARTER_HOUR, A_QUARTER_SECONDS),
        Limit("sign_in.address", address, TRIES_AN_ADDRESS, AN_HOUR_SECONDS),
    ]

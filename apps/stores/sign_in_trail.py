"""What the audit trail says of signing in: who did, whose account somebody failed at, whose is locked for a while."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.core.facade import Actor, Limit, LimitedError, User, limits, trail

SOMEBODY = Actor(kind="staff", id=None, grants=frozenset())
AN_HOUR_SECONDS = 60 * 60
FAILURES_AN_HOUR = 20  # of one account; more of them say nothing new and would only fill the trail


def signed_in(*, user: Any, **_: Any) -> None:
    """Write down that a member of staff came in."""
    if user.is_staff:
        by = Actor(kind="staff", id=user.pk, grants=frozenset())
        with transaction.atomic():
            trail.record(by=by, action="stores.signed_in", at=timezone.now(), subject=user)


def sign_in_failed(*, credentials: dict[str, Any], **_: Any) -> None:
    """Write down that somebody did not come in, if there is such an account; what was typed is kept nowhere."""
    _write("stores.sign_in_failed", str(credentials.get("username") or ""), FAILURES_AN_HOUR, timezone.now())


def locked(*, email: str, at: datetime) -> None:
    """Write down, once an hour, that an account had too many tries."""
    _write("stores.sign_in_locked", email, 1, at)


def password_changed(*, user: Any, at: datetime) -> None:
    """Write down that a member of staff gave themselves another password, in the transaction of the change."""
    trail.record(
        by=Actor(kind="staff", id=user.pk, grants=frozenset()), action="stores.password_changed", at=at, subject=user
    )


def _write(action: str, email: str, most: int, at: datetime) -> None:
    account = User.objects.filter(email=email.strip().lower(), is_staff=True).first()
    if account is None:
        return
    try:
        limits.hit([Limit(action, str(account.pk), most, AN_HOUR_SECONDS)], at=at)
    except LimitedError:
        return
    with transaction.atomic():
        trail.record(by=SOMEBODY, action=action, at=at, subject=account)

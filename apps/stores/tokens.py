"""Signing in without a browser: short access tokens and refresh tokens that work once."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth import authenticate
from django.http import HttpRequest
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from apps.core.facade import Actor, DomainError
from apps.stores import queries, sign_in_trail


class SignInRefusedError(DomainError):
    """E-mail or password is wrong, or the account is closed or is nobody's; which of them is not said."""

    code = "not_authenticated"
    status = 401
    title = "Identificação necessária"


@dataclass(frozen=True, slots=True)
class Pair:
    """What a client keeps; only staff get a refresh token."""

    access: str
    refresh: str | None
    expires_in_seconds: int


Issue = Callable[[UUID], Pair | None]
_others: list[Issue] = []


def also_sign_in(issue: Issue) -> None:
    """Set who knows accounts that are not staff, and gives them their tokens; called once at start, by customers."""
    _others[:] = [issue]


def sign_in(request: HttpRequest, *, email: str, password: str) -> Pair:
    """Exchange e-mail and password for tokens, staff's when the account holds a role; a wrong guess costs as much as a right one.

    Raises:
        SignInRefusedError: nobody's account, or not its password.
    """
    user = authenticate(request, username=email.strip().lower(), password=password)
    if user is not None and queries.staff_actor(user.pk) is not None:
        sign_in_trail.signed_in(user=user)
        return _pair(RefreshToken.for_user(user))
    given = (issue(user.pk) for issue in _others) if user is not None else ()
    pair = next((pair for pair in given if pair is not None), None)
    if pair is None:
        raise SignInRefusedError("E-mail ou senha não conferem.")
    return pair


def renew(refresh: str) -> Pair:
    """Exchange a refresh token for a new pair; the old one never works again.

    Raises:
        SignInRefusedError: not a refresh token of ours, over, used before, or its account is closed.
    """
    try:
        token = RefreshToken(refresh)  # type: ignore[arg-type]  # it takes the text it is given to read
        token.blacklist()
    except TokenError:
        raise SignInRefusedError("Entre de novo.") from None
    user = queries.active_user(_subject(token))
    if user is None:
        raise SignInRefusedError("Entre de novo.")
    return _pair(RefreshToken.for_user(user))


def end_all(user_id: UUID) -> None:
    """Let no refresh token that an account was given work any more; its access tokens end by themselves, soon."""
    held = OutstandingToken.objects.filter(user_id=user_id, blacklistedtoken=None)
    BlacklistedToken.objects.bulk_create([BlacklistedToken(token=each) for each in held], ignore_conflicts=True)


def bearer(access: str) -> Actor | None:
    """Return the member of staff an access token speaks for, with the roles they hold now; None when it does not hold."""
    try:
        token = AccessToken(access)  # type: ignore[arg-type]  # it takes the text it is given to read
    except TokenError:
        return None
    user = queries.active_user(_subject(token))
    return queries.staff_actor(user.pk) if user else None


def _subject(token: Token) -> UUID | None:
    try:
        return UUID(str(token["sub"]))
    except (KeyError, ValueError):
        return None


def _pair(refresh: RefreshToken) -> Pair:
    access = refresh.access_token
    return Pair(access=str(access), refresh=str(refresh), expires_in_seconds=int(access.lifetime.total_seconds()))

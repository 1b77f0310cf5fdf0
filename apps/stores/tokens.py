"""Signing in without a browser: short access tokens and refresh tokens that work once."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth import authenticate
from django.http import HttpRequest
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from apps.core.facade import Actor, DomainError
from apps.stores import queries, sign_in_trail


class SignInRefusedError(DomainError):
    """E-mail or password is wrong, or the account is closed or holds no role; which of them is not said."""

    code = "not_authenticated"
    status = 401
    title = "Identificação necessária"


@dataclass(frozen=True, slots=True)
class Pair:
    """What a client keeps."""

    access: str
    refresh: str
    expires_in_seconds: int


def sign_in(request: HttpRequest, *, email: str, password: str) -> Pair:
    """Exchange e-mail and password of a member of staff for tokens; a wrong guess costs as much as a right one.

    Raises:
        SignInRefusedError: not a member of staff with this password.
    """
    user = authenticate(request, username=email.strip().lower(), password=password)
    if user is None or queries.staff_actor(user.pk) is None:
        raise SignInRefusedError("E-mail ou senha não conferem.")
    sign_in_trail.signed_in(user=user)
    return _pair(RefreshToken.for_user(user))


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

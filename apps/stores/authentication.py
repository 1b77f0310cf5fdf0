"""Who calls: a paired device, a signed-in member of staff, or another system with its key."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from apps.core.facade import Actor, Role
from apps.stores import queries, tokens
from apps.stores.services import KEY_PREFIX

COOKIE = "bm_device"
SCHEME = "Device"
BEARER = "Bearer"
KIND_HEADER = "X-Device-Kind"
STAFF_PAGE = "staff"
BETWEEN_TOKENS = "."


class _Csrf(CsrfViewMiddleware):
    """Tells the reason instead of answering."""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def enforce_csrf(request: HttpRequest) -> None:
    """Refuse a write that a cookie alone would allow.

    Raises:
        PermissionDenied: the CSRF token is missing or wrong.
    """
    check = _Csrf(lambda _: None)  # type: ignore[arg-type]  # nothing comes after it
    check.process_request(request)
    reason = check.process_view(request, enforce_csrf, (), {})  # type: ignore[arg-type]  # not exempt, so never called
    if reason:
        raise PermissionDenied("Recarregue a página e tente de novo.")


def device_from_cookie(request: HttpRequest, kind: str) -> Actor | None:
    """Return the device of one kind that this browser is paired as.

    One browser may be paired as several kinds (a board and a panel on the same PC): the cookie then holds one token of
    each, and the page says which one it speaks for.
    """
    for token in request.COOKIES.get(COOKIE, "").split(BETWEEN_TOKENS)[: len(Role)]:
        actor = queries.device_actor(token) if token else None
        if actor is not None and (not kind or actor.has_any(frozenset({Role(kind)}))):
            return actor
    return None


def device_from_header(request: HttpRequest) -> Actor | None:
    """Return the device named by ``Authorization: Device <token>``, or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return queries.device_actor(token.strip()) if scheme == SCHEME and token.strip() else None


def actor_of(request: Request) -> Actor | None:
    """Return who calls, or None for somebody without a credential."""
    caller: object = request.user
    return caller if isinstance(caller, Actor) else None


def caller(request: Request) -> Actor:
    """Return who calls a view that has let them in.

    Raises:
        NotAuthenticated: the view lets strangers in and has to do without.
    """
    actor = actor_of(request)
    if actor is None:
        raise NotAuthenticated
    return actor


def asked_kind(request: HttpRequest) -> str:
    """Return the kind of device a page says it speaks for, or an empty string."""
    kind = request.headers.get(KIND_HEADER, "")
    return kind if kind in (Role.KIOSK, Role.BOARD, Role.PANEL) else ""


class DeviceAuthentication(BaseAuthentication):
    """``Authorization: Device <token>``, or the cookie with a CSRF header on writes."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        """Return the device, or None to let the next credential try."""
        if request.headers.get("Authorization", "").startswith(f"{SCHEME} "):
            actor = device_from_header(request._request)  # noqa: SLF001 - DRF offers no public name
            if actor is None:
                raise AuthenticationFailed("Este dispositivo não está pareado.")
            return actor, None
        if request.headers.get(KIND_HEADER, "") == STAFF_PAGE:
            return None  # a page for staff, in a browser that may be paired as a screen too
        actor = device_from_cookie(request._request, asked_kind(request._request))  # noqa: SLF001
        if actor is None:
            return None
        enforce_csrf(request._request)  # noqa: SLF001
        return actor, None

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme in a 401."""
        return SCHEME


class IntegratorAuthentication(BaseAuthentication):
    """``Authorization: Bearer bmk_<key>`` of another system."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        """Return the system, or None to let the next credential try."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != BEARER or not key.strip().startswith(KEY_PREFIX):
            return None
        actor = queries.integrator_actor(key.strip(), timezone.now())
        if actor is None:
            raise AuthenticationFailed("Esta chave não vale mais.")
        return actor, None


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <access token>`` of a member of staff."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        """Return the person, or None to let the next credential try."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != BEARER:
            return None
        actor = tokens.bearer(token.strip())
        if actor is None:
            raise AuthenticationFailed("Este acesso não vale mais; entre de novo.")
        return actor, None


def staff_signed_in(request: HttpRequest) -> Actor | None:
    """Return the person whose session this is, with their roles, or None; reads the session where no middleware has."""
    if not hasattr(request, "session"):
        engine = import_module(settings.SESSION_ENGINE)
        request.session = engine.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    user = get_user(request)
    return queries.staff_actor(user.pk) if user.is_authenticated and user.is_active else None


class StaffSessionAuthentication(BaseAuthentication):
    """The session of somebody signed in to the back office who holds a role, with a CSRF header on writes."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        """Return the person, or None when nobody is signed in."""
        user = request._request.user  # noqa: SLF001
        if not user.is_authenticated or not user.is_active:
            return None
        actor = queries.staff_actor(user.pk)
        if actor is None:
            return None
        enforce_csrf(request._request)  # noqa: SLF001
        return actor, None

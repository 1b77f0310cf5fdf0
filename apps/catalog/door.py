"""The menu's door: a menu in memory is answered before sessions, policies and routes, which cost more than the answer.

Whatever is out of the ordinary goes the long way, through all middleware to ``api.MenuView``, and is answered the same there.
"""

import re
from collections.abc import Callable
from uuid import UUID

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch
from django.utils import timezone

from apps.catalog.askers import askers, credential_of
from apps.catalog.finished import Finished, language_of, shelf
from apps.core.facade import Buckets, limits

ROUTE = "api/v1/menu"
PATH = f"/{ROUTE}"
STRANGERS_SHARE = 5
LONGEST_QUERY = 128  # room for a store and a language
NO_GZIP = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")
UNUSUAL = ("HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING")
CSRF_COOKIE = re.compile(r"[a-zA-Z0-9]{32}|[a-zA-Z0-9]{64}")

buckets = Buckets()


class MenuMiddleware:
    """Answers a plain ``GET`` of a menu that memory holds and passes everything else on.

    It stands inside the middleware that numbers and logs requests and outside all others. What those refuse it passes on; the
    headers they add are taken from them once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.headers = {secure: _policies(secure=secure) for secure in (False, True)}
        self.match = ResolverMatch(answer, (), {}, route=ROUTE)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or pass on."""
        if not request.path_info.startswith(PATH) or not _is_plain(request):
            return self.get_response(request)
        credential = credential_of(request)
        known = at_hand(request, credential)
        if known is None or wait_seconds(request, credential):
            return self.get_response(request)
        request.resolver_match = self.match
        response = answer(request, *known)
        response["Content-Length"] = str(len(response.content))
        for name, value in self.headers[request.is_secure()]:
            response[name] = value
        return response


def wait_seconds(request: HttpRequest, credential: bytes) -> int:
    """Count one call for its device if we know it already, else for its address; return 0, or how long to wait uncounted."""
    if askers.has_seen(credential):
        return buckets.wait_seconds(credential.hex(), settings.LIMIT_MENU_PER_MINUTE)
    return buckets.wait_seconds(limits.client_address(request), settings.LIMIT_MENU_PER_MINUTE // STRANGERS_SHARE)


def at_hand(request: HttpRequest, credential: bytes) -> tuple[Finished, bool] | None:
    """Return the menu asked for if this process may tell it without asking anybody, and whether it is stale."""
    accept = request.META.get("HTTP_ACCEPT", "*/*")
    if "*/*" not in accept and "application/json" not in accept:
        return None
    asked = request.GET.get("store")
    try:
        store_id = UUID(asked) if asked is not None else askers.store_of(credential)
    except ValueError:
        return None
    return shelf.at_hand(store_id, language_of(request.GET.get("lang", "")), timezone.now()) if store_id else None


def answer(request: HttpRequest, menu: Finished, stale: bool) -> HttpResponse:  # noqa: FBT001 - as the shelf says it
    """Say a menu, packed for who takes that, or that the caller has it already."""
    told = request.META.get("HTTP_IF_NONE_MATCH", "")
    known = {tag.strip().removeprefix("W/") for tag in told.split(",")} if told else ()
    accepted = request.META.get("HTTP_ACCEPT_ENCODING", "")
    if menu.etag in known or "*" in known:
        response = HttpResponse(status=304)
    elif "gzip" in accepted and not NO_GZIP.search(accepted):
        response = HttpResponse(menu.gzipped, content_type="application/json", headers={"Content-Encoding": "gzip"})
    else:
        response = HttpResponse(menu.plain, content_type="application/json")
    response["ETag"] = menu.etag
    response["Vary"] = "Accept-Encoding, Authorization, Cookie"
    response["Cache-Control"] = "no-cache"
    if stale:
        response["X-Menu-Stale"] = "1"
    return response


def _is_plain(request: HttpRequest) -> bool:
    """Tell whether no middleware could have anything to say about a request."""
    meta = request.META
    query = meta.get("QUERY_STRING", "")
    if (
        request.method != "GET"
        or request.path_info.rstrip("/") != PATH
        or (query and (len(query) > LONGEST_QUERY or query.count("&") > 1 or "%00" in query or "\0" in query))
        or meta.get("CONTENT_LENGTH") not in (None, "", "0")
        or ";" in meta.get("CONTENT_TYPE", "")
        or any(name in meta for name in UNUSUAL)
        or not _cookies_stay(request)
        or (settings.SECURE_SSL_REDIRECT and not request.is_secure())
    ):
        return False
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _cookies_stay(request: HttpRequest) -> bool:
    """Tell whether no middleware would take away or replace a cookie: a session's that is over, a token that is none."""
    if "HTTP_COOKIE" not in request.META:
        return True
    token = request.COOKIES.get(settings.CSRF_COOKIE_NAME)
    return settings.SESSION_COOKIE_NAME not in request.COOKIES and (
        token is None or CSRF_COOKIE.fullmatch(token) is not None
    )


def _policies(*, secure: bool) -> tuple[tuple[str, str], ...]:
    """Return the headers that the middleware passed by would add to any answer of the API."""
    request, response = HttpRequest(), HttpResponse()
    request.path = request.path_info = PATH
    request.is_secure = lambda: secure  # type: ignore[method-assign]
    before = dict(response.items())
    for policy in (SecurityMiddleware, CSPMiddleware, XFrameOptionsMiddleware):
        chain = policy(lambda _: response)
        chain.process_response(request, response)
    return tuple((name, value) for name, value in response.items() if name not in before)

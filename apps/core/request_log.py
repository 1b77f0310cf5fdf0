"""One line in the log, and one count in the metrics, for every request."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.actors import Actor
from apps.core.metrics import count_request

logger = logging.getLogger("breadmate.requests")

UNMATCHED = "-"
STATIC = "static"

Sync = Callable[[HttpRequest], HttpResponseBase]
Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class RequestLogMiddleware:
    """Tells what was asked, by whom and how it went: the route's pattern, never its path, query or body.

    A live stream is counted when it begins.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Sync | Async) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Pass the request on and tell of it."""
        if self.is_async:
            return self._call_async(request)
        begun = time.perf_counter()
        response = cast("Sync", self.get_response)(request)
        tell(request, response, time.perf_counter() - begun)
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        begun = time.perf_counter()
        response = await cast("Async", self.get_response)(request)
        tell(request, response, time.perf_counter() - begun)
        return response


def tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Log and count one answered request; one refused for want of time is only counted."""
    route = route_of(request)
    count_request(method=request.method or "", route=route, status=response.status_code, seconds=seconds)
    if getattr(response, "refused_unread", False):
        return
    told = {
        "method": request.method,
        "route": route,
        "status": response.status_code,
        "milliseconds": round(seconds * 1000, 1),
        **_caller(request),
    }
    logger.info("%s %s %s %.1f ms", request.method, route, response.status_code, seconds * 1000, extra={"fields": told})


def route_of(request: HttpRequest) -> str:
    """Return the pattern that matched; static files share one name, as do all paths we do not know."""
    if request.resolver_match is not None:
        return request.resolver_match.route
    return STATIC if request.path_info.startswith(settings.STATIC_URL) else UNMATCHED


def _caller(request: HttpRequest) -> dict[str, Any]:
    """Return store and kind of the caller if a view has asked for them; asking here would cost a query."""
    user: object = request.__dict__.get("user")
    if type(user) is not Actor:  # not isinstance: that would wake a lazy user
        return {}
    store = user.only_store()
    return {"principal": user.kind, "store": str(store) if store else None}

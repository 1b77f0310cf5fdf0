"""Middleware that every request passes."""

from collections.abc import Awaitable, Callable
from typing import ClassVar, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware

from apps.core import request_ids

Sync = Callable[[HttpRequest], HttpResponseBase]
Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class RequestIdMiddleware:
    """Answers every request with its ``X-Request-ID``; works in the web and in the stream process."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Sync | Async) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Pass the request on."""
        if self.is_async:
            return self._call_async(request)
        request_id = request_ids.take(request.META.get("HTTP_X_REQUEST_ID"))
        response = cast("Sync", self.get_response)(request)
        response["X-Request-ID"] = request_id
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        request_id = request_ids.take(request.META.get("HTTP_X_REQUEST_ID"))
        response = await cast("Async", self.get_response)(request)
        response["X-Request-ID"] = request_id
        return response


class ApiPathMiddleware:
    """Lets every API path answer with and without a trailing slash, without a redirect."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Drop the slash before the URL is resolved."""
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
        return self.get_response(request)


class PageMessageMiddleware(MessageMiddleware):
    """Keeps messages for the next page; after an API call there is none."""

    def process_request(self, request: HttpRequest) -> None:
        """Give pages their messages."""
        if not request.path_info.startswith("/api/"):
            super().process_request(request)


class StreamSecurityMiddleware(SecurityMiddleware):
    """Django's own for the stream process, without a thread for its two looks at headers."""

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        redirect = self.process_request(request)
        if redirect is not None:
            return redirect
        response = await cast("Async", self.get_response)(request)
        return self.process_response(request, cast("HttpResponse", response))


class AdminContentSecurityMiddleware:
    """Loosens the content security policy below ``/admin/`` only: the theme's Alpine evaluates text and styles inline.

    It stands right inside ``CSPMiddleware``, which writes the header.
    """

    LOOSER: ClassVar[dict[str, list[str]]] = {
        "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
        "style-src": [SELF, UNSAFE_INLINE],
    }

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Mark the response for the policy's writer."""
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_update = self.LOOSER  # type: ignore[attr-defined]  # noqa: SLF001 - what csp_update sets
        return response

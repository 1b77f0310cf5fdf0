"""What a web process refuses when more is asked of it than it can do: the cheapest to lose first, always with Retry-After.

A process has a fixed number of threads, and whoever finds none free waits. How long a request has waited says how far the
process is behind; each kind of request has its own share of ``LIMIT_WAITING_SECONDS`` (docs/reliability.md).
"""

import functools
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from prometheus_client import Counter

from apps.core.errors import OverloadedError
from apps.core.problems import from_domain, wants_problem
from breadmate.postgres.patience import OF_A_GUEST_SECONDS, OF_A_PROGRAM_SECONDS, patience
from breadmate.waiting import SPARE, Kind, is_refused, kind_of, wait

_refused = Counter("breadmate_requests_shed", "Requests refused because too many waited.", ["kind"])

AGAIN_SECONDS = {Kind.SPARE: 15, Kind.READ: 5, Kind.QUOTE: 3, Kind.WORK: 2}


class SheddingMiddleware:
    """Refuses what has waited too long, and says how long the rest waits for the database.

    It stands inside what numbers and logs requests and behind the menu's door, which costs less than a refusal.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse, or pass on."""
        kind = kind_of(request.method or "", request.path_info)
        if kind is not None and is_refused(kind, wait.get(), longest_seconds=settings.LIMIT_WAITING_SECONDS):
            count(kind)
            return refusal(request, kind)
        patience.set(OF_A_PROGRAM_SECONDS if request.path_info.startswith(SPARE) else OF_A_GUEST_SECONDS)
        return self.get_response(request)


def count(kind: Kind) -> None:
    """Count one refusal."""
    _refused.labels(kind.name.lower()).inc()


def refusal(request: HttpRequest, kind: Kind) -> HttpResponse:
    """Say that there is too much to do, and when to come again: the less it is worth, the later."""
    response = _problem() if wants_problem(request) else HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = str(AGAIN_SECONDS[kind])
    response["Cache-Control"] = "no-store"
    response.refused_unread = True  # type: ignore[attr-defined]  # its line in the log would cost more than the refusal
    return response


@functools.cache
def refusal_unread(kind: Kind) -> bytes:
    """Return what the server says to a call of the API that it has not read: the same problem, finished, without a date."""
    body = _problem()
    head = {
        "Server": "BreadMate",
        "Connection": "keep-alive",
        "Content-Type": body["Content-Type"],
        "Content-Length": str(len(body.content)),
        "Retry-After": str(AGAIN_SECONDS[kind]),
        "Cache-Control": "no-store",
    }
    status = HTTPStatus.SERVICE_UNAVAILABLE
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body.content


def _problem() -> HttpResponse:
    return from_domain(OverloadedError("Há muitos pedidos agora; tente de novo em instantes."))

"""What a web process refuses when more is asked of it than it can do: the cheapest to lose first, always with Retry-After.

A process has a fixed number of threads, and whoever finds none free waits. How long a request has waited says how far the
process is behind; each kind of request has its own share of ``LIMIT_WAITING_SECONDS`` (docs/reliability.md).
"""

import enum
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from prometheus_client import Counter

from apps.core.errors import OverloadedError
from apps.core.problems import from_domain, wants_problem
from breadmate.postgres.patience import OF_A_GUEST_SECONDS, OF_A_PROGRAM_SECONDS, patience
from breadmate.waiting import Wait, wait

API = "/api/v1/"
READING = ("GET", "HEAD", "OPTIONS")
ALWAYS = ("/health", "/static/", "/favicon")
SPARE = ("/admin", f"{API}schema", f"{API}docs", f"{API}users/me/export", f"{API}inventory")
ASKED_BEFORE_BUYING = (f"{API}orders/quote", f"{API}users", f"{API}auth", f"{API}devices/pair", "/demo/")

_refused = Counter("breadmate_requests_shed", "Requests refused because too many waited.", ["kind"])


class Kind(enum.Enum):
    """What a request is worth, and which share of the longest wait it may have had. Declared from first to last refused."""

    SPARE = 0.25  # reports, exports, the back office's pages
    READ = 0.5  # polls, pages, menus that memory does not hold
    QUOTE = 0.75  # what comes before an order
    WORK = 1.0  # orders, payments, notifications of payments, the kitchen's and the counter's taps


AGAIN_SECONDS = {Kind.SPARE: 15, Kind.READ: 5, Kind.QUOTE: 3, Kind.WORK: 2}


def kind_of(method: str, path: str) -> Kind | None:
    """Tell what a request is worth; None for what is always answered."""
    if path.startswith(ALWAYS):
        return None
    if method in READING:
        return Kind.SPARE if path.startswith(SPARE) else Kind.READ
    return Kind.QUOTE if path.startswith(ASKED_BEFORE_BUYING) else Kind.WORK


def is_refused(kind: Kind, wait: Wait, *, longest_seconds: float) -> bool:
    """Decide on one request.

    A wait alone says nothing: a machine that stood still for a moment has kept few waiting. Only while more wait than there
    are threads is the process behind.
    """
    return wait.behind >= wait.threads and wait.seconds > kind.value * longest_seconds


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
            _refused.labels(kind.name.lower()).inc()
            return refusal(request, kind)
        patience.set(OF_A_PROGRAM_SECONDS if request.path_info.startswith(SPARE) else OF_A_GUEST_SECONDS)
        return self.get_response(request)


def refusal(request: HttpRequest, kind: Kind) -> HttpResponse:
    """Say that there is too much to do, and when to come again: the less it is worth, the later."""
    if wants_problem(request):
        response = from_domain(OverloadedError("Há muitos pedidos agora; tente de novo em instantes."))
    else:
        response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = str(AGAIN_SECONDS[kind])
    response["Cache-Control"] = "no-store"
    response.refused_unread = True  # type: ignore[attr-defined]  # its line in the log would cost more than the refusal
    return response

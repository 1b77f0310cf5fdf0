"""The webhook's door: answered before sessions, policies and routes, because the provider sends in bursts and waits."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch
from prometheus_client import Counter

from apps.core.facade import Buckets, DomainError, from_domain, limits, problem, read_body
from apps.payments import accounts, inbox, notifications
from apps.payments.errors import BadSignatureError
from apps.payments.signatures import Verdict, verify

logger = logging.getLogger(__name__)

ROUTE = "api/v1/payments/webhook"
UNKNOWN_OF_AN_ADDRESS, UNKNOWN_OF_ALL = 60, 300
"""Notifications a minute, in one process, that name nothing of ours and are kept all the same."""
EVERYBODY = ""

_counted = Counter("mp_webhooks", "Notifications of Mercado Pago.", ["topic", "signature", "outcome"])
_strangers = Buckets()


class WebhookMiddleware:
    """Answers the webhook's path and passes everything else on.

    It stands inside the middleware that numbers and logs requests and outside all others: none of them has anything to do for
    a caller without a session, a page or a form.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or pass on."""
        if request.path_info.strip("/") != ROUTE:
            return self.get_response(request)
        request.resolver_match = ResolverMatch(answer, (), {}, route=ROUTE)
        response = answer(request)
        response["X-Content-Type-Options"] = "nosniff"
        return response


def answer(request: HttpRequest) -> HttpResponse:
    """Keep what the provider sent and say 200; a database that is away says 503, so that it is sent again.

    Only ``enforce`` refuses: 401 for what no secret of ours has signed, and nothing of it is kept.
    """
    if request.method != "POST":
        response = problem(status=405)
        response["Allow"] = "POST"
        return response
    try:
        read_body(request)
    except DomainError as refusal:
        return from_domain(refusal)
    body, headers = request.body, dict(request.headers)
    told = notifications.read(query=request.META.get("QUERY_STRING", ""), body=body)
    try:
        verdict = verify(
            header=headers.get("X-Signature", ""),
            data_id=told.signed_id,
            request_id=headers.get("X-Request-Id", ""),
            secrets=accounts.remembered_secrets(),
        )
        if settings.MP_WEBHOOK_SIGNATURE == "enforce" and verdict != Verdict.VALID:
            _count(told.kind, verdict, "refused")
            return from_domain(BadSignatureError())
        address = limits.client_address(request)
        outcome = inbox.receive(
            told=told, verdict=verdict, headers=headers, body=body, has_room=lambda: _has_room(address)
        )
    except (InterfaceError, OperationalError):
        logger.exception("webhook not stored")
        _counted.labels(told.kind, "unchecked", "not_stored").inc()
        response = problem(status=503, code="database_unavailable")
        response["Retry-After"] = "30"
        return response
    if verdict != Verdict.VALID and outcome in inbox.STRANGE:
        _take_room(address)
    _count(told.kind, verdict, outcome)
    return HttpResponse(b"{}", content_type="application/json")


def _has_room(address: str) -> bool:
    """Tell whether one more notification that names nothing of ours may be kept. The provider is not told of it."""
    of_all = _strangers.wait_seconds(EVERYBODY, UNKNOWN_OF_ALL, calls=0)
    return not of_all and not _strangers.wait_seconds(address, UNKNOWN_OF_AN_ADDRESS, calls=0)


def _take_room(address: str) -> None:
    _strangers.wait_seconds(EVERYBODY, UNKNOWN_OF_ALL)
    _strangers.wait_seconds(address, UNKNOWN_OF_AN_ADDRESS)


def _count(topic: str, verdict: Verdict, outcome: str) -> None:
    _counted.labels(topic, verdict, outcome).inc()

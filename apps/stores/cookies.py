"""The cookie that keeps a browser paired."""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.stores import queries
from apps.stores.authentication import BETWEEN_TOKENS, COOKIE

A_YEAR_SECONDS = 365 * 24 * 60 * 60


def remember(request: HttpRequest, response: HttpResponseBase, *, kind: str, token: str) -> None:
    """Add a token to the browser's cookie in place of its earlier one of the same kind; dead tokens are dropped."""
    kept = [token]
    for other in request.COOKIES.get(COOKIE, "").split(BETWEEN_TOKENS)[:8]:
        actor = queries.device_actor(other) if other else None
        if actor is not None and kind not in {grant.role for grant in actor.grants}:
            kept.append(other)
    response.set_cookie(
        COOKIE,
        BETWEEN_TOKENS.join(kept),
        max_age=A_YEAR_SECONDS,
        httponly=True,
        samesite="Strict",
        secure=settings.SECURE,
    )

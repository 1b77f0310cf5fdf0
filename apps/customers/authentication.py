"""Who calls: a customer who has signed in."""

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.core.facade import Actor
from apps.customers import tokens

SCHEME = "Bearer"


def customer_from_header(request: HttpRequest) -> Actor | None:
    """Return the customer named by ``Authorization: Bearer <token>``, or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return tokens.bearer(token.strip()) if scheme == SCHEME else None


class CustomerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>`` of a customer; any other is left to the staff's, which refuses what it does not know."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        """Return the customer, or None to let the next credential try."""
        actor = customer_from_header(request._request)  # noqa: SLF001 - DRF offers no public name
        return (actor, None) if actor else None

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme in a 401."""
        return SCHEME

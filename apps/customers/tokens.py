"""A customer's access token: a day long, without a refresh, and of a type that never passes for a member of staff's."""

from datetime import timedelta
from uuid import UUID

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token

from apps.core.facade import Actor, Grant, Role
from apps.customers import queries
from apps.stores.facade import Pair


class CustomerToken(Token):
    """Names a customer by id and says nothing else about them."""

    token_type = "customer"  # noqa: S105 - the claim `typ`
    lifetime = timedelta(hours=24)


def issue_for(user_id: UUID) -> Pair | None:
    """Return a token for the customer whose login an account is; None when it is nobody's. One query."""
    customer_id = queries.customer_of_account(user_id)
    if customer_id is None:
        return None
    token = CustomerToken()
    token["sub"] = str(customer_id)
    return Pair(access=str(token), refresh=None, expires_in_seconds=int(token.lifetime.total_seconds()))


def bearer(access: str) -> Actor | None:
    """Return the customer a token speaks for, at every store; None when it does not hold, or they are gone. One query."""
    try:
        customer_id = UUID(str(CustomerToken(access)["sub"]))  # type: ignore[arg-type]  # it takes the text it is given to read
    except (TokenError, KeyError, ValueError):
        return None
    if not queries.may_sign_in(customer_id):
        return None
    return Actor(kind="customer", id=customer_id, grants=frozenset({Grant(Role.CUSTOMER, None)}))

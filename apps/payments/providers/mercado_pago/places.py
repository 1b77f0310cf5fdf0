"""Stores and points of sale at Mercado Pago, of which the SDK knows nothing: looked up first, made once."""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from apps.payments.accounts import Account
from apps.payments.errors import ProviderUnavailableError
from apps.payments.providers.mercado_pago.calls import call_patiently
from apps.payments.providers.mercado_pago.client import OFFICIAL_URL

GASTRONOMY = 5611203
LONGEST_POS_NAME = 44


@dataclass(frozen=True, slots=True)
class Location:
    """Where a store really is; Mercado Pago takes its taxes from here."""

    street_name: str
    street_number: str
    city_name: str
    state_name: str
    latitude: float
    longitude: float


def seller(account: Account) -> dict[str, Any]:
    """Return whose account it is: ``id``, ``site_id``, ``nickname``; errors as ``calls.call``."""
    return _document(call_patiently(account, "seller", lambda sdk, options: sdk.user().get(options)))


def find_store(account: Account, *, seller_id: str, external_id: str) -> str | None:
    """Return the number of the store with our id, or None."""
    return _number(_get(account, f"/users/{seller_id}/stores/search", external_id))


def find_pos(account: Account, *, external_id: str) -> str | None:
    """Return the number of the point of sale with our id, or None."""
    return _number(_get(account, "/pos", external_id))


def create_store(account: Account, *, seller_id: str, external_id: str, name: str, location: Location) -> str:
    """Register a store and return its number; errors as ``calls.call``."""
    wish = {"name": name, "external_id": external_id, "location": asdict(location)}
    return str(_post(account, f"/users/{seller_id}/stores", wish)["id"])


def create_pos(account: Account, *, store_number: str, external_store_id: str, external_id: str, name: str) -> str:
    """Register a point of sale of a store and return its number; errors as ``calls.call``."""
    wish = {
        "name": name[:LONGEST_POS_NAME],
        "fixed_amount": True,
        "category": GASTRONOMY,
        "store_id": int(store_number),
        "external_store_id": external_store_id,
        "external_id": external_id,
    }
    return str(_post(account, "/pos", wish)["id"])


def _get(account: Account, path: str, external_id: str) -> dict[str, Any]:
    url = f"{OFFICIAL_URL}{path}?{urlencode({'external_id': external_id})}"
    return _document(
        call_patiently(
            account, "places", lambda sdk, options: sdk.http_client.get(url=url, headers=options.get_headers())
        )
    )


def _post(account: Account, path: str, wish: dict[str, Any]) -> dict[str, Any]:
    body, json_type = orjson.dumps(wish), {"Content-type": "application/json"}
    answer = call_patiently(
        account,
        "places",
        lambda sdk, options: sdk.http_client.post(
            url=f"{OFFICIAL_URL}{path}", headers=options.get_headers() | json_type, data=body
        ),
    )
    if not _document(answer).get("id"):
        raise ProviderUnavailableError("unreadable answer: no id")
    return _document(answer)


def _number(found: dict[str, Any]) -> str | None:
    results = found.get("results")
    first = results[0] if isinstance(results, list) and results else None
    return str(first["id"]) if isinstance(first, dict) and first.get("id") else None


def _document(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise ProviderUnavailableError("unreadable answer: not an object")
    return answer

"""Stores and points of sale, as a seller registers them once."""

import re
from collections.abc import Iterable

from ops.mpsim.clock import stamp
from ops.mpsim.errors import ApiError
from ops.mpsim.simulator import Place, Simulator
from ops.mpsim.validation import parse
from ops.mpsim.wire import Json

MAX_STORE_ID, MAX_POS_ID, MAX_POS_NAME = 60, 39, 44
STORE_FIELDS = {"name", "external_id", "business_hours", "location"}
POS_FIELDS = {"name", "external_id", "store_id", "external_store_id", "fixed_amount", "category", "url"}


def object_of(body: bytes, allowed: set[str]) -> Json:
    """Read a JSON object that has only known fields."""
    wish = parse(body)
    if not isinstance(wish, dict):
        raise ApiError(400, "bad_request", "The body must be an object.")
    if strange := sorted(wish.keys() - allowed):
        raise ApiError(400, "UNKNOWN_FIELD", "Unknown fields.", strange)
    return wish


def text(value: object) -> str:
    """Return a value if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def create_store(sim: Simulator, user_id: int, body: bytes) -> Json:
    """Register a seller's store."""
    wish = object_of(body, STORE_FIELDS)
    external_id = text(wish.get("external_id"))
    if not text(wish.get("name")).strip():
        raise ApiError(400, "INVALID_NAME", "A store needs a name.")
    if not 0 < len(external_id) <= MAX_STORE_ID or (user_id, external_id) in sim.stores:
        raise ApiError(400, "INVALID_EXTERNAL_ID", "The external id is missing, too long or taken.")
    if not isinstance(wish.get("business_hours", {}), dict):
        raise ApiError(400, "INVALID_BUSINESS_HOURS", "Business hours are an object of week days.")
    location = wish.get("location")
    if not isinstance(location, dict):
        raise ApiError(400, "INVALID_LOCATION", "A store needs a location.")
    for name, code in (("city_name", "INVALID_CITY_NAME"), ("state_name", "INVALID_STATE_NAME")):
        if not text(location.get(name)):
            raise ApiError(400, code, f"The location needs a {name}.")
    street = f"{location.get('street_name', '')} {location.get('street_number', '')}".strip()
    place: Place = {
        "id": 1234567 + len(sim.stores),
        "name": wish["name"],
        "external_id": external_id,
        "date_created": stamp(sim.clock.now()),
        "location": {
            "address_line": f"{street}, {location['city_name']}, {location['state_name']}, Brasil",
            "latitude": location.get("latitude"),
            "longitude": location.get("longitude"),
            "reference": location.get("reference", ""),
        },
    }
    sim.stores[user_id, external_id] = place
    return place


def create_pos(sim: Simulator, user_id: int, body: bytes) -> Json:
    """Register a point of sale of a store."""
    wish = object_of(body, POS_FIELDS)
    external_id = text(wish.get("external_id"))
    if len(external_id) > MAX_POS_ID:
        raise ApiError(400, "EXTERNAL_ID_TOO_LONG", "The external id has less than 40 characters.")
    if not re.fullmatch(r"[A-Za-z0-9]+", external_id):
        raise ApiError(400, "INVALID_EXTERNAL_ID", "The external id has only letters and digits.")
    if not 0 < len(text(wish.get("name"))) <= MAX_POS_NAME:
        raise ApiError(400, "INVALID_NAME", "The name has 1 to 44 characters.")
    store = sim.stores.get((user_id, text(wish.get("external_store_id"))))
    if store is None or wish.get("store_id", store["id"]) != store["id"]:
        raise ApiError(400, "EXTERNAL_STORE_ID_NOT_MATCH", "No store has this external id.")
    if (user_id, external_id) in sim.pos:
        raise ApiError(409, "point_of_sale_exists", "The external id is taken.")
    number = 2711382 + len(sim.pos)
    image = f"https://www.mercadopago.com/instore/merchant/qr/{number}"
    place: Place = {
        "id": number,
        "name": wish["name"],
        "status": "active",
        "external_id": external_id,
        "external_store_id": store["external_id"],
        "store_id": store["id"],
        "user_id": user_id,
        "fixed_amount": wish.get("fixed_amount", True),
        "category": wish.get("category"),
        "date_created": stamp(sim.clock.now()),
        "qr": {"image": f"{image}.png", "template_document": f"{image}.pdf", "template_image": f"{image}-template.png"},
    }
    sim.pos[user_id, external_id] = place
    return place


def listed(places: Iterable[tuple[tuple[int, str], Place]], user_id: int, external_id: str | None) -> Json:
    """List the seller's places, all or those with one external id."""
    found = [place for (owner, name), place in places if owner == user_id and external_id in (None, name)]
    return {"paging": {"total": len(found), "offset": 0, "limit": 50}, "results": found}

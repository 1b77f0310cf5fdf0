"""No device reaches a row of another store: every order and payment route of the API, taken from the URLconf."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apps.core.actors import Role
from apps.core.models import StoredEvent
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments.models import Charge
from apps.payments.rules import Method
from apps.payments.services import open_charge
from apps.stores.models import Store
from tests.factories import ProductFactory, StoreFactory, claim, order_in
from tests.fixtures import Screen

METHODS = ("get", "post", "put", "patch", "delete")
OWN = ("order_id", "payment_id")
# A body each route would take from somebody who may call it, so that the refusal is not about the body.
BODIES = {
    ("patch", "orders/<uuid:order_id>/status"): {"status": "in_preparation"},
    ("post", "payments/<uuid:payment_id>/confirm"): {"tender": "cash"},
    ("post", "orders/<uuid:order_id>/items/<uuid:item_id>/void"): {"reason": "x"},
    ("post", "payments/<uuid:payment_id>/refunds"): {"reason": "x"},
}


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, object]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route.removeprefix("api/v1/"), pattern.callback


def gated() -> list[tuple[str, str]]:
    """Method and path of every API view about one order or one payment."""
    found = []
    for route, view in routes(get_resolver().url_patterns):
        if any(f":{name}>" in route for name in OWN) and hasattr(view, "cls"):
            found += [(method, route) for method in METHODS if hasattr(view.cls, method)]
    return found


def test_the_urlconf_was_read() -> None:
    assert len(gated()) >= 10
    assert ("get", "orders/<uuid:order_id>") in gated()
    assert ("get", "payments/<uuid:payment_id>") in gated()


@pytest.fixture
def theirs(store: Store) -> dict[str, object]:
    """A received order of another store, with its charge at the counter."""
    kiosk = Screen(StoreFactory())
    order = order_in(Status.AWAITING_PAYMENT, kiosk.device, ProductFactory())
    charge = open_charge(
        order_id=order.id, method=Method.COUNTER, by=kiosk.actor, claim=claim(kiosk.actor), at=timezone.now()
    )
    return {"order_id": order.id, "item_id": order.lines.get().id, "payment_id": charge.id}


@pytest.mark.parametrize("kind", [Role.KIOSK, Role.BOARD, Role.PANEL])
@pytest.mark.parametrize(("method", "route"), gated(), ids=str)
def test_row_of_another_store_is_not_there(
    method: str, route: str, kind: Role, store: Store, theirs: dict[str, object]
) -> None:
    screen, path = Screen(store, kind), f"/api/v1/{route}"
    for name, value in theirs.items():
        path = path.replace(f"<uuid:{name}>", str(value))
    before = everything()
    body = json.dumps(BODIES.get((method, route), {}))

    answer = screen.client.generic(method.upper(), path, body, "application/json", headers={"Idempotency-Key": "k"})

    assert answer.status_code == (404 if may_call(kind, method, route) else 403)
    assert everything() == before


def everything() -> list[object]:
    return [list(Order.objects.values()), list(Charge.objects.values()), StoredEvent.objects.count()]


def may_call(kind: Role, method: str, route: str) -> bool:
    """Tell whether a kind of device may call a route at all, as the view itself says."""
    view = dict(routes(get_resolver().url_patterns))[route].cls()
    view.request = SimpleNamespace(method=method.upper())
    return any(kind in getattr(permission, "roles", ()) for permission in view.get_permissions())


def test_kinds_differ_in_what_they_may_call() -> None:
    allowed = {kind: {route for route in gated() if may_call(kind, *route)} for kind in (Role.KIOSK, Role.BOARD)}

    assert ("patch", "orders/<uuid:order_id>/status") in allowed[Role.BOARD] - allowed[Role.KIOSK]
    assert ("get", "payments/<uuid:payment_id>") in allowed[Role.KIOSK] - allowed[Role.BOARD]
    assert not any(may_call(Role.PANEL, *route) for route in gated())

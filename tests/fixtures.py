"""Fixtures shared by the tests of all apps: stores and the screens that stand in them."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.core.actors import Actor, Role
from apps.core.audit import audit
from apps.stores.models import Device, Store
from apps.stores.queries import device_actor as device_by_token
from apps.stores.services import pair_directly
from tests.factories import DeviceFactory, StoreFactory, device_actor

API = "/api/v1"


class Screen:
    """A paired device that calls the API with its token."""

    def __init__(self, store: Store, kind: Role = Role.KIOSK) -> None:
        self.device: Device = DeviceFactory(store=store, kind=kind)
        self.token = pair_directly(device_id=self.device.id, at=timezone.now())
        self.client = APIClient()
        self.client.credentials(HTTP_AUTHORIZATION=f"Device {self.token}")

    @property
    def actor(self) -> Actor:
        return device_actor(self.device)

    @property
    def store(self) -> Store:
        return self.device.store

    def call_in(self) -> None:
        """Be a device that this process has heard of in the last seconds, so that a call asks nobody who it is."""
        assert device_by_token(self.token) is not None

    def get(self, path: str, **headers: str) -> "Reply":
        return Reply(self.client.get(f"{API}{path}", headers=headers))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> "Reply":
        """Send JSON; ``bytes`` go out as they are, None is no body."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        return Reply(self.client.generic(method, f"{API}{path}", raw, "application/json", headers=headers))

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> "Reply":
        return self.send("POST", path, body, **({} if key is None else {"Idempotency-Key": key}))

    def patch(self, path: str, body: Any) -> "Reply":
        return self.send("PATCH", path, body)

    def checkout(self, body: Any, *, key: str | None = "") -> "Reply":
        """Check out; an empty key stands for a new one, None for no header."""
        return self.post("/orders/checkout", body, key=str(uuid4()) if key == "" else key)

    def buy(self, *products: Any, quantity: int = 1, **fields: Any) -> "Reply":
        """Check out one line of each product."""
        return self.checkout(cart(*products, quantity=quantity, **fields))


def cart(*products: Any, quantity: Any = 1, **fields: Any) -> dict[str, Any]:
    """The smallest cart that holds one line of each product."""
    items = [{"product": str(product.id), "quantity": quantity} for product in products]
    return {"dining_option": "eat_in", "items": items, **fields}


@dataclass(frozen=True)
class Reply:
    """One answer of the API."""

    response: HttpResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def body(self) -> Any:
        return json.loads(self.response.content)

    @property
    def code(self) -> tuple[int, str]:
        """Status and code of a refusal, after checking that it is a problem document."""
        assert self.response["Content-Type"] == "application/problem+json", self.response.content[:300]
        assert self.body["status"] == self.status
        assert self.body["request_id"] == self.response["X-Request-ID"]
        return self.status, self.body["code"]

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Field and code of every error in a refusal."""
        return [(error["field"], error["code"]) for error in self.body["errors"]]


def broken_rules() -> dict[str, list[str]]:
    """The invariants that do not hold, with the rows that break them."""
    return {verdict.id: verdict.violations for verdict in audit() if verdict.violations}


@pytest.fixture
def store(db: None) -> Store:
    return StoreFactory()


@pytest.fixture
def kiosk(store: Store) -> Screen:
    return Screen(store)


@pytest.fixture
def board(store: Store) -> Screen:
    return Screen(store, Role.BOARD)


@pytest.fixture
def panel(store: Store) -> Screen:
    return Screen(store, Role.PANEL)


@pytest.fixture
def stranger(db: None) -> Screen:
    """A kiosk of another store."""
    return Screen(StoreFactory())

"""Stock seen and changed through the API by staff."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.core.actors import Role
from apps.inventory.models import StockItem, StockLevel, StockMovement
from apps.stores.models import Store
from tests.factories import StaffRoleFactory, StockItemFactory, StoreFactory, supply
from tests.fixtures import Screen, broken_rules

Staff = Callable[[Role], "Desk"]


class Desk:
    """Somebody signed in to the back office."""

    def __init__(self, store: Store, role: Role) -> None:
        self.client = Client(enforce_csrf_checks=False)
        self.client.force_login(StaffRoleFactory(store=store, role=role).user)

    def send(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        reply = self.client.generic(
            method, f"/api/v1{path}", json.dumps(body), "application/json", headers=_csrf(self.client)
        )
        return reply.status_code, reply.json()

    def get(self, path: str) -> tuple[int, Any]:
        reply = self.client.get(f"/api/v1{path}")
        return reply.status_code, reply.json()


def _csrf(client: Client) -> dict[str, str]:
    token = "t" * 32
    client.cookies["csrftoken"] = token
    return {"X-CSRFToken": token}


@pytest.fixture
def desk(store: Store) -> Staff:
    return lambda role: Desk(store, role)


@pytest.fixture
def flour(store: Store) -> StockItem:
    item = StockItemFactory(name="Farinha", unit="g")
    supply(item, store, 500)
    supply(item, StoreFactory(), 7)
    return item


def test_manager_sees_only_what_their_store_has(flour: StockItem, desk: Staff) -> None:
    status, body = desk(Role.MANAGER).get("/inventory/items")

    row = {"id": str(flour.id), "name": "Farinha", "unit": "g", "on_hand": 500, "reserved": 0, "available": 500}
    assert (status, body["results"]) == (200, [row])


@pytest.mark.parametrize(
    ("reason", "quantity", "left"), [("purchase", 100, 600), ("return", 1, 501), ("waste", 500, 0)]
)
def test_movement_says_which_way_by_its_reason(
    reason: str, quantity: int, left: int, flour: StockItem, store: Store, desk: Staff
) -> None:
    body = {"item": str(flour.id), "quantity": quantity, "reason": reason, "note": "caiu no chão"}
    status, told = desk(Role.MANAGER).send("POST", "/inventory/movements", body)

    assert (status, told["reason"], told["note"]) == (201, reason, "caiu no chão")
    assert StockLevel.objects.get(store=store).on_hand == left
    assert broken_rules() == {}


def test_kitchen_records_waste_and_nothing_else(flour: StockItem, desk: Staff) -> None:
    kitchen = desk(Role.KITCHEN)
    asked = {"item": str(flour.id), "quantity": 5}

    assert kitchen.send("POST", "/inventory/movements", {**asked, "reason": "waste"})[0] == 201
    assert kitchen.send("POST", "/inventory/movements", {**asked, "reason": "purchase"})[0] == 403
    assert kitchen.send("PATCH", "/inventory/items", {"item": str(flour.id), "on_hand": 1})[0] == 403


def test_count_writes_the_difference(flour: StockItem, store: Store, desk: Staff) -> None:
    status, told = desk(Role.MANAGER).send("PATCH", "/inventory/items", {"item": str(flour.id), "on_hand": 480})

    assert (status, told["delta"], told["reason"]) == (200, -20, "count")
    assert StockLevel.objects.get(store=store).on_hand == 480
    assert broken_rules() == {}


@pytest.mark.parametrize(
    "body",
    [
        {"quantity": 0, "reason": "waste"},
        {"quantity": -1, "reason": "waste"},
        {"quantity": 1.5, "reason": "waste"},
        {"quantity": "1", "reason": "waste"},
        {"quantity": 1, "reason": "sale"},
        {"quantity": 1, "reason": "waste", "store": "x"},
        {"quantity": 501, "reason": "waste"},
    ],
)
def test_impossible_movement_changes_nothing(body: dict[str, Any], flour: StockItem, desk: Staff) -> None:
    before = StockMovement.objects.count()

    status, told = desk(Role.MANAGER).send("POST", "/inventory/movements", {"item": str(flour.id), **body})

    assert status in (400, 409)
    assert told["code"] in ("invalid", "out_of_stock")
    assert StockMovement.objects.count() == before


def test_story_of_an_item_comes_in_pages(flour: StockItem, desk: Staff) -> None:
    manager = desk(Role.MANAGER)
    for _ in range(4):
        manager.send("POST", "/inventory/movements", {"item": str(flour.id), "quantity": 1, "reason": "waste"})
    path = f"/inventory/items/{flour.id}/movements"

    first = manager.get(f"{path}?page_size=3")[1]
    second = manager.get(f"{path}?{first['next'].partition('?')[2]}")[1]

    assert [m["delta"] for m in first["results"]] == [-1, -1, -1]
    assert ([m["delta"] for m in second["results"]], second["next"]) == ([-1, 500], None)
    assert manager.get(f"{path}?cursor=outro")[0] == 400


def test_stock_is_closed_to_screens(kiosk: Screen, board: Screen, flour: StockItem) -> None:
    for screen in (kiosk, board):
        assert screen.get("/inventory/items").code == (403, "permission_denied")

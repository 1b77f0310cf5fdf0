"""Who asks decides how much of an order they are told, and each way is a shape of the API's schema."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.core.actors import Role
from apps.payments.rules import Tender
from apps.payments.services import confirm_counter
from apps.stores.queries import staff_actor
from tests.attacks.conftest import PRINCIPALS, Shop
from tests.attacks.routes import table
from tests.attacks.test_schema_fuzz import plain
from tests.contract import Contract

pytestmark = pytest.mark.django_db
STAFF = (Role.KITCHEN, Role.CASHIER, Role.MANAGER, Role.OWNER, Role.AUDITOR)
LISTED = {Role.KIOSK: "BoardOrder", Role.BOARD: "BoardOrder", Role.PANEL: "PanelOrder", "system": "IntegratorOrder"}
LISTED |= dict.fromkeys((*STAFF, "customer"), "Order")
TOLD = {name: shape for name, shape in LISTED.items() if name != Role.PANEL} | {Role.KIOSK: "Order"}


@pytest.fixture
def contract() -> Contract:
    return Contract(APIClient().get("/api/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json())


@pytest.fixture
def busy_shop(shop: Shop) -> Shop:
    """The order of the kiosk is paid, so that it is on the board."""
    cashier = staff_actor(shop.users[Role.CASHIER].id)
    assert cashier is not None
    payment = UUID(shop.ids["payment_id"])
    confirm_counter(charge_id=payment, tender=Tender.CASH, received=Decimal("100.00"), by=cashier, at=timezone.now())
    return shop


def told(shop: Shop, who: str, path: str) -> Any:
    answer = shop.callers[who].get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_order_has_the_shape_of_its_reader(busy_shop: Shop, contract: Contract) -> None:
    for who, shape in LISTED.items():
        orders = told(busy_shop, who, "/orders")["results"]
        assert [contract.fits(shape, order) for order in orders] in ([True], [True, True]), f"{who}: {orders}"
    for who, shape in TOLD.items():
        order = told(busy_shop, who, f"/orders/{busy_shop.ids_of(who)['order_id']}")
        assert contract.fits(shape, order), f"{who}: {order}"


def test_all_that_can_be_read_is_as_the_schema_says_to_everybody(busy_shop: Shop, contract: Contract) -> None:
    never = set()
    for line in table()["api"]:
        method, _, route = line.partition(" ")
        path = plain(route)
        if method != "GET" or path not in contract.document["paths"]:
            continue
        statuses = set()
        for who in PRINCIPALS:
            ids = busy_shop.ids_of(who) | {"cpf": "52998224725"}
            ids |= {"item_id": ids["stock_id"]}
            query = {"store": ids["store"]} if path.endswith("/menu") else {}
            answer = busy_shop.callers[who].get(path.format(**ids), query)
            contract.check("GET", path, answer.status_code, answer["Content-Type"], answer.content)
            statuses.add(answer.status_code)
        never |= {path} if 200 not in statuses else set()
    assert never == {"/api/v1/users/cpf/{cpf}"}  # nobody here has it


def test_a_field_too_many_and_one_too_few_are_seen(contract: Contract) -> None:
    level = {"name": "leite", "unit": "ml", "on_hand": 5, "reserved": 0, "available": 5}
    whole = level | {"id": "01920000-0000-7000-8000-000000000000"}
    assert contract.fits("StockLevel", whole)
    assert not contract.fits("StockLevel", level)
    assert not contract.fits("StockLevel", whole | {"price": "1.00"})
    assert not contract.fits("StockLevel", whole | {"unit": "kg"})
    assert not contract.fits("StockLevel", whole | {"on_hand": "5"})

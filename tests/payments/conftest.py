"""The simulated provider in this process, spoken to by the unmodified SDK, and an order that waits for money."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pytest_django.fixtures import Settings

from apps.catalog.models import Product
from apps.core.buckets import Buckets
from apps.orders.models import Order
from apps.payments import accounts, webhook
from apps.stores.models import Store
from ops.mpsim.app import App
from ops.mpsim.server import Server
from ops.mpsim.simulator import Setup, Simulator
from tests.factories import StoreFactory, place, stocked_product
from tests.fixtures import Screen

STORE_CODE = "CENTRO"
CREATE = "POST /v1/orders$"
READ = "GET /v1/orders/"


class Provider:
    """The tester's side of the simulator."""

    def __init__(self, sim: Simulator, server: Server) -> None:
        self.sim = sim
        self.url = server.url

    def control(self, path: str, body: object = None) -> dict[str, Any]:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{self.url}/_sim/{path}", json=body, timeout=5)
        assert answer.status_code in (200, 202), answer.text
        told: dict[str, Any] = answer.json()
        return told

    def pay(self, provider_order_id: str | None, **wish: Any) -> None:
        self.control(f"orders/{provider_order_id}/pay", wish)

    def fault(self, match: str, **fault: Any) -> None:
        self.control("faults", [{"match": match, **fault}])

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Every request of the merchant, in order."""
        return [dict(entry) for entry in self.sim.journal.since(0)["entries"] if entry["kind"] == "request"]

    @property
    def calls(self) -> list[str]:
        """Method and what was called of every request, without ids."""
        return [f"{entry['method']} {'/'.join(entry['path'].split('/')[:3])}" for entry in self.requests]

    @property
    def orders(self) -> int:
        """How many orders the provider has."""
        with self.sim.orders() as book:
            return len(book.orders)


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    sim = Simulator(Setup(pos=(f"BM{STORE_CODE}",)))
    server = Server(App(sim), "127.0.0.1", 0, log=lambda line: None)
    server.start()
    settings.MP_BASE_URL = server.url
    settings.MP_ACCESS_TOKEN = "APP_USR-SIM-1"
    yield Provider(sim, server)
    server.stop()


@pytest.fixture(autouse=True)
def empty_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test uses up what a process lets strangers leave in the inbox, or knows the secrets of the last one."""
    accounts.forget_secrets()
    monkeypatch.setattr(webhook, "_strangers", Buckets(lambda: 0.0))


@pytest.fixture
def store(db: None) -> Store:
    return StoreFactory(code=STORE_CODE)


@pytest.fixture
def product(store: Store) -> Product:
    return stocked_product(store, 10, price="47.50")


@pytest.fixture
def order(kiosk: Screen, product: Product) -> Order:
    """An order over R$ 47.50 that waits for money."""
    return place(kiosk.device, product)

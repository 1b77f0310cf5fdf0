"""A counter: a cashier signed in to a browser, and orders that wait for money."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from apps.catalog.models import Product
from apps.core.actors import Actor, Role
from apps.core.models import User
from apps.orders.models import Order
from apps.payments.models import Charge
from apps.payments.rules import Method, Tender
from apps.payments.services import confirm_counter, open_charge
from apps.stores.models import Store
from apps.stores.queries import staff_actor
from tests.factories import ProductFactory, StaffRoleFactory, UserFactory, claim, place
from tests.fixtures import Screen


class Person:
    """A member of staff with one role, and the browser they are signed in to."""

    def __init__(self, store: Store | None, role: Role | None = Role.CASHIER, **fields: Any) -> None:
        self.user: User = UserFactory(**fields)
        if role is not None:
            StaffRoleFactory(user=self.user, role=role, store=store)
        self.client = Client()
        self.client.force_login(self.user, backend="django.contrib.auth.backends.ModelBackend")

    @property
    def actor(self) -> Actor:
        actor = staff_actor(self.user.id)
        assert actor is not None
        return actor

    def page(self, path: str = "/caixa/") -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content.decode()


Take = Callable[..., Charge]


@pytest.fixture
def cashier(store: Store) -> Person:
    return Person(store, name="Bia")


@pytest.fixture
def product(store: Store) -> Product:
    return ProductFactory(price="31.90", name="Bauru")


@pytest.fixture
def waiting(kiosk: Screen, product: Product) -> Callable[[], tuple[Order, Charge]]:
    """Place an order that waits at the counter."""

    def make(screen: Screen = kiosk) -> tuple[Order, Charge]:
        order, by = place(screen.device, product), screen.actor
        charge = open_charge(order_id=order.id, method=Method.COUNTER, by=by, claim=claim(by), at=timezone.now())
        return order, charge

    return make


@pytest.fixture
def take(waiting: Callable[..., tuple[Order, Charge]]) -> Take:
    """Let a person take R$ 31.90 at the counter."""

    def make(person: Person, tender: Tender = Tender.CASH, received: str | None = None, **told: Any) -> Charge:
        _, charge = waiting(**told)
        amount = Decimal(received) if received else None
        return confirm_counter(charge_id=charge.id, tender=tender, received=amount, by=person.actor, at=timezone.now())

    return make


def form_key() -> str:
    return str(uuid4())

"""Proof at the pick-up: the number or the code finds the tray, a wrong one finds nothing."""

import pytest

from apps.core.actors import Role
from apps.orders.models import Order
from apps.orders.rules import Status
from tests.counter.conftest import Person
from tests.factories import order_in
from tests.fixtures import Screen


def found(cashier: Person, said: str) -> str:
    return str(cashier.client.get("/caixa/retirada/", {"q": said}).content.decode())


@pytest.fixture
def ready(kiosk: Screen) -> Order:
    order = order_in(Status.READY, kiosk.device)
    Order.objects.filter(id=order.id).update(number="T042", pickup_code="4821")
    order.refresh_from_db()
    return order


@pytest.mark.parametrize("said", ["T042", "t42", "42", "042", " 42 "])
def test_number_finds_the_order_however_it_is_said(said: str, cashier: Person, ready: Order) -> None:
    page = found(cashier, said)

    assert ("Entregar T042" in page, "confere" in page) == (True, False)


def test_code_finds_the_order_and_says_that_it_fits(cashier: Person, ready: Order) -> None:
    page = found(cashier, "4821")

    assert ("Entregar T042" in page, "Código 4821 confere" in page) == (True, True)


@pytest.mark.parametrize("said", ["4822", "482", "48210", "C042", "421", "", "%", ".*", "T04", "4821' or 1=1"])
def test_anything_else_finds_nothing_and_says_so(said: str, cashier: Person, ready: Order) -> None:
    page = found(cashier, said)

    assert ("T042" in page, "Nada foi entregue" in page) == (False, True)


def test_code_that_is_also_a_number_shows_both(cashier: Person, kiosk: Screen, ready: Order) -> None:
    other = order_in(Status.READY, kiosk.device)
    Order.objects.filter(id=other.id).update(number="T4821", pickup_code="0000")

    page = found(cashier, "4821")

    assert [f"Entregar {number}" in page for number in ("T042", "T4821")] == [True, True]


def test_order_that_is_not_ready_is_shown_but_not_handed_over(cashier: Person, kiosk: Screen) -> None:
    order = order_in(Status.IN_PREPARATION, kiosk.device)

    page = found(cashier, order.number)

    assert ("data-serve-now" in page, "em preparação" in page) == (False, True)


@pytest.mark.parametrize("status", [Status.AWAITING_PAYMENT, Status.FINISHED, Status.CANCELLED])
def test_unpaid_and_gone_orders_are_not_found(status: Status, cashier: Person, kiosk: Screen) -> None:
    order = order_in(status, kiosk.device)

    assert str(order.id) not in found(cashier, order.number)


def test_code_of_another_store_finds_nothing(cashier: Person, stranger: Screen) -> None:
    order = order_in(Status.READY, stranger.device)

    assert str(order.id) not in found(cashier, order.pickup_code)


def test_manager_may_hand_over_too(store: object, kiosk: Screen, ready: Order) -> None:
    assert "Entregar T042" in found(Person(kiosk.store, Role.MANAGER), "42")

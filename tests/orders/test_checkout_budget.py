"""How often a checkout speaks to Postgres: counted where psycopg hands a statement to the connection, nothing left out."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone
from psycopg.pq import Trace

from apps.catalog.models import Product
from apps.customers.services import issue_ticket
from apps.stores.models import Store
from tests.customers.people import document, known, new_cpf
from tests.factories import (
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    StoreFactory,
    new_menu,
    stocked_product,
)
from tests.fixtures import Screen, cart

MESSAGE = re.compile(r"^([FB])\t\d+\t(.*?)(?=^[FB]\t|\Z)", re.DOTALL | re.MULTILINE)
RUNS = ("Query", "Parse", "Bind")


@pytest.fixture
def shop(transactional_db: None) -> Store:
    return StoreFactory()


@pytest.fixture
def kiosk(shop: Store) -> Screen:
    return Screen(shop)


@pytest.fixture
def products(shop: Store) -> list[Product]:
    found = [stocked_product(shop, 50), stocked_product(shop, 50), ProductFactory()]
    new_menu(shop)
    return found


KINDS = {
    "core_ratewindow": "limit",
    "orders_numbercounter": "number",
    "orders_checkout(": "checkout",
    "BEGIN": "begin",
    "COMMIT": "commit",
}


@contextmanager
def on_the_wire() -> Iterator[list[str]]:
    """What went out, in order, told by libpq's own trace of the connection; statements it has prepared are known by name."""
    connection.ensure_connection()
    wire, said = connection.connection.pgconn, []
    with tempfile.TemporaryFile() as trace:
        wire.trace(trace.fileno())
        wire.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        try:
            yield said
        finally:
            wire.untrace()
            trace.seek(0)
            told = trace.read().decode(errors="replace")
            said += [message for way, message in MESSAGE.findall(told) if way == "F" and message.startswith(RUNS)]


def statements(said: list[str], names: dict[str, str]) -> list[str]:
    """Name each statement that was run: one for every simple query and every bind."""
    found = []
    for message in said:
        if message.startswith("Parse"):
            names[message.split('"')[1]] = message
            continue
        text = message if message.startswith("Query") else names[message.split('"')[3]]
        found.append(next((kind for part, kind in KINDS.items() if part in text), text))
    return found


def test_checkout_is_a_limit_a_number_and_one_statement_in_its_transaction(
    kiosk: Screen, products: list[Product]
) -> None:
    group = ProductModifierGroupFactory(product=products[0]).group
    option = OptionFactory(group=group)
    new_menu(kiosk.store)
    body = cart(*products, expected_total="32.50")
    body["items"][0]["options"] = [{"option": str(option.id)}]
    names: dict[str, str] = {}
    seen = []
    for _ in range(3):
        with on_the_wire() as said:
            assert kiosk.checkout(body).status == 201
        seen.append(statements(said, names))

    assert seen[1] == seen[2] == ["limit", "number", "begin", "checkout", "commit"]


def test_repeat_is_one_statement(kiosk: Screen, products: list[Product]) -> None:
    names: dict[str, str] = {}
    for _ in range(3):
        with on_the_wire() as said:
            assert kiosk.checkout(cart(products[0]), key="k").status == 201
        seen = statements(said, names)

    assert seen == ["limit"]


def test_ticket_of_a_customer_adds_its_own_statements_inside(kiosk: Screen, products: list[Product]) -> None:
    cpf = new_cpf()
    known(cpf)
    names: dict[str, str] = {}
    for _ in range(3):
        ticket = issue_ticket(document=document(cpf), device_id=kiosk.device.id, at=timezone.now())
        with on_the_wire() as said:
            assert kiosk.checkout(cart(products[0], customer=ticket)).status == 201
        seen = statements(said, names)

    assert [kind for kind in seen if kind in KINDS.values()] == ["limit", "number", "begin", "checkout", "commit"]
    about_ticket = [kind for kind in seen if kind not in KINDS.values()]
    assert len(about_ticket) == 5  # savepoint, the customer's row, the ticket's, update, release
    assert all("customers_lookupticket" in kind or "SAVEPOINT" in kind for kind in about_ticket)

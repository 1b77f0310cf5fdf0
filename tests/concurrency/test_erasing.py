"""A customer is erased in the same moment as they order."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.core.actors import SYSTEM
from apps.customers.models import Customer, LookupTicket
from apps.customers.services import erase_customer, issue_ticket
from apps.orders.models import Order
from apps.stores.models import Store
from tests.concurrency.conftest import Eventually
from tests.customers.people import document, known, new_cpf
from tests.factories import StoreFactory, new_menu, stocked_product
from tests.fixtures import Screen, broken_rules, cart


@contextmanager
def after(part: str, wait: Any) -> Iterator[None]:
    """Wait, on this connection, right behind a statement that holds ``part``."""

    def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = run(sql, params, many, context)
        if part in sql:
            wait()
        return done

    with connection.execute_wrapper(execute):
        yield


def somebody_waits() -> bool:
    """Tell whether any connection of this database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what was so when it looked first
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        pids = [pid for (pid,) in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM unnest(%s) AS pid WHERE cardinality(pg_blocking_pids(pid)) > 0", [pids])
        return bool(cursor.fetchone()[0])


@pytest.fixture
def shop(transactional_db: None) -> Store:
    return StoreFactory()


def test_customer_erased_amid_their_checkout_blocks_nobody(shop: Store, eventually: Eventually) -> None:
    """The erasure comes right behind the use of the ticket: it waits for the checkout, and not the checkout for it as well."""
    product = stocked_product(shop, 3)
    new_menu(shop)
    kiosk, cpf = Screen(shop), new_cpf()
    customer = known(cpf)
    ticket = issue_ticket(document=document(cpf), device_id=kiosk.device.id, at=timezone.now())
    used = threading.Event()

    def erase() -> None:
        assert used.wait(10)
        try:
            erase_customer(customer_id=customer.id, by=SYSTEM, at=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        erasing = pool.submit(erase)

        def let_it_come() -> None:
            if not used.is_set():
                used.set()
                eventually(somebody_waits)

        with after('UPDATE "customers_lookupticket"', let_it_come):
            reply = kiosk.checkout(cart(product, customer=ticket))
        erasing.result(10)

    assert reply.status == 201
    assert Order.objects.get().customer_id is None
    assert Customer.objects.get().erased_at is not None
    assert not LookupTicket.objects.exists()
    assert broken_rules() == {}


def test_ticket_of_somebody_being_erased_is_refused(shop: Store, eventually: Eventually) -> None:
    product = stocked_product(shop, 3)
    new_menu(shop)
    kiosk, cpf = Screen(shop), new_cpf()
    customer = known(cpf)
    ticket = issue_ticket(document=document(cpf), device_id=kiosk.device.id, at=timezone.now())

    def order() -> Any:
        try:
            return kiosk.checkout(cart(product, customer=ticket))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            erase_customer(customer_id=customer.id, by=SYSTEM, at=timezone.now())
            ordering = pool.submit(order)
            eventually(somebody_waits)
        reply = ordering.result(10)

    assert reply.status == 400
    assert not Order.objects.exists()
    assert broken_rules() == {}

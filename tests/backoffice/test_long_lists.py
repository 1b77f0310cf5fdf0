"""The back office stays quick when years lie behind a shop, and what is old can still be found."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.core.actors import Role
from apps.core.models import StoredEvent
from apps.orders.admin import OrderPage
from apps.orders.models import Order, OrderLine
from apps.payments.models import Charge
from apps.payments.queries import receipts, takings
from apps.stores import admin_lists
from breadmate.demo_orders import past_id
from tests.factories import ProductFactory, place
from tests.fixtures import Screen
from tests.payments.back import paid_in_cash
from tests.trail.conftest import browser_of, page_of, person

ORDERS = page_of(Order, "changelist")
PAST = 10_000
# Copies of an order and its charge, an hour apart up to yesterday, with ids (UUIDv7) of their moments.
COPIES = f"""
    WITH moments AS (
        SELECT hours, now() - hours * interval '1 hour' AS at FROM generate_series({PAST} + 24, 24, -1) hours
    ), copies AS (
        INSERT INTO orders_order
        SELECT copy.* FROM orders_order one, moments, jsonb_populate_record(one, jsonb_build_object(
            'id', lpad(to_hex((1000 * extract(epoch FROM at))::bigint), 12, '0') || '70008' || substr(md5(at::text), 1, 15),
            'number', 'C' || hours, 'tracking_token', md5(hours::text), 'status', 4, 'placed_at', at, 'paid_at', at)) copy
        WHERE one.id = %s
        RETURNING id, paid_at
    )
    INSERT INTO payments_charge
    SELECT copy.* FROM payments_charge one, copies, jsonb_populate_record(one, jsonb_build_object('id', copies.id,
        'order_id', copies.id, 'client_key', copies.id, 'reference', copies.id, 'create_key', copies.id,
        'settled_at', copies.paid_at)) copy
    WHERE one.order_id = %s
"""
ROWS_READ = """
    SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables
    WHERE relname IN ('orders_order', 'payments_charge')
"""

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Client:
    return browser_of(person(Role.OWNER, None))


def rows_read() -> int:
    """How many rows of orders and charges this transaction has read so far, whichever way."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS_READ)
        return int(cursor.fetchone()[0])


@pytest.fixture
def years(kiosk: Screen) -> None:
    """Ten thousand paid orders of the past beside one of today."""
    order = place(kiosk.device, ProductFactory())
    paid_in_cash(order, kiosk, timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(COPIES, [order.id, order.id])
        cursor.execute(
            "SELECT brin_summarize_new_values('order_by_payment'), brin_summarize_new_values('charge_by_settling')"
        )
        cursor.execute("ANALYZE orders_order, payments_charge")


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        ORDERS,
        f"{ORDERS}?attention__isempty=0",
        f"{ORDERS}?placed_at_from=01/01/2020",
        page_of(Charge, "changelist"),
        "/admin/payments/closing/dinheiro/",
    ],
)
@pytest.mark.usefixtures("years")
def test_page_does_not_read_the_whole_past(address: str, owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_lists, "MOST_COUNTED", 200)
    before = rows_read()

    response = owner.get(address)

    assert response.status_code == 200
    assert rows_read() - before < PAST / 4


@pytest.mark.usefixtures("years")
def test_drawer_does_not_read_the_whole_past(kiosk: Screen) -> None:
    since, store = timezone.now() - timedelta(hours=2), kiosk.device.store_id
    before = rows_read()

    assert takings(store_id=store, person_id=uuid4(), since=since, until=None).cash == 0
    assert receipts(store_id=store, since=since, without=()) != []

    assert rows_read() - before < PAST / 4


@pytest.fixture
def october(kiosk: Screen) -> datetime:
    """Orders around a midnight in São Paulo: T1 a minute before the 13th, T2 a minute after, T3 a day later."""
    midnight = datetime(2026, 10, 13, 3, tzinfo=UTC)
    minute = timedelta(minutes=1)
    for number, at in (("T1", midnight - minute), ("T2", midnight + minute), ("T3", midnight + timedelta(days=1))):
        order = place(kiosk.device, ProductFactory())
        OrderLine.objects.filter(order=order).update(order=_moved(order, number, at))
    return midnight


def _moved(order: Order, number: str, at: datetime) -> Order:
    """A copy of an order, of another moment."""
    order.id, order.number, order.placed_at, order.tracking_token = past_id(at), number, at, number
    order.save(force_insert=True)
    return order


def found(client: Client, **days: str) -> set[str]:
    """The numbers of October that a list narrowed to some days shows."""
    response = client.get(ORDERS, {f"placed_at_{end}": day for end, day in days.items()})
    assert response.status_code == 200
    return {order.number for order in response.context["cl"].result_list} & {"T1", "T2", "T3"}


@pytest.mark.usefixtures("october")
def test_orders_are_found_by_the_days_they_were_placed_on(owner: Client) -> None:
    assert found(owner, to="12/10/2026") == {"T1"}
    assert found(owner, **{"from": "13/10/2026", "to": "13/10/2026"}) == {"T2"}
    assert found(owner, **{"from": "13/10/2026"}) == {"T2", "T3"}
    assert found(owner, **{"from": "2026-10-14"}) == {"T3"}


@pytest.mark.parametrize("day", ["", "ontem", "31/02/2026", "2026", "01/01/0001", "31/12/9999"])
@pytest.mark.parametrize("end", ["from", "to"])
@pytest.mark.usefixtures("october")
def test_day_that_is_none_is_said_and_narrows_nothing(owner: Client, day: str, end: str) -> None:
    response = owner.get(ORDERS, {f"placed_at_{end}": day})

    assert response.status_code == 200
    wrong = day not in ("", "01/01/0001", "31/12/9999")
    assert ("Informe uma data válida." in response.content.decode()) is wrong
    nothing = (day, end) in (("01/01/0001", "to"), ("31/12/9999", "from"))
    assert len(response.context["cl"].result_list) == (0 if nothing else 6)


@pytest.mark.usefixtures("october")
def test_list_says_that_there_is_more_than_it_counts(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = owner.get(ORDERS).content.decode()
    monkeypatch.setattr(admin_lists, "MOST_COUNTED", 5)

    cut = owner.get(ORDERS)

    assert "6 registros" in whole
    assert "ou mais" not in whole
    assert "5 registros ou mais" in cut.content.decode()
    assert "resultados" not in cut.content.decode()


@pytest.mark.usefixtures("october")
def test_nobody_takes_back_all_orders_at_once(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OrderPage, "list_per_page", 2)

    assert "Selecionar todos" not in owner.get(ORDERS).content.decode()


def test_events_are_narrowed_to_a_type_nobody_has_to_look_for(owner: Client, kiosk: Screen) -> None:
    place(kiosk.device, ProductFactory())

    shown = owner.get(page_of(StoredEvent, "changelist"), {"type": "order.created"})

    assert {event.type for event in shown.context["cl"].result_list} == {"order.created"}
    assert "user.erased" in shown.content.decode()

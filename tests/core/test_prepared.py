"""Rows read and written by statements of our own are the ORM's, field by field."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.db.models import Model
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from psycopg.pq import Format

from apps.core import prepared
from apps.core.models import IdempotencyKey, StoredEvent
from apps.inventory.models import StockLevel
from apps.orders import queries
from apps.orders.documents import board_document, stored_order_document
from apps.orders.models import Acknowledgement, Order, OrderLine, OrderLineOption, OrderSlot, Preparation
from apps.orders.rules import Status
from apps.payments.models import Charge
from breadmate.postgres.connection import Connection
from tests.factories import order_in
from tests.fixtures import Screen
from tests.orders.test_checkout_sql import shop

READ = [Order, OrderLine, OrderSlot, OrderLineOption, Preparation, StoredEvent, IdempotencyKey, StockLevel, Charge]


def fields(row: Model) -> dict[str, Any]:
    told = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in told.items()}


@pytest.fixture
def rich(db: None) -> Order:
    """An order with a single, a combo, options, discounts, and a charge."""
    here = shop((90, 90, 90), (Decimal("5.00"), Decimal("7.50")), 10, uses=None)
    single = {"product": str(here.singles[0].id), "quantity": 2, "note": "sem sal"}
    single["options"] = [{"option": str(option.id), "quantity": 1} for option in here.options]
    item = here.item(3, 1, (1, 1))
    slots = [
        {
            "slot": str(slot.slot),
            "product": str(slot.product),
            "options": [{"option": str(each.option), "quantity": each.quantity} for each in slot.options],
        }
        for slot in item.slots
    ]
    cart = {"dining_option": "eat_in", "items": [single, {"product": str(here.box.id), "quantity": 1, "slots": slots}]}
    placed = here.kiosk.checkout({**cart, "coupon": here.coupon.code})
    assert placed.status == 201, placed.body
    body = {"order": placed.body["id"], "method": "counter"}
    assert here.kiosk.post("/payments", body, key=str(uuid4())).status == 201
    return Order.objects.get()


def test_rows_are_read_as_the_orm_reads_them(rich: Order, board: Screen) -> None:
    order_in(Status.IN_PREPARATION, board.device)

    for model in READ:
        (key,) = {field.column for field in model._meta.concrete_fields if field.primary_key}
        rows = prepared.read(model, f"WHERE true ORDER BY {key}", [])  # type: ignore[arg-type]  # made of our own names
        assert rows, model
        assert [fields(row) for row in rows] == [fields(row) for row in model.objects.order_by("pk")], model
        assert all(not row._state.adding for row in rows)


def test_order_read_by_hand_says_what_the_orm_reads(rich: Order, board: Screen) -> None:
    order_in(Status.READY, board.device)
    by_orm = list(queries.with_lines(Order.objects.order_by("id")))
    by_hand = prepared.read(Order, "WHERE true ORDER BY id", [])
    queries.read_all(by_hand)

    assert [line for order in by_hand for line in order.lines.all()]
    for say in (stored_order_document, board_document):
        assert [say(order) for order in by_hand] == [say(order) for order in by_orm]


def test_item_the_kitchen_has_seen_voided_is_known_as_such(rich: Order) -> None:
    seen, _other = rich.lines.order_by("position")
    Acknowledgement.objects.create(order=rich, line=seen, at=timezone.now(), actor_kind="device")

    queries.read_lines([rich])

    assert [hasattr(line, "acknowledgement") for line in rich.lines.all()] == [True, False]


@pytest.mark.parametrize("kind", ["cursor", "chunked_cursor"])
def test_moments_are_read_by_the_drivers_compiled_reader_in_utc(kind: str, db: None) -> None:
    with getattr(connection, kind)() as cursor:
        cursor.execute("SELECT timestamptz '2026-11-22 09:30:00.25-03', %s::timestamptz", [None])
        moment, nothing = cursor.fetchone()
        reader = connection.connection.adapters.get_loader(psycopg.adapters.types["timestamptz"].oid, Format.TEXT)

    assert (moment.isoformat(), nothing) == ("2026-11-22T12:30:00.250000+00:00", None)
    assert reader.__module__ == "psycopg_binary._psycopg"


def test_new_rows_are_written_as_the_orm_writes_them(db: None) -> None:
    told = {"a": ["é", None, 1.5], "b": {"c": True}}
    first, second = (
        StoredEvent(type="t", version=1, occurred_at=timezone.now(), subject_id=uuid4(), seq=seq, payload=told)
        for seq in (4, 5)
    )
    prepared.insert(first, second)

    assert (first._state.adding, second._state.adding) == (False, False)
    assert [fields(row) for row in StoredEvent.objects.order_by("seq")] == [fields(first), fields(second)]
    with pytest.raises(IntegrityError):
        prepared.insert(first)


def test_only_what_is_named_is_written(rich: Order) -> None:
    stale = Order.objects.get()
    Order.objects.update(attention="de outra pessoa")
    stale.guest_name, stale.version = "Ana", 9

    prepared.update(stale, ("version",))

    fresh = Order.objects.get()
    assert (fresh.version, fresh.guest_name, fresh.attention) == (9, "", "de outra pessoa")
    prepared.update(stale)
    assert fields(Order.objects.get()) == fields(stale)


def test_row_that_is_gone_is_not_written_in_silence(db: None) -> None:
    with pytest.raises(DatabaseError, match="is not there"):
        prepared.update(Order(id=UUID(int=1), version=2), ("version",))


def test_field_that_is_not_there_is_not_passed_over(rich: Order) -> None:
    with pytest.raises(ValueError, match="atention"):
        prepared.update(rich, ("version", "atention"))


@pytest.mark.django_db(transaction=True)
def test_lock_that_no_transaction_would_hold_is_refused() -> None:
    with pytest.raises(TransactionManagementError):
        prepared.read(Order, "WHERE id = %s FOR UPDATE", [uuid4()])


def connect() -> Connection:
    """Open a connection of its own to the database of the tests."""
    told = connection.get_connection_params()
    where = {name: told[name] for name in ("host", "port", "user", "password", "dbname") if told.get(name)}
    return Connection.connect(autocommit=True, **where)


@pytest.fixture
def alone(db: None) -> Iterator[Connection]:
    made = connect()
    yield made
    made.close()


def test_pool_asks_only_a_connection_that_has_something_to_say(alone: Connection, db: None) -> None:
    assert alone.execute("") is None

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [alone.info.backend_pid])

    with pytest.raises(psycopg.OperationalError):
        alone.execute("")


def test_connection_whose_plans_are_of_a_table_before_its_change_is_given_up(alone: Connection) -> None:
    with connect() as update:  # a connection forgets the plans of what it changes itself
        update.execute("CREATE TABLE crumbs (size integer)")
        try:
            for _ in range(2):
                alone.execute("SELECT size FROM crumbs WHERE size = %s", [1], prepare=True)
            update.execute("ALTER TABLE crumbs ALTER size TYPE bigint")

            with pytest.raises(psycopg.OperationalError, match="changed under a plan"):
                alone.execute("SELECT size FROM crumbs WHERE size = %s", [1], prepare=True)
        finally:
            update.execute("DROP TABLE crumbs")

    assert alone.closed

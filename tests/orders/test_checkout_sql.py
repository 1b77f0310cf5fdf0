"""``checkout.sql`` writes what the ORM would write: the same carts into the same world, row by row."""

import hashlib
import json
import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.utils.timezone import now as _now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from apps.catalog.facade import remembered_menu
from apps.catalog.models import MenuVersion, Product
from apps.core.actors import Actor, Role
from apps.core.errors import DomainError
from apps.core.facade import Answer, Claim
from apps.customers.rules import Document, Kind
from apps.customers.services import issue_ticket
from apps.inventory.models import StockLevel
from apps.orders import checkout, numbers
from apps.orders.checkout import Cart
from apps.orders.models import Order
from apps.orders.rules import AskedItem, AskedOption, AskedSlot
from apps.orders.writing import NotWrittenError, Priced
from apps.promotions.errors import CouponRefusedError
from apps.promotions.models import Coupon, Promotion
from apps.stores.models import Store
from apps.stores.queries import store_by_id
from tests.combos.boxes import combo, slots_of
from tests.factories import (
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    RecipeLineFactory,
    StockItemFactory,
    StoreFactory,
    claim,
    new_menu,
    place,
    staff,
    supply,
)
from tests.fixtures import Screen, broken_rules
from tests.orders import oracle

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT_SQL = (ROOT / "apps" / "orders" / "sql" / "checkout.sql").read_text()
TABLES = [
    "core.IdempotencyKey", "core.StoredEvent", "orders.Order", "orders.OrderLine", "orders.OrderSlot",
    "orders.OrderLineOption", "orders.OrderDiscount", "orders.StatusChange", "orders.Preparation", "orders.NumberCounter",
    "promotions.Coupon", "promotions.CouponUse", "inventory.StockLevel", "inventory.Reservation",
    "inventory.StockMovement", "catalog.Mark", "catalog.MenuVersion", "customers.LookupTicket",
]  # fmt: skip
BY_CHANCE = {"tracking_token", "pickup_code", "created_at"}
Place = Callable[..., Answer]


@dataclass
class Shop:
    """A store with two singles, a combo of both, options, a promotion and a coupon that is used up after one more use."""

    kiosk: Screen
    singles: list[Product]
    box: Product
    options: list[Any]
    coupon: Coupon

    def item(self, which: int, quantity: int = 1, extras: tuple[int, ...] = (), note: str = "") -> AskedItem:
        """One line: 0 and 1 are counted singles, 2 a single nobody counts, 3 the combo of the first two in either order."""
        chosen = tuple(AskedOption(self.options[place].id, count) for place, count in enumerate(extras) if count)
        if which < 3:
            return AskedItem(self.singles[which].id, quantity, chosen if which == 0 else (), note)
        fillings = self.singles[:2] if quantity % 2 else self.singles[1::-1]
        slots = tuple(
            AskedSlot(slot.id, filling.id, chosen if filling == self.singles[0] else ())
            for slot, filling in zip(slots_of(self.box), fillings, strict=True)
        )
        return AskedItem(self.box.id, quantity, (), note, slots)


def shop(stocks: tuple[int, int, int], prices: tuple[Decimal, Decimal], off: int | None, *, uses: int | None) -> Shop:
    store = StoreFactory(packaging_fee=Decimal("1.50"))
    flour, ham, egg = (StockItemFactory() for _ in range(3))
    bread, toast, water = ProductFactory(price=prices[0]), ProductFactory(price=prices[1]), ProductFactory()
    for product, item, quantity in ((bread, flour, 1), (bread, egg, 2), (toast, flour, 3), (toast, ham, 1)):
        RecipeLineFactory(product=product, item=item, quantity=quantity)
    for item, units in zip((flour, ham, egg), stocks, strict=True):
        if units:
            supply(item, store, units)
    group = ProductModifierGroupFactory(product=bread).group
    options = [OptionFactory(group=group, price=Decimal(price)) for price in ("0.00", "1.35")]
    box = combo([bread, (toast, "1.50")], [bread, toast], price="9.90")
    if off is not None:
        Promotion.objects.create(name="Do dia", kind="percent", value=off, product=bread, store=store)
        Promotion.objects.create(name="De tudo", kind="amount", value=1, store=store)
    coupon = Coupon.objects.create(
        code=f"C{uuid4().hex[:8].upper()}", name="Boas-vindas", kind="amount", value=3, use_limit=uses, store=store
    )
    new_menu(store)
    return Shop(Screen(store), [bread, toast, water], box, options, coupon)


def plain(value: Any, ids: dict[UUID, str]) -> Any:
    """Say a value without the ids that were made for it: each by the place where it first appears."""
    if isinstance(value, UUID):
        return ids.get(value, value)
    if isinstance(value, (bytes, memoryview)):
        raw = bytes(value)
        return plain_text(raw.decode(), ids) if raw.startswith(b"{") else raw
    return plain_text(value, ids) if isinstance(value, str) else value


def plain_text(text: str, ids: dict[UUID, str]) -> str:
    named = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", lambda found: ids.get(UUID(found[0]), found[0]), text)
    return re.sub(r'"pickup_code":"\d+"|/t/[\w-]+/', "", named)


def world(known: set[UUID]) -> dict[str, list[Any]]:
    """All rows of all tables a checkout may touch, made comparable: new ids are named by their table and order."""
    rows = {name: list(_in_order(apps.get_model(name))) for name in TABLES}
    ids = {
        row.pk: f"{name}#{place}"
        for name, found in rows.items()
        for place, row in enumerate(row for row in found if row.pk not in known)
        if isinstance(row.pk, UUID)
    }
    return {
        name: sorted(
            repr([
                (field.attname, plain(_value(row, field), ids))
                for field in row._meta.concrete_fields
                if field.attname not in BY_CHANCE and not (field.primary_key and name not in NAMED)
            ])
            for row in found
        )
        for name, found in rows.items()
    }  # fmt: skip


NAMED = {"orders.Order", "inventory.StockLevel", "promotions.Coupon"}


def _value(row: models.Model, field: Any) -> Any:
    value = getattr(row, field.attname)
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else value


def _in_order(model: type[models.Model]) -> models.QuerySet[Any]:
    """Rows whose ids are referred to come in an order that both writers share."""
    place = {"OrderLine": ["order_id", "position"], "OrderSlot": ["line__position", "position"]}
    return model._default_manager.order_by(*place.get(model.__name__, ["pk"]))


def outcome(place: Place, cart: Cart, by: Actor, store: Store, key: Claim) -> tuple[Any, dict[str, list[Any]]]:
    """What one writer answers and leaves behind; nothing of it stays."""
    known = {row.pk for name in TABLES for row in apps.get_model(name)._default_manager.all()}
    with transaction.atomic():
        try:
            answer = place(cart=cart, store_id=store.id, by=by, claim=key)
            said: Any = (answer.status, answer.replayed)
        except DomainError as refusal:
            errors = sorted(map(repr, refusal.errors))
            said = (type(refusal).__name__, refusal.detail, errors)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        left = world(known)
        transaction.set_rollback(True)
    return said, left


def assert_same(made: Shop, cart: Cart, key: Claim | None = None, by: Actor | None = None) -> Any:
    by, store = by or made.kiosk.actor, made.kiosk.store
    key = key or claim(by)
    expected = outcome(oracle.place_order, cart, by, store, key)
    found = outcome(checkout.place_order, cart, by, store, key)
    assert found[0] == expected[0]
    for name in TABLES:
        assert found[1][name] == expected[1][name], name
    return found[0]


def agreed(made: Shop, cart: Cart) -> tuple[Priced, Order, Claim]:
    """A cart priced and numbered, to be written after something else has happened."""
    store, by = made.kiosk.store, made.kiosk.actor
    facts = store_by_id(store.id)
    priced = checkout._agreed(facts, cart)
    ticket = numbers.take(store_id=store.id, timezone=facts.timezone, day_starts_at=facts.day_starts_at)
    return priced, checkout._order(cart, priced, store.id, by, ticket), claim(by)


def commit(made: Shop, cart: Cart, priced: Priced, order: Order, key: Claim) -> Answer:
    return checkout._commit(order, priced, cart, made.kiosk.actor, key, None)


lines = some.tuples(
    some.integers(0, 3), some.integers(1, 4), some.tuples(some.integers(0, 2), some.integers(0, 1)),
    some.sampled_from(["", "Sem sal; 'é' \\ \"já\"", "🥐"]),
)  # fmt: skip
cents = some.sampled_from([Decimal("7.35"), Decimal("0.01"), Decimal("0.00")])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=some.lists(lines, min_size=1, max_size=5),
    stocks=some.tuples(*[some.sampled_from([200, 200, 40, 6, 0])] * 3),
    prices=some.tuples(cents, cents),
    off=some.sampled_from([None, 20, 100]),
    with_coupon=some.booleans(),
    uses=some.sampled_from([None, 0, 1]),
)
def test_same_carts_leave_the_same_rows(db: None, asked, stocks, prices, off, with_coupon, uses) -> None:
    with transaction.atomic():
        made = shop(stocks, prices, off, uses=uses)
        items = tuple(made.item(*each) for each in asked)
        cart = Cart(
            items=items,
            dining_option="eat_in",
            guest_name="Zoé",
            table_tracker="7",
            coupon=made.coupon.code.lower() if with_coupon else "",
        )
        assert_same(made, cart)
        transaction.set_rollback(True)


def test_plenty_is_placed_by_both(db: None) -> None:
    made = shop((40, 40, 40), (Decimal("7.35"), Decimal("3.00")), 20, uses=1)
    items = (made.item(0, 2, (1, 1), "bem passado"), made.item(3, 3, (0, 1), ""), made.item(1, 1, (0, 0), ""))

    said = assert_same(made, Cart(items=items, dining_option="take_out", coupon=made.coupon.code))

    assert said == (201, False)


def test_what_sells_out_is_marked_by_both(db: None) -> None:
    made = shop((4, 40, 40), (Decimal("7.35"), Decimal("3.00")), None, uses=None)

    said = assert_same(made, Cart(items=(made.item(0, 2, (0, 0), ""),), dining_option="eat_in"))

    assert said == (201, False)


def test_what_costs_nothing_is_received_by_both(db: None) -> None:
    made = shop((40, 40, 40), (Decimal("0.00"), Decimal("3.00")), None, uses=None)

    said = assert_same(made, Cart(items=(made.item(0, 2, (1, 0), ""),), dining_option="eat_in"))

    assert said == (201, False)


@pytest.mark.parametrize("price", ["0.00", "7.35"])
@pytest.mark.parametrize("at_counter", [False, True])
def test_what_needs_release_waits_or_is_let_go_by_both(db: None, price: str, at_counter: bool) -> None:
    made = shop((40, 40, 40), (Decimal(price), Decimal("3.00")), None, uses=None)
    Product.objects.filter(pk=made.singles[0].pk).update(needs_release=True)
    new_menu(made.kiosk.store)
    by = staff(Role.CASHIER, made.kiosk.store) if at_counter else None

    said = assert_same(made, Cart(items=(made.item(0, 2, (0, 0), ""),), dining_option="eat_in"), by=by)

    assert said == (201, False)


def test_everything_short_is_named_by_both(db: None) -> None:
    made = shop((4, 0, 1), (Decimal("7.35"), Decimal("3.00")), None, uses=None)
    items = (made.item(0, 3, (0, 0), ""), made.item(1, 2, (0, 0), ""))

    name, _, errors = assert_same(made, Cart(items=items, dining_option="eat_in"))

    assert name == "OutOfStockError"
    assert len(errors) == 4


def test_last_use_of_a_coupon_that_went_meanwhile_is_refused_by_both(db: None) -> None:
    made = shop((40, 40, 40), (Decimal("7.35"), Decimal("3.00")), None, uses=1)
    cart = Cart(items=(made.item(0),), dining_option="eat_in", coupon=made.coupon.code)
    priced, order, key = agreed(made, cart)
    Coupon.objects.update(used=1)

    for write in (
        lambda: oracle.write(order, priced, cart, made.kiosk.actor, key),
        lambda: commit(made, cart, priced, order, key),
    ):
        with pytest.raises(CouponRefusedError) as refused, transaction.atomic():
            write()
        assert refused.value.errors[0]["code"] == "used_up"
    assert not Order.objects.exists()


def test_customer_of_a_ticket_is_written_by_both(db: None) -> None:
    made = shop((40, 40, 40), (Decimal("7.35"), Decimal("3.00")), None, uses=None)
    document = Document(kind=Kind.CPF, number="52998224725")
    ticket = issue_ticket(document=document, device_id=made.kiosk.device.id, at=_now() - timedelta(minutes=1))

    said = assert_same(made, Cart(items=(made.item(0, 1, (0, 0), ""),), dining_option="eat_in", customer=ticket))

    assert said == (201, False)


def test_known_key_is_replayed_by_both(db: None) -> None:
    made = shop((40, 40, 40), (Decimal("7.35"), Decimal("3.00")), None, uses=None)
    cart = Cart(items=(made.item(0, 1, (0, 0), ""),), dining_option="eat_in")
    key = claim(made.kiosk.actor)
    checkout.place_order(cart=cart, store_id=made.kiosk.store.id, by=made.kiosk.actor, claim=key)

    assert assert_same(made, cart, key) == (201, True)


def test_key_that_a_rival_took_meanwhile_writes_nothing(db: None) -> None:
    made = shop((40, 40, 40), (Decimal("7.35"), Decimal("3.00")), None, uses=None)
    cart = Cart(items=(made.item(0),), dining_option="eat_in")
    priced, order, key = agreed(made, cart)
    checkout.place_order(cart=cart, store_id=made.kiosk.store.id, by=made.kiosk.actor, claim=key)

    with pytest.raises(NotWrittenError) as refused:
        commit(made, cart, priced, order, key)

    assert refused.value.why == "key"
    assert Order.objects.count() == 1
    assert broken_rules() == {}


def test_menu_that_changed_since_memory_is_priced_anew(db: None) -> None:
    made = shop((40, 40, 40), (Decimal("7.35"), Decimal("3.00")), None, uses=None)
    store = made.kiosk.store
    assert remembered_menu(store.id).products[made.singles[0].id].price == Decimal("7.35")
    Product.objects.filter(pk=made.singles[0].pk).update(price=Decimal("8.00"))  # as another process does it
    MenuVersion.objects.filter(store=store).update(value=models.F("value") + 1)

    reply = made.kiosk.buy(made.singles[0])

    assert reply.body["total"] == "8.00"
    assert Order.objects.count() == 1
    assert StockLevel.objects.filter(reserved__gt=0).count() == 2


def test_what_memory_refuses_is_asked_of_the_menu_of_now(db: None) -> None:
    made = shop((40, 40, 40), (Decimal("7.35"), Decimal("3.00")), None, uses=None)
    store = made.kiosk.store
    remembered_menu(store.id)
    Product.objects.filter(pk=made.singles[0].pk).update(price=Decimal("8.00"))
    MenuVersion.objects.filter(store=store).update(value=models.F("value") + 1)

    assert made.kiosk.buy(made.singles[0], expected_total="8.00").status == 201


def test_file_is_what_the_newest_migration_installed(db: None) -> None:
    folder = ROOT / "apps" / "orders" / "migrations"
    installed = [
        module.CHECKOUT_SHA256
        for name in sorted(file.stem for file in folder.glob("[0-9]*.py"))
        if hasattr(module := import_module(f"apps.orders.migrations.{name}"), "CHECKOUT_SHA256")
    ]

    assert installed[-1] == hashlib.sha256(CHECKOUT_SQL.encode()).hexdigest(), "an edit takes a new migration"
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'orders_checkout'")
        assert cursor.fetchone()[0] in CHECKOUT_SQL


def test_open_orders_of_a_device_are_found_without_those_of_the_chain(kiosk: Screen, stranger: Screen) -> None:
    """Among 300 orders that wait at another till; on an empty table every index costs the same."""
    order = place(kiosk.device, ProductFactory())
    of_others = [copy(order) for _ in range(300)]
    for other in of_others:
        other.id, other.placed_by_id = uuid4(), stranger.device.id
        other.number, other.tracking_token = uuid4().hex[:8], uuid4().hex
    Order.objects.bulk_create(of_others)

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT count(*) FROM orders_order WHERE placed_by_id = %s "
            "AND placed_by_kind = 'device' AND status = 0 AND expires_at > now()",
            [kiosk.device.id],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "order_unpaid_of_placer" in plan
    condition = plan.partition("Index Cond")[2].partition("Filter")[0]
    assert "placed_by_id = " in condition
    assert "expires_at > now()" in condition

"""Checkouts that are refused: clearly, and without a trace."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.catalog.models import Product
from apps.core.models import IdempotencyKey, StoredEvent
from apps.inventory.models import Reservation, StockLevel
from apps.orders.models import Order
from apps.stores.models import Store
from tests.factories import (
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    StoreOptionFactory,
    StoreProductFactory,
    new_menu,
    stocked_product,
)
from tests.fixtures import Screen, cart

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def product(store: Store) -> Product:
    return stocked_product(store, 500, price=Decimal("10.00"))


@pytest.fixture
def nothing_stored(store: Store, product: Product) -> Callable[[], None]:
    """Check that the refused checkout left nothing behind."""
    new_menu(store)
    events = StoredEvent.objects.count()

    def check() -> None:
        assert not Order.objects.exists()
        assert not Reservation.objects.exists()
        assert not IdempotencyKey.objects.exists()
        assert StockLevel.objects.filter(reserved=0).count() == StockLevel.objects.count()
        assert StoredEvent.objects.count() == events

    return check


def item(change: dict[str, Any]) -> Change:
    return lambda body: body["items"][0].update(change)


def top(change: dict[str, Any]) -> Change:
    return lambda body: body.update(change)


MALFORMED: dict[str, tuple[Change, list[tuple[str, str]]]] = {
    "quantity 0": (item({"quantity": 0}), [("items[0].quantity", "min_value")]),
    "quantity -1": (item({"quantity": -1}), [("items[0].quantity", "min_value")]),
    "quantity 100": (item({"quantity": 100}), [("items[0].quantity", "max_value")]),
    "quantity 1.5": (item({"quantity": 1.5}), [("items[0].quantity", "invalid")]),
    "quantity 10**19": (item({"quantity": 10**19}), [("items[0].quantity", "max_value")]),
    "quantity 10**30": (item({"quantity": 10**30}), []),
    "quantity Arabic": (item({"quantity": "٣"}), [("items[0].quantity", "invalid")]),
    "quantity text": (item({"quantity": "1"}), [("items[0].quantity", "invalid")]),
    "quantity true": (item({"quantity": True}), [("items[0].quantity", "invalid")]),
    "quantity null": (item({"quantity": None}), [("items[0].quantity", "null")]),
    "quantity missing": (lambda body: body["items"][0].pop("quantity"), [("items[0].quantity", "required")]),
    "product not an id": (item({"product": "coxinha"}), [("items[0].product", "invalid")]),
    "note 141": (item({"note": "x" * 141}), [("items[0].note", "max_length")]),
    "note number": (item({"note": 7}), [("items[0].note", "invalid")]),
    "forged price": (item({"unit_price": "0.01"}), [("items[0].unit_price", "unknown_field")]),
    "grams": (item({"grams": 500}), [("items[0].grams", "unknown_field")]),
    "option quantity 0": (
        item({"options": [{"option": str(uuid4()), "quantity": 0}]}),
        [("items[0].options[0].quantity", "min_value")],
    ),
    "no items": (top({"items": []}), [("items", "min_length")]),
    "61 items": (lambda body: body.update(items=body["items"] * 61), [("items", "max_length")]),
    "items not a list": (top({"items": {}}), [("items", "not_a_list")]),
    "guest name 41": (top({"guest_name": "x" * 41}), [("guest_name", "max_length")]),
    "table 13": (top({"table_tracker": "1" * 13}), [("table_tracker", "max_length")]),
    "dining option": (top({"dining_option": "drive_in"}), [("dining_option", "invalid_choice")]),
    "dining option missing": (lambda body: body.pop("dining_option"), [("dining_option", "required")]),
    "forged total": (top({"total": "0.01"}), [("total", "unknown_field")]),
    "forged status": (top({"status": "paid"}), [("status", "unknown_field")]),
    "forged store": (top({"store": str(uuid4())}), [("store", "unknown_field")]),
    "expected total NaN": (top({"expected_total": "NaN"}), [("expected_total", "invalid")]),
    "expected total negative": (top({"expected_total": "-1.00"}), [("expected_total", "min_value")]),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_cart_is_refused(
    case: str, kiosk: Screen, product: Product, nothing_stored: Callable[[], None]
) -> None:
    change, errors = MALFORMED[case]
    body = cart(product)
    change(body)

    reply = kiosk.checkout(body)

    assert reply.code == (400, "invalid")
    assert reply.errors == errors
    nothing_stored()


@pytest.mark.parametrize("raw", [b"null", b"[]", b'"text"', b"1"])
def test_body_that_is_no_object_is_refused(raw: bytes, kiosk: Screen, nothing_stored: Callable[[], None]) -> None:
    assert kiosk.checkout(raw).code == (400, "invalid")
    nothing_stored()


def test_more_than_300_units_are_refused(
    store: Store, kiosk: Screen, product: Product, nothing_stored: Callable[[], None]
) -> None:
    reply = kiosk.buy(product, product, product, product, quantity=76)

    assert reply.code == (400, "invalid")
    assert reply.errors == [("items", "max_units")]
    nothing_stored()
    assert kiosk.buy(product, product, product, product, quantity=75).status == 201


def test_more_than_5000_reais_are_refused(store: Store, kiosk: Screen) -> None:
    most, cent = ProductFactory(price=Decimal("100.00")), ProductFactory(price=Decimal("0.01"))
    new_menu(store)

    reply = kiosk.checkout(cart() | {"items": [*cart(most, quantity=50)["items"], *cart(cent)["items"]]})

    assert reply.code == (400, "invalid")
    assert reply.errors == [("items", "max_total")]
    assert not Order.objects.exists()
    assert kiosk.buy(most, quantity=50).body["total"] == "5000.00"


def test_price_that_changed_since_it_was_shown_is_refused_with_the_new_quote(
    kiosk: Screen, product: Product, nothing_stored: Callable[[], None]
) -> None:
    reply = kiosk.buy(product, expected_total="9.99")

    assert reply.code == (409, "price_changed")
    assert reply.body["quote"] == kiosk.post("/orders/quote", cart(product)).body
    assert reply.body["quote"]["total"] == "10.00"
    nothing_stored()


def test_short_stock_names_the_product_and_what_is_left(
    store: Store, kiosk: Screen, product: Product, nothing_stored: Callable[[], None]
) -> None:
    scarce = stocked_product(store, 2)
    new_menu(store)
    events = StoredEvent.objects.count()

    reply = kiosk.buy(product, scarce, quantity=3)

    assert reply.code == (409, "out_of_stock")
    assert [(error["product"], error["available"]) for error in reply.body["errors"]] == [(str(scarce.id), 2)]
    assert not Order.objects.exists()
    assert not Reservation.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert list(StockLevel.objects.filter(reserved=0).values_list("on_hand", flat=True).order_by("on_hand")) == [2, 500]
    assert StoredEvent.objects.count() == events


def test_refused_checkout_may_be_repeated_with_its_key(store: Store, kiosk: Screen) -> None:
    scarce = stocked_product(store, 2)
    new_menu(store)
    assert kiosk.checkout(cart(scarce, quantity=3), key="k").status == 409

    reply = kiosk.checkout(cart(scarce, quantity=2), key="k")

    assert reply.status == 201
    assert "Idempotent-Replayed" not in reply.response


@pytest.mark.parametrize("kind", ["archived", "archived shelf", "not sold here", "unknown"])
def test_product_that_is_not_on_this_stores_menu_is_refused(
    kind: str, store: Store, kiosk: Screen, nothing_stored: Callable[[], None]
) -> None:
    other = ProductFactory(archived_at=timezone.now() if kind == "archived" else None)
    if kind == "archived shelf":
        other.category.archived_at = timezone.now()
        other.category.save()
    if kind == "not sold here":
        StoreProductFactory(store=store, product=other, sold_here=False)
    if kind == "unknown":
        other.id = uuid4()
    new_menu(store)

    reply = kiosk.buy(other)

    assert reply.code == (400, "invalid")
    assert reply.errors == [("items[0].product", "invalid")]
    assert not Order.objects.exists()


def test_product_sold_only_in_another_store_is_refused(kiosk: Screen, stranger: Screen) -> None:
    theirs = ProductFactory()
    StoreProductFactory(store=kiosk.store, product=theirs, sold_here=False)
    new_menu(kiosk.store, stranger.store)

    assert kiosk.buy(theirs).code == (400, "invalid")
    assert stranger.buy(theirs).status == 201


@pytest.mark.parametrize("paused", ["product", "option"])
def test_paused_thing_is_refused_until_the_pause_ends(paused: str, store: Store, kiosk: Screen) -> None:
    product = ProductFactory()
    option = OptionFactory(group=ProductModifierGroupFactory(product=product).group)
    until = timezone.now() + timedelta(hours=1)
    if paused == "product":
        row = StoreProductFactory(store=store, product=product, paused_until=until)
    else:
        row = StoreOptionFactory(store=store, option=option, paused_until=until)
    new_menu(store)
    body = cart(product)
    body["items"][0]["options"] = [{"option": str(option.id)}]

    reply = kiosk.checkout(body)

    assert reply.code == (409, "item_unavailable")
    assert [error["product"] for error in reply.body["errors"]] == [str(product.id)]
    assert not Order.objects.exists()
    row.paused_until = timezone.now() - timedelta(seconds=1)
    row.save()
    new_menu(store)
    assert kiosk.checkout(body).status == 201

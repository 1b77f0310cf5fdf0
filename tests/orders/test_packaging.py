"""Packaging costs once an order, only to take away; no offer takes it off, and totals, refunds and receipts know of it."""

from decimal import Decimal

import pytest
from django.utils import timezone

from apps.catalog.models import Product
from apps.core.actors import Role
from apps.orders.cancel import void_item
from apps.orders.models import Order, OrderLine
from apps.orders.services import mark_paid
from apps.promotions.models import Coupon
from apps.stores.models import Store
from apps.stores.services import opening_changed
from tests.factories import ProductFactory, staff
from tests.fixtures import Screen, broken_rules, cart

pytestmark = pytest.mark.django_db


@pytest.fixture
def product(store: Store) -> Product:
    store.packaging_fee = Decimal("1.50")
    store.save()
    made: Product = ProductFactory(price=Decimal("10.00"))
    opening_changed(store_id=store.id, at=timezone.now())
    return made


def sums(body: dict[str, str]) -> tuple[str, str, str, str]:
    return body["subtotal"], body["discount_total"], body["packaging_fee"], body["total"]


def test_taking_away_costs_what_the_quote_said(kiosk: Screen, product: Product) -> None:
    here, away = cart(product, quantity=2), cart(product, quantity=2, dining_option="take_out")

    assert kiosk.get("/menu").body["store"]["packaging_fee"] == "1.50"
    assert sums(kiosk.post("/orders/quote", here).body) == ("20.00", "0.00", "0.00", "20.00")
    assert sums(kiosk.post("/orders/quote", away).body) == ("20.00", "0.00", "1.50", "21.50")
    assert sums(kiosk.checkout(here | {"expected_total": "20.00"}).body) == ("20.00", "0.00", "0.00", "20.00")
    assert kiosk.checkout(away | {"expected_total": "20.00"}).code == (409, "price_changed")
    ordered = kiosk.checkout(away | {"expected_total": "21.50"})
    assert sums(ordered.body) == ("20.00", "0.00", "1.50", "21.50")
    assert sums(kiosk.get(f"/orders/{ordered.body['id']}").body) == ("20.00", "0.00", "1.50", "21.50")
    assert broken_rules() == {}


def test_no_coupon_takes_packaging_off(kiosk: Screen, product: Product) -> None:
    Coupon.objects.create(code="TUDO", name="Tudo", kind="percent", value=100)

    ordered = kiosk.buy(product, dining_option="take_out", coupon="TUDO")

    assert sums(ordered.body) == ("10.00", "10.00", "1.50", "1.50")
    assert ordered.body["status"] == "awaiting_payment"
    assert broken_rules() == {}


def test_new_fee_is_asked_for_before_it_is_charged(kiosk: Screen, product: Product) -> None:
    kiosk.buy(product)  # this process remembers the menu of before
    Store.objects.filter(id=kiosk.store.id).update(packaging_fee=Decimal("3.00"))
    opening_changed(store_id=kiosk.store.id, at=timezone.now())

    assert kiosk.buy(product, dining_option="take_out", expected_total="11.50").code == (409, "price_changed")
    assert kiosk.buy(product, dining_option="take_out", expected_total="13.00").status == 201


def test_voided_item_leaves_the_packaging_paid(kiosk: Screen, product: Product) -> None:
    other = ProductFactory(price=Decimal("20.00"))
    opening_changed(store_id=kiosk.store.id, at=timezone.now())
    order = Order.objects.get(id=kiosk.buy(product, other, dining_option="take_out").body["id"])
    cashier, now = staff(Role.CASHIER, kiosk.store), timezone.now()
    mark_paid(order_id=order.id, by=cashier, at=now)
    first = OrderLine.objects.filter(order=order).order_by("position").first()

    void = void_item(order_id=order.id, line_id=first.id, reason="acabou", by=cashier, at=now)

    assert void.amount == Decimal("10.00")

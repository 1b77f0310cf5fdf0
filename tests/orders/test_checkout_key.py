"""The key of a checkout: the same request is answered once and for all, another one is refused."""

import pytest

from apps.catalog.models import Product
from apps.core.models import IdempotencyKey
from apps.orders.models import Order
from apps.stores.models import Store
from tests.factories import ProductFactory, new_menu, stocked_product
from tests.fixtures import Screen, broken_rules, cart


@pytest.fixture
def product(store: Store) -> Product:
    product = stocked_product(store, 3)
    new_menu(store)
    return product


def test_repeat_gets_the_same_bytes_and_says_so(kiosk: Screen, product: Product) -> None:
    first = kiosk.checkout(cart(product), key="k-1")
    Order.objects.update(guest_name="changed since")

    again = kiosk.checkout(cart(product), key="k-1")

    assert (again.status, again.response.content) == (201, first.response.content)
    assert again.response["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.response
    assert Order.objects.count() == 1
    assert broken_rules() == {}


def test_repeat_is_answered_even_when_the_goods_are_gone(kiosk: Screen, product: Product) -> None:
    first = kiosk.checkout(cart(product, quantity=3), key="k-1")

    again = kiosk.checkout(cart(product, quantity=3), key="k-1")

    assert (again.status, again.response.content) == (201, first.response.content)


def test_order_of_the_members_does_not_make_another_body(kiosk: Screen, product: Product) -> None:
    body = cart(product, guest_name="Ana")
    first = kiosk.checkout(body, key="k-1")

    again = kiosk.checkout(dict(reversed(body.items())), key="k-1")

    assert again.response.content == first.response.content


def test_same_key_with_another_body_is_refused(kiosk: Screen, product: Product) -> None:
    kiosk.checkout(cart(product), key="k-1")

    reply = kiosk.checkout(cart(product, quantity=2), key="k-1")

    assert reply.code == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_key_belongs_to_its_credential(store: Store, kiosk: Screen, product: Product) -> None:
    neighbour = Screen(store)

    first, second = kiosk.checkout(cart(product), key="k-1"), neighbour.checkout(cart(product), key="k-1")

    assert (first.status, second.status) == (201, 201)
    assert first.body["id"] != second.body["id"]


@pytest.mark.parametrize("key", [None, "", "k" * 65, "café", "tab\tkey", "chave\u00a0"])
def test_unusable_key_is_refused(key: str | None, kiosk: Screen, product: Product) -> None:
    reply = kiosk.post("/orders/checkout", cart(product), key=key)

    assert reply.code == (400, "invalid")
    assert reply.errors == [("Idempotency-Key", "invalid" if key else "required")]
    assert not Order.objects.exists()


@pytest.mark.parametrize("key", ["k", "k" * 64, "two words", "~!@#$%^&*()"])
def test_printable_ascii_up_to_64_is_a_key(key: str, kiosk: Screen, product: Product) -> None:
    assert kiosk.checkout(cart(product), key=key).status == 201
    assert IdempotencyKey.objects.get().key == key


def test_product_of_no_stock_control_needs_no_hold(store: Store, kiosk: Screen) -> None:
    coffee = ProductFactory()
    new_menu(store)

    assert kiosk.buy(coffee, quantity=99).status == 201
    assert broken_rules() == {}

"""Whose order it is: the ticket of a CPF that was typed at the kiosk, used up with the checkout or not at all."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.catalog.models import Product
from apps.core.actors import Actor, Grant, Role
from apps.core.dispatch import deliver_new
from apps.core.models import IdempotencyKey, StoredEvent
from apps.customers.models import Customer, LookupTicket
from apps.customers.services import erase_customer, issue_ticket
from apps.orders.checkout import Cart, place_order
from apps.orders.models import Order
from apps.orders.rules import AskedItem
from apps.stores.models import Store
from breadmate.subscriptions import AFTER_COMMIT
from tests.customers.people import document, known, new_cpf
from tests.factories import claim, new_menu, staff, stocked_product
from tests.fixtures import Screen, broken_rules, cart


@pytest.fixture
def product(store: Store) -> Product:
    product = stocked_product(store, 3)
    new_menu(store)
    return product


@pytest.fixture
def cpf(db: None) -> str:
    return new_cpf()


@pytest.fixture
def customer(cpf: str) -> Customer:
    return known(cpf)


def ticket_for(screen: Screen, cpf: str) -> str:
    """A ticket as the look-up gives it out, a moment ago: a test's transaction has one time for all that is placed in it."""
    at = timezone.now() - timedelta(minutes=1)
    return issue_ticket(document=document(cpf), device_id=screen.device.id, at=at)


def test_order_belongs_to_the_customer_of_the_ticket(
    kiosk: Screen, product: Product, customer: Customer, cpf: str
) -> None:
    ticket = ticket_for(kiosk, cpf)

    reply = kiosk.buy(product, customer=ticket)

    assert reply.status == 201
    assert Order.objects.get().customer_id == customer.id
    assert LookupTicket.objects.get().used_at == Order.objects.get().placed_at
    assert ticket not in reply.response.content.decode()
    assert "customer" not in reply.body
    assert broken_rules() == {}


def test_customer_is_shown_to_no_board_and_no_panel(
    kiosk: Screen, board: Screen, panel: Screen, product: Product, customer: Customer, cpf: str
) -> None:
    order = Order.objects.get(id=kiosk.buy(product, customer=ticket_for(kiosk, cpf)).body["id"])
    Order.objects.update(status=1, paid_at=order.placed_at, queue_at=order.placed_at)

    for screen in (board, panel):
        said = screen.get("/orders").response.content.decode()
        assert order.number in said
        assert str(customer.id) not in said


def test_cpf_that_nobody_registered_makes_an_order_of_nobody(kiosk: Screen, product: Product, cpf: str) -> None:
    assert kiosk.buy(product, customer=ticket_for(kiosk, cpf)).status == 201
    assert Order.objects.get().customer_id is None
    assert LookupTicket.objects.get().used_at is not None


@pytest.mark.parametrize("trouble", ["unknown", "used", "expired", "of another device"])
def test_ticket_that_is_not_good_is_refused_and_nothing_is_stored(
    trouble: str, kiosk: Screen, store: Store, product: Product, customer: Customer, cpf: str
) -> None:
    ticket = ticket_for(Screen(store) if trouble == "of another device" else kiosk, cpf)
    if trouble == "used":
        assert kiosk.buy(product, customer=ticket).status == 201
    if trouble == "expired":
        long_ago = timezone.now() - timedelta(minutes=11)
        LookupTicket.objects.update(created_at=long_ago, expires_at=long_ago + timedelta(minutes=10))
    placed, told = Order.objects.count(), StoredEvent.objects.count()

    reply = kiosk.buy(product, customer="x" * 32 if trouble == "unknown" else ticket)

    assert reply.code == (400, "invalid")
    assert reply.errors == [("customer", "invalid")]
    assert (Order.objects.count(), StoredEvent.objects.count()) == (placed, told)
    assert IdempotencyKey.objects.count() == placed
    assert broken_rules() == {}


def test_repeat_with_a_used_ticket_is_replayed(kiosk: Screen, product: Product, customer: Customer, cpf: str) -> None:
    body = cart(product, customer=ticket_for(kiosk, cpf))
    first = kiosk.checkout(body, key="k")

    again = kiosk.checkout(body, key="k")

    assert (again.status, again.response.content) == (201, first.response.content)


def test_refused_checkout_leaves_the_ticket_good(kiosk: Screen, product: Product, customer: Customer, cpf: str) -> None:
    ticket = ticket_for(kiosk, cpf)

    assert kiosk.buy(product, quantity=4, customer=ticket).code == (409, "out_of_stock")
    assert LookupTicket.objects.get().used_at is None
    assert kiosk.buy(product, customer=ticket).status == 201


def test_order_of_a_signed_in_customer_is_theirs(store: Store, product: Product, customer: Customer) -> None:
    by = Actor(kind="customer", id=customer.id, grants=frozenset({Grant(Role.KIOSK, store.id)}))
    items = (AskedItem(product.id, 1),)

    place_order(cart=Cart(items=items, dining_option="take_out"), store_id=store.id, by=by, claim=claim(by))

    order = Order.objects.get()
    assert (order.customer_id, order.channel) == (customer.id, "Q")


def test_erased_customer_leaves_orders_of_nobody(kiosk: Screen, product: Product, customer: Customer, cpf: str) -> None:
    theirs = kiosk.buy(product, customer=ticket_for(kiosk, cpf), guest_name="Maria").body["id"]
    other_cpf = new_cpf()
    stays = known(other_cpf)
    others = kiosk.buy(product, customer=ticket_for(kiosk, other_cpf), guest_name="Maria").body["id"]

    erase_customer(customer_id=customer.id, by=staff(Role.OWNER, None), at=timezone.now())
    while deliver_new(AFTER_COMMIT, at=timezone.now()):
        pass

    erased, kept = Order.objects.get(id=theirs), Order.objects.get(id=others)
    assert (erased.customer_id, erased.guest_name) == (None, "")
    assert (kept.customer_id, kept.guest_name) == (stays.id, "Maria")
    assert broken_rules() == {}

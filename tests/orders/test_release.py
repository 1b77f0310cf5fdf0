"""What is not sold to everybody: an order with it is paid only after a person at the counter has let it go."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from apps.catalog.models import Product
from apps.core.actors import PROVIDER, Actor, Role
from apps.core.errors import DomainError
from apps.core.models import AuditEntry, StoredEvent
from apps.inventory.models import StockLevel
from apps.orders.cancel import cancel_order
from apps.orders.models import Order
from apps.orders.releasing import refuse_release, release_order
from apps.orders.services import expire_unpaid, mark_paid, revive_expired
from apps.payments.models import Charge
from apps.payments.rules import Method, Tender
from apps.payments.services import confirm_counter, open_charge
from apps.promotions.models import Coupon
from apps.stores.models import Store
from tests.catalog_api.conftest import Desk
from tests.combos.boxes import cart_of, combo, filled
from tests.factories import ProductFactory, StoreFactory, claim, new_menu, place, staff, stocked_product
from tests.fixtures import Reply, Screen, broken_rules, cart

pytestmark = pytest.mark.django_db


@pytest.fixture
def beer(store: Store) -> Product:
    made = stocked_product(store, 5, needs_release=True, name="Cerveja", price=Decimal("12.00"))
    new_menu(store)
    return made


@pytest.fixture
def cashier(store: Store) -> Desk:
    return Desk(Role.CASHIER, store)


def pay(screen: Screen, order: str, method: str = "counter") -> Reply:
    return screen.post("/payments", {"order": order, "method": method}, key=str(uuid4()))


def test_menu_and_cart_say_what_needs_release(kiosk: Screen, board: Screen, beer: Product) -> None:
    water = ProductFactory()
    new_menu(kiosk.store)
    shelves = kiosk.get("/menu").body["categories"]

    assert {product["id"]: product["needs_release"] for shelf in shelves for product in shelf["products"]} == {
        str(beer.id): True,
        str(water.id): False,
    }
    ordered = kiosk.buy(beer, water).body
    assert [item["needs_release"] for item in ordered["items"]] == [True, False]
    seen = board.get(f"/orders/{ordered['id']}").body
    assert [item["needs_release"] for item in seen["items"]] == [True, False]
    assert kiosk.buy(water).body["release"] is None


@pytest.mark.parametrize("method", ["mercado_pago_qr", "counter"])
def test_nothing_is_charged_before_release(kiosk: Screen, cashier: Desk, beer: Product, method: str) -> None:
    order = kiosk.buy(beer).body
    assert (order["status"], order["release"]) == ("awaiting_payment", "waiting")

    assert pay(kiosk, order["id"], method).code == (409, "release_required")
    assert not Charge.objects.exists()
    assert kiosk.get(f"/orders/{order['id']}/status").body["release"] == "waiting"


def test_released_order_is_paid(kiosk: Screen, cashier: Desk, beer: Product) -> None:
    order = kiosk.buy(beer).body
    Order.objects.update(expires_at=timezone.now() + timedelta(seconds=5))

    released = cashier.call("POST", f"/orders/{order['id']}/release", {"release": True})
    again = cashier.call("POST", f"/orders/{order['id']}/release", {"release": True})

    assert (released.status, released.body["release"], released.body["version"]) == (200, "released", 2)
    assert again.body == released.body
    kept = Order.objects.get()
    assert kept.released_by_id == cashier.user.id
    assert kept.released_at is not None
    assert kept.expires_at is not None
    assert kept.expires_at > timezone.now() + timedelta(minutes=4), "the guest has the whole time to pay again"
    event = StoredEvent.objects.get(type="order.released")
    assert (event.subject_id, event.seq, event.payload) == (kept.id, 2, {"by": str(cashier.user.id)})
    told = AuditEntry.objects.get(action="orders.released")
    assert (told.actor_id, told.subject_id) == (cashier.user.id, kept.id)
    steps = cashier.call("GET", f"/orders/{order['id']}/history").body["results"]
    assert [(step["kind"], step["by"]) for step in steps[1:]] == [("release", cashier.user.name)]
    assert kiosk.get(f"/orders/{order['id']}/status").body["release"] == "released"
    assert pay(kiosk, order["id"]).status == 201
    assert broken_rules() == {}


def test_refused_order_is_cancelled_and_its_goods_are_free(kiosk: Screen, cashier: Desk, beer: Product) -> None:
    order = kiosk.buy(beer, quantity=2).body
    assert StockLevel.objects.get().reserved == 2

    refused = cashier.call("POST", f"/orders/{order['id']}/release", {"release": False})
    again = cashier.call("POST", f"/orders/{order['id']}/release", {"release": False})

    assert (refused.status, refused.body["status"], refused.body["release"]) == (200, "cancelled", "refused")
    assert again.body == refused.body
    assert Order.objects.get().cancel_reason == "Venda não liberada no balcão"
    assert StockLevel.objects.get().reserved == 0
    assert AuditEntry.objects.filter(action="orders.release_refused", actor_id=cashier.user.id).count() == 1
    late = cashier.call("POST", f"/orders/{order['id']}/release", {"release": True})
    assert late.code == (409, "invalid_transition")
    assert pay(kiosk, order["id"]).code == (409, "already_paid")
    assert broken_rules() == {}


def test_order_that_waits_for_nothing_is_not_released(kiosk: Screen, cashier: Desk, beer: Product) -> None:
    water = ProductFactory()
    new_menu(kiosk.store)
    order = kiosk.buy(water).body["id"]

    for release in (True, False):
        refused = cashier.call("POST", f"/orders/{order}/release", {"release": release})
        assert refused.code == (409, "invalid_transition")
    assert cashier.call("POST", f"/orders/{order}/release", {}).code == (400, "invalid")
    elsewhere = Desk(Role.CASHIER, StoreFactory())
    assert elsewhere.call("POST", f"/orders/{order}/release", {"release": True}).code == (404, "not_found")
    assert kiosk.post(f"/orders/{order}/release", {"release": True}).code[0] == 403


def test_staff_release_what_they_order_themselves(cashier: Desk, beer: Product, store: Store) -> None:
    raw = cashier.client.post(
        "/api/v1/orders/checkout", cart(beer), format="json", headers={"Idempotency-Key": str(uuid4())}
    )

    assert (raw.status_code, raw.json()["release"]) == (201, "released")
    kept = Order.objects.get()
    assert (kept.released_by_id, kept.released_at) == (cashier.user.id, kept.placed_at)
    assert StoredEvent.objects.get(type="order.released").payload == {"by": str(cashier.user.id)}
    assert AuditEntry.objects.filter(action="orders.released", subject_id=kept.id).count() == 1
    assert broken_rules() == {}


def test_order_that_costs_nothing_waits_too(kiosk: Screen, cashier: Desk, beer: Product) -> None:
    Coupon.objects.create(code="TUDO", name="Tudo", kind="percent", value=100)

    order = kiosk.buy(beer, coupon="TUDO").body
    assert (order["status"], order["release"]) == ("awaiting_payment", "waiting")
    released = cashier.call("POST", f"/orders/{order['id']}/release", {"release": True}).body

    assert (released["status"], released["release"]) == ("received", "released")
    assert broken_rules() == {}


def test_what_fills_a_combo_counts(kiosk: Screen, beer: Product) -> None:
    water = ProductFactory()
    box = combo([water, beer])
    new_menu(kiosk.store)

    shelves = kiosk.get("/menu").body["categories"]
    slots = [slot for shelf in shelves for product in shelf["products"] for slot in product["slots"]]
    assert [choice["needs_release"] for choice in slots[0]["choices"]] == [False, True]
    assert kiosk.checkout(cart_of(filled(box, water))).body["release"] is None
    assert kiosk.checkout(cart_of(filled(box, beer))).body["release"] == "waiting"


STEPS = ["pay", "confirm", "mark_paid", "release", "refuse", "cancel", "pass_time", "revive"]


def take(step: str, order: Order, guest: Actor, cashier: Actor) -> None:
    at, charge = timezone.now(), Charge.objects.filter(order=order).last()
    if step == "pay":
        open_charge(order_id=order.id, method=Method.COUNTER, by=guest, claim=claim(guest), at=at)
    elif step == "confirm" and charge is not None:
        confirm_counter(charge_id=charge.id, tender=Tender.CASH, received=None, by=cashier, at=at)
    elif step == "mark_paid":
        mark_paid(order_id=order.id, by=PROVIDER, at=at)
    elif step == "release":
        release_order(order_id=order.id, by=cashier, at=at)
    elif step == "refuse":
        refuse_release(order_id=order.id, by=cashier, at=at)
    elif step == "cancel":
        cancel_order(order_id=order.id, by=guest, at=at)
    elif step == "pass_time":
        Order.objects.filter(status=0).update(expires_at=at - timedelta(seconds=1))
        expire_unpaid(at=at)
    elif step == "revive":
        revive_expired(order_id=order.id, by=PROVIDER, at=at)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=some.lists(some.sampled_from(STEPS), min_size=1, max_size=8))
def test_no_way_leads_to_paid_without_release(kiosk: Screen, beer: Product, steps: list[str]) -> None:
    with transaction.atomic():
        order, cashier = place(kiosk.device, beer), staff(Role.CASHIER, kiosk.store)
        released = False
        for step in steps:
            try:
                with transaction.atomic():
                    take(step, order, kiosk.actor, cashier)
            except DomainError:
                continue
            released = released or step == "release"
            order.refresh_from_db()
            assert released or order.paid_at is None, step
        transaction.set_rollback(True)


def test_database_knows_no_way_either(kiosk: Screen, beer: Product) -> None:
    order = place(kiosk.device, beer)

    with pytest.raises(IntegrityError, match="order_not_paid_before_released"), transaction.atomic():
        Order.objects.filter(id=order.id).update(paid_at=timezone.now())

"""Placing an order through the API: what is stored, what is answered, what is told."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings

from apps.core.models import StoredEvent
from apps.inventory.models import Reservation, StockLevel
from apps.orders.models import Order, OrderLine, Preparation
from apps.orders.rules import Status
from apps.stores.models import Store
from tests.factories import (
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    StoreProductFactory,
    new_menu,
    stocked_product,
)
from tests.fixtures import Screen, broken_rules, cart


def test_order_is_answered_and_stored_as_the_contract_says(store: Store, kiosk: Screen) -> None:
    product = stocked_product(store, 5, name="Coxinha", price=Decimal("8.50"), station="fritura")
    new_menu(store)

    reply = kiosk.buy(product, quantity=2, guest_name="Ana", expected_total="17.00")

    order = Order.objects.get()
    line = order.lines.get()
    assert reply.status == 201
    assert reply.body == {
        "id": str(order.id),
        "number": "T001",
        "status": "awaiting_payment",
        "status_label": "Aguardando pagamento",
        "version": 1,
        "store": str(store.id),
        "training": False,
        "channel": "T",
        "dining_option": "eat_in",
        "guest_name": "Ana",
        "items": [
            {
                "id": str(line.id),
                "product": str(product.id),
                "name": "Coxinha",
                "quantity": 2,
                "unit_price": "8.50",
                "options": [],
                "slots": [],
                "note": "",
                "needs_release": False,
                "total": "17.00",
                "state": "queued",
            }
        ],
        "subtotal": "17.00",
        "discount_total": "0.00",
        "discounts": [],
        "packaging_fee": "0.00",
        "total": "17.00",
        "placed_at": reply.body["placed_at"],
        "paid_at": None,
        "promised_at": None,
        "ready_at": None,
        "expires_at": reply.body["expires_at"],
        "scheduled_for": None,
        "tracking_url": f"{settings.PUBLIC_URL}/t/{order.tracking_token}/",
        "stream_url": f"{settings.STREAM_URL}/api/v1/orders/{order.id}/stream",
        "pickup_code": order.pickup_code,
        "payment": None,
        "release": None,
    }
    assert kiosk.get(f"/orders/{order.id}").body == reply.body
    assert UUID(reply.body["id"]).version == 7
    assert order.expires_at - order.placed_at == timedelta(seconds=settings.ORDER_TTL_SECONDS)
    assert (line.station, line.position) == ("fritura", 0)


def test_order_holds_stock_and_nothing_more(store: Store, kiosk: Screen) -> None:
    product = stocked_product(store, 5)
    new_menu(store)

    kiosk.buy(product, quantity=2)

    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved) == (5, 2)
    assert (Reservation.objects.get().quantity, Reservation.objects.get().state) == (2, "held")
    assert not Preparation.objects.exists()
    assert broken_rules() == {}


def test_order_is_told_with_the_change(store: Store, kiosk: Screen) -> None:
    product = stocked_product(store, 5, price=Decimal("4.50"))
    new_menu(store)
    StoredEvent.objects.all().delete()

    order_id = UUID(kiosk.buy(product, quantity=3).body["id"])

    told = StoredEvent.objects.order_by("id")
    assert sorted((event.type, event.seq) for event in told) == [
        ("inventory.updated", 2),
        ("order.created", 1),
        ("order.status_changed", 1),
    ]
    assert told.get(type="order.created").payload == {"items": 3, "total": "13.50"}
    assert told.get(type="order.created").subject_id == order_id
    assert told.get(type="inventory.updated").payload["quantity"] == 2
    assert {event.store_id for event in told} == {store.id}


def test_total_is_quantity_times_product_and_options(store: Store, kiosk: Screen) -> None:
    bread, coffee = ProductFactory(price=Decimal("14.90")), ProductFactory(price=Decimal("5.00"))
    extras = ProductModifierGroupFactory(product=bread).group
    bacon, cheese = (
        OptionFactory(group=extras, position=1, price=Decimal("4.00")),
        OptionFactory(group=extras, position=2, price=Decimal("0.35")),
    )
    new_menu(store)
    chosen = [{"option": str(bacon.id), "quantity": 2}, {"option": str(cheese.id)}]
    body = cart(bread, coffee, quantity=3)
    body["items"][0] |= {"options": chosen, "note": "Sem cebola"}

    reply = kiosk.checkout(body)

    assert [item["total"] for item in reply.body["items"]] == ["69.75", "15.00"]
    assert (reply.body["subtotal"], reply.body["total"]) == ("84.75", "84.75")
    assert reply.body["items"][0]["options"] == [
        {"option": str(bacon.id), "name": bacon.name, "quantity": 2, "unit_price": "4.00"},
        {"option": str(cheese.id), "name": cheese.name, "quantity": 1, "unit_price": "0.35"},
    ]
    assert reply.body["items"][0]["note"] == "Sem cebola"
    assert kiosk.get(f"/orders/{reply.body['id']}").body == reply.body
    assert broken_rules() == {}


def test_same_product_on_two_lines_is_held_once_in_sum(store: Store, kiosk: Screen) -> None:
    product = stocked_product(store, 5)
    new_menu(store)

    reply = kiosk.buy(product, product, quantity=2)

    assert reply.status == 201
    assert Reservation.objects.get().quantity == 4
    assert OrderLine.objects.count() == 2


def test_store_price_is_charged_instead_of_the_chains(store: Store, kiosk: Screen, stranger: Screen) -> None:
    product = ProductFactory(price=Decimal("5.00"))
    StoreProductFactory(store=store, product=product, price=Decimal("6.00"))
    StoreProductFactory(store=stranger.store, product=product, price=Decimal("99.00"))
    new_menu(store)

    assert kiosk.buy(product).body["total"] == "6.00"


def test_order_keeps_the_names_and_prices_it_was_sold_at(store: Store, kiosk: Screen) -> None:
    product = ProductFactory(name="Pão na chapa", price=Decimal("6.50"))
    option = OptionFactory(
        group=ProductModifierGroupFactory(product=product).group, name="Com queijo", price=Decimal("3.00")
    )
    new_menu(store)
    body = cart(product)
    body["items"][0]["options"] = [{"option": str(option.id)}]
    sold = kiosk.checkout(body).body

    product.name, product.price, option.name, option.price = "Pão caro", Decimal("60.00"), "Sem", Decimal("0.00")
    product.save()
    option.save()
    new_menu(store)

    assert kiosk.get(f"/orders/{sold['id']}").body == sold
    assert kiosk.checkout(body).body["total"] == "60.00"


def test_numbers_grow_per_store_and_start_anew_in_another(kiosk: Screen, stranger: Screen) -> None:
    product = ProductFactory()
    new_menu(kiosk.store, stranger.store)

    numbers = [screen.buy(product).body["number"] for screen in (kiosk, kiosk, stranger, kiosk, stranger)]

    assert numbers == ["T001", "T002", "T001", "T003", "T002"]


def test_tracking_tokens_and_ids_cannot_be_guessed_from_each_other(kiosk: Screen) -> None:
    product = ProductFactory()
    new_menu(kiosk.store)

    tokens = {kiosk.buy(product).body["tracking_url"] for _ in range(3)}

    assert len(tokens) == 3
    assert {len(Order.objects.get(tracking_token=token.split("/")[-2]).tracking_token) for token in tokens} == {22}


def test_quote_says_what_checkout_charges(store: Store, kiosk: Screen) -> None:
    product = ProductFactory(price=Decimal("3.33"), prep_minutes=7)
    new_menu(store)
    body = cart(product, quantity=3)

    quote = kiosk.post("/orders/quote", body)

    assert quote.status == 200
    assert (quote.body["total"], quote.body["promised_minutes"]) == ("9.99", 7)
    assert not Order.objects.exists()
    assert kiosk.checkout(body | {"expected_total": quote.body["total"]}).status == 201


def test_order_that_costs_nothing_is_received_at_once(store: Store, kiosk: Screen) -> None:
    product = ProductFactory(price=Decimal("0.00"))
    new_menu(store)

    body = cart(product)
    first = kiosk.checkout(body, key="free")
    again = kiosk.checkout(body, key="free")

    assert (first.status, first.body["status"], first.body["version"]) == (201, "received", 2)
    assert again.response.content == first.response.content
    assert Order.objects.get().status == Status.RECEIVED
    assert kiosk.get(f"/orders/{first.body['id']}").body == first.body
    assert kiosk.post("/payments", {"order": first.body["id"], "method": "counter"}, key="k").code == (
        409,
        "already_paid",
    )
    assert broken_rules() == {}

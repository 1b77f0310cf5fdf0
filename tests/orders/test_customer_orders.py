"""Orders of customers: at the store they name, and seen by nobody else."""

from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from apps.catalog.models import Product
from apps.core.actors import PROVIDER, Role
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.orders.services import mark_paid, move_order
from apps.stores.models import StaffRole, Store
from tests.customers.people import Person, Shopper, person
from tests.factories import ProductFactory, StaffRoleFactory, StoreFactory, UserFactory, new_menu, staff
from tests.fixtures import Screen, broken_rules, cart


@pytest.fixture
def product(store: Store) -> Product:
    made: Product = ProductFactory()
    new_menu(store)
    return made


@pytest.fixture
def maria(db: None) -> Shopper:
    return Shopper()


def at(store: Store, *products: Product, **fields: object) -> dict[str, object]:
    return cart(*products, store=str(store.id), **fields)


def test_customer_orders_at_the_store_they_name(maria: Shopper, store: Store, product: Product) -> None:
    quoted = maria.post("/orders/quote", {"items": at(store, product)["items"], "store": str(store.id)})
    placed = maria.checkout(at(store, product))

    assert (quoted.status, placed.status) == (200, 201)
    order = Order.objects.get()
    assert (order.store_id, order.channel, order.number[0]) == (store.id, "Q", "Q")
    assert (order.placed_by_kind, order.placed_by_id) == ("customer", maria.customer.id)
    assert order.history.get().actor_kind == "customer"
    assert broken_rules() == {}


@pytest.mark.parametrize("path", ["/orders/quote", "/orders/checkout"])
def test_store_is_named_by_those_who_have_none_of_their_own(path: str, store: Store, product: Product) -> None:
    new_menu(elsewhere := StoreFactory())
    roaming = person(Role.CASHIER, store)
    StaffRoleFactory(user=roaming.user, role=Role.CASHIER, store=elsewhere)
    one_store, whole_chain = person(Role.CASHIER, store), person(Role.OWNER, None)
    named, unnamed = at(store, product), cart(product)
    if path == "/orders/quote":
        del named["dining_option"], unnamed["dining_option"]

    def told(who: Screen, body: object) -> object:
        reply = who.post(path, body, key=str(uuid4()))
        return reply.errors if reply.status == 400 else reply.status // 100

    for who in (Shopper(), roaming, whole_chain):
        assert told(who, unnamed) == [("store", "required")]
        assert told(who, named) == 2
        assert told(who, {**named, "store": str(uuid4())}) == 4
    for who in (Screen(store), one_store):
        assert told(who, named) == [("store", "unknown_field")]
        assert told(who, unnamed) == 2
    assert set(Order.objects.values_list("store_id", flat=True)) <= {store.id}


def test_staff_order_only_where_their_role_lets_them(store: Store, product: Product) -> None:
    new_menu(elsewhere := StoreFactory())
    cook = person(Role.KITCHEN, store)
    StaffRoleFactory(user=cook.user, role=Role.CASHIER, store=elsewhere)

    assert cook.checkout(at(store, product)).errors == [("store", "unknown_field")]
    assert cook.checkout(cart(product)).body["store"] == str(elsewhere.id)
    StaffRoleFactory(user=cook.user, role=Role.CASHIER, store=StoreFactory())
    assert cook.checkout(at(store, product)).code == (404, "not_found")


def test_customers_see_their_own_orders_alone_newest_first(
    maria: Shopper, store: Store, product: Product, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    new_menu(elsewhere := StoreFactory())
    Shopper().checkout(at(store, product))
    Screen(store).buy(product)
    mine = [maria.checkout(at(where, product)).body["id"] for where in (store, elsewhere, store)]

    with django_assert_num_queries(7):
        listed = maria.get("/orders").body
    assert [order["id"] for order in listed["results"]] == mine[::-1]
    assert listed["results"][0]["total"] == "10.00"

    first = maria.get("/orders?page_size=2").body
    second = maria.get(first["next"].removeprefix("http://testserver/api/v1")).body
    assert [order["id"] for page in (first, second) for order in page["results"]] == mine[::-1]
    assert maria.get("/orders?status=ready").body["results"] == []
    assert maria.get("/orders?cursor=x").code == (400, "invalid")


PARTS = ("", "/status", "/history")


@pytest.mark.parametrize("part", PARTS)
def test_order_of_another_is_not_there(part: str, maria: Shopper, store: Store, product: Product) -> None:
    order = maria.checkout(at(store, product)).body["id"]
    at_kiosk = Screen(store).buy(product).body["id"]

    assert maria.get(f"/orders/{order}{part}").status == 200
    assert Shopper().get(f"/orders/{order}{part}").code == (404, "not_found")
    assert maria.get(f"/orders/{at_kiosk}{part}").code == (404, "not_found")
    assert maria.get(f"/orders/{uuid4()}{part}").code == (404, "not_found")


def test_history_does_not_name_staff_to_a_customer(maria: Shopper, store: Store, product: Product) -> None:
    order = maria.checkout(at(store, product)).body["id"]
    mark_paid(order_id=order, by=PROVIDER, at=timezone.now())
    role: StaffRole = StaffRoleFactory(store=store, role=Role.KITCHEN, user=UserFactory(name="Beatriz"))
    cook = Person(role.user)
    assert cook.patch(f"/orders/{order}/status", {"status": "in_preparation"}).status == 200

    assert [step["by"] for step in maria.get(f"/orders/{order}/history").body["results"]] == [
        "customer",
        "provider",
        "staff",
    ]
    assert "Beatriz" in [step["by"] for step in cook.get(f"/orders/{order}/history").body["results"]]


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_customer_takes_back_only_their_own_unpaid_order(
    method: str, maria: Shopper, store: Store, product: Product
) -> None:
    order = maria.checkout(at(store, product)).body["id"]
    path = f"/orders/{order}" if method == "DELETE" else f"/orders/{order}/cancel"
    body = None if method == "DELETE" else {"reason": "desisti"}

    assert Shopper().send(method, path, body).code == (404, "not_found")
    assert maria.send(method, path, body).body["status"] == "cancelled"
    assert broken_rules() == {}

    paid = maria.checkout(at(store, product)).body["id"]
    mark_paid(order_id=paid, by=PROVIDER, at=timezone.now())
    assert maria.send(method, path.replace(order, paid), body).code == (409, "invalid_transition")


def test_customer_moves_nothing(maria: Shopper, store: Store, product: Product) -> None:
    order = maria.checkout(at(store, product)).body["id"]
    mark_paid(order_id=order, by=PROVIDER, at=timezone.now())
    assert maria.patch(f"/orders/{order}/status", {"status": "in_preparation"}).code == (403, "permission_denied")
    move_order(order_id=order, to=Status.IN_PREPARATION, by=staff(Role.KITCHEN, store), at=timezone.now())
    for verb in ("undo", "recall"):
        assert maria.post(f"/orders/{order}/{verb}").code == (403, "permission_denied")


def test_customer_pays_for_their_own_order(maria: Shopper, store: Store, product: Product) -> None:
    order, other = maria.checkout(at(store, product)).body["id"], Screen(store).buy(product).body["id"]

    charge = maria.post("/payments", {"order": order, "method": "counter"}, key="a")
    assert charge.status == 201
    assert maria.get(f"/payments/{charge.body['id']}").body["order"] == order
    assert maria.post(f"/payments/{charge.body['id']}/check").status == 200
    assert maria.post("/payments", {"order": other, "method": "counter"}, key="b").code == (404, "not_found")
    assert Shopper().get(f"/payments/{charge.body['id']}").code == (404, "not_found")
    confirm = maria.post(f"/payments/{charge.body['id']}/confirm", {"tender": "cash"})
    assert confirm.code == (403, "permission_denied")


def test_customer_may_leave_few_orders_unpaid(
    maria: Shopper, store: Store, product: Product, settings: Settings
) -> None:
    settings.LIMIT_CUSTOMER_OPEN_UNPAID = 2
    first = maria.checkout(at(store, product), key="k").body["id"]
    maria.post("/payments", {"order": first, "method": "counter"}, key="a")
    assert maria.checkout(at(store, product)).status == 201

    assert maria.checkout(at(store, product)).code == (429, "throttled")
    assert maria.checkout(at(store, product), key="k").status == 201, "a repeat is not a new one"
    assert Shopper().checkout(at(store, product)).status == 201
    maria.send("DELETE", f"/orders/{first}")
    assert maria.checkout(at(store, product)).status == 201


def test_keys_of_two_customers_are_independent(maria: Shopper, store: Store, product: Product) -> None:
    orders = {who.checkout(at(store, product), key="same").body["id"] for who in (maria, Shopper())}
    assert len(orders) == 2


def test_board_lists_need_a_store_from_staff_of_several(store: Store, product: Product) -> None:
    owner = person(Role.OWNER, None)
    Screen(store).buy(product)

    assert owner.get("/orders").errors == [("store", "required")]
    assert owner.get(f"/orders?store={store.id}&since=2020-01-01T00:00:00Z").body["results"][0]["store"] == str(
        store.id
    )
    assert owner.get(f"/orders?store={uuid4()}").code == (404, "not_found")
    assert owner.get("/orders?store=x").errors == [("store", "invalid")]
    assert Screen(store).get("/orders?store=x").status == 200, "who has a store of their own is not asked"

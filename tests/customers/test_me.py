"""What customers see, change, take along and erase of themselves."""

from typing import Any

import pytest

from apps.core.actors import Role
from apps.core.models import IdempotencyKey, StoredEvent, User
from apps.customers.models import Consent, Customer, CustomerRead
from apps.customers.queries import granted_purposes
from apps.orders.models import Order
from apps.stores.models import Store
from tests.customers.people import CPF, CPF_DIGITS, Anyone, Shopper, document, known, new_cpf, person, with_login
from tests.factories import ProductFactory, new_menu
from tests.fixtures import Screen, broken_rules, cart

pytestmark = pytest.mark.django_db
EMAIL = "maria@example.org"


@pytest.fixture
def maria() -> Shopper:
    told = {"phone": "+5511987651234", "address": "Rua do Forno, 7"}
    return Shopper(with_login(known(email=EMAIL, **told)))


def test_customer_sees_themselves_with_the_cpf_masked(maria: Shopper) -> None:
    Shopper()
    reply = maria.get("/users/me")
    assert reply.response["Cache-Control"] == "no-store"
    body = reply.body
    assert body.pop("created_at").endswith("Z")
    assert body == {
        "id": str(maria.customer.id),
        "name": "Maria das Dores",
        "cpf": document().masked,
        "email": EMAIL,
        "phone": "+5511987651234",
        "address": "Rua do Forno, 7",
        "consents": ["loyalty"],
    }


@pytest.mark.parametrize("path", ["/users/me", "/users/me/export"])
def test_only_customers_have_a_self(path: str, store: Store) -> None:
    assert Anyone().get(path).status == 401
    for who in (Screen(store), person(Role.OWNER, store)):
        assert who.get(path).code == (403, "permission_denied")


def test_customer_changes_some_of_it(maria: Shopper) -> None:
    changed = maria.patch("/users/me", {"name": "Maria da Paz", "phone": "(21) 98765-4321", "address": ""})

    assert (changed.status, changed.body["name"]) == (200, "Maria da Paz")
    assert (changed.body["phone"], changed.body["address"]) == ("+5521987654321", None)
    assert maria.get("/users/me").body == changed.body
    told = StoredEvent.objects.get(type="user.changed")
    assert (told.subject_id, told.seq, told.payload) == (maria.customer.id, 2, {})


def test_consents_are_written_only_where_they_turn(maria: Shopper) -> None:
    before = Consent.objects.count()

    assert maria.patch("/users/me", {"consents": ["loyalty", "marketing"]}).body["consents"] == ["loyalty", "marketing"]
    assert maria.patch("/users/me", {"consents": ["marketing"]}).body["consents"] == ["marketing"]

    rows = Consent.objects.order_by("id")[before:]
    assert [(row.purpose, row.granted, row.source) for row in rows] == [
        ("marketing", True, "web"),
        ("loyalty", False, "web"),
    ]
    assert granted_purposes(maria.customer.id) == {"marketing"}


def test_same_again_writes_and_tells_nothing(maria: Shopper) -> None:
    same = {"name": "Maria das Dores", "consents": ["loyalty"]}
    assert maria.patch("/users/me", same).status == 200
    assert maria.patch("/users/me", {}).status == 200
    assert not StoredEvent.objects.filter(type="user.changed").exists()
    assert Customer.objects.get(id=maria.customer.id).version == maria.customer.version


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"email": "nova@example.org"}, [("email", "unknown_field")]),
        ({"cpf": new_cpf()}, [("cpf", "unknown_field")]),
        ({"is_staff": True}, [("is_staff", "unknown_field")]),
        ({"name": ""}, [("name", "blank")]),
        ({"phone": "123"}, [("phone", "invalid")]),
        ({"consents": ["everything"]}, [("consents[0]", "invalid_choice")]),
    ],
)
def test_what_may_not_be_changed_is_refused(body: Any, errors: list[tuple[str, str]], maria: Shopper) -> None:
    refused = maria.patch("/users/me", body)
    assert (refused.code, refused.errors) == ((400, "invalid"), errors)


def test_export_holds_everything_and_leaves_a_trace(maria: Shopper, store: Store) -> None:
    product = ProductFactory(name="Broa")
    new_menu(store)
    assert Shopper().checkout(cart(product, store=str(store.id))).status == 201
    placed = maria.checkout(cart(product, store=str(store.id), guest_name="Maria"))
    assert placed.status == 201

    told = maria.get("/users/me/export")

    assert (told.status, told.response["Cache-Control"]) == (200, "no-store")
    assert told.body["document"] == {"kind": "cpf", "number": CPF_DIGITS}
    assert told.body["consents"][0]["purpose"] == "loyalty"
    assert told.body["orders"] == [placed.body]
    read = CustomerRead.objects.get()
    assert (read.act, read.actor_kind, read.actor_id) == ("export", "customer", maria.customer.id)


def test_export_is_drawn_ten_times_an_hour(maria: Shopper) -> None:
    assert [maria.get("/users/me/export").status for _ in range(11)] == [200] * 10 + [429]


def test_customer_erases_themselves(maria: Shopper, store: Store) -> None:
    product = ProductFactory()
    new_menu(store)
    maria.checkout(cart(product, store=str(store.id), guest_name="Maria"))
    other = Shopper()
    other.checkout(cart(product, store=str(store.id), guest_name="João"))
    guest = Screen(store)
    guest.buy(product, guest_name="Maria")

    assert maria.send("DELETE", "/users/me").status == 204

    assert maria.get("/users/me").status == 401
    gone = Customer.objects.get(id=maria.customer.id)
    assert (gone.name, gone.email, gone.erased_at is not None) == ("", "", True)
    assert not User.objects.filter(email=EMAIL).exists()
    names = dict(Order.objects.values_list("placed_by_id", "guest_name"))
    assert names == {maria.customer.id: "", other.customer.id: "João", guest.device.id: "Maria"}
    assert not IdempotencyKey.objects.filter(principal=f"customer:{maria.customer.id}").exists()
    assert IdempotencyKey.objects.count() == 2
    assert broken_rules() == {}


def test_audit_sees_a_name_left_on_an_order(maria: Shopper, store: Store) -> None:
    product = ProductFactory()
    new_menu(store)
    placed = maria.checkout(cart(product, store=str(store.id), guest_name="Maria"))
    maria.send("DELETE", "/users/me")
    assert "D2-orders" not in broken_rules()

    Order.objects.filter(id=placed.body["id"]).update(guest_name="Maria")

    assert placed.body["number"] in broken_rules()["D2-orders"][0]


def test_nothing_personal_is_in_the_events(maria: Shopper) -> None:
    maria.patch("/users/me", {"name": "Maria da Paz", "phone": "(21) 98765-4321"})
    maria.send("DELETE", "/users/me")
    kept = " ".join(str(event.payload) for event in StoredEvent.objects.all())
    for value in ("Maria", EMAIL, "98765", CPF, CPF_DIGITS):
        assert value not in kept

"""What staff write over the API leaves one entry each; what devices, guests and clocks do leaves none."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from apps.core.actors import Role
from apps.core.models import AuditEntry, User
from apps.customers.models import Customer
from apps.customers.rules import Source
from apps.customers.services import Registration, erase_customer, export_customer, register_customer
from apps.orders.rules import Status
from apps.orders.services import move_order, recall_order, undo_move
from apps.payments.rules import Method, Tender
from apps.payments.services import confirm_counter, open_charge
from apps.stores.models import Store
from tests.catalog_api.conftest import Desk
from tests.factories import (
    CategoryFactory,
    OptionFactory,
    ProductFactory,
    StaffRoleFactory,
    claim,
    device_actor,
    order_in,
    place,
    staff,
    stocked_product,
)
from tests.fixtures import Screen
from tests.trail.conftest import entries

pytestmark = pytest.mark.django_db

WHOLE = {"name": "Pão", "price": "3.00"}


def told() -> list[tuple[str, dict[str, tuple[Any, Any]]]]:
    return [
        (entry.action, {change["field"]: (change.get("from"), change.get("to")) for change in entry.changes})
        for entry in entries()
    ]


@pytest.fixture
def owner(db: None) -> Desk:
    return Desk(Role.OWNER, None)


@pytest.fixture
def manager(store: Store) -> Desk:
    return Desk(Role.MANAGER, store)


def test_product_is_added_changed_and_archived(owner: Desk) -> None:
    shelf = CategoryFactory(name="Pães")
    made = owner.call("POST", "/products", {**WHOLE, "category": str(shelf.id)})
    address = f"/products/{made.body['id']}"
    owner.call("PATCH", address, {"price": "4.00"})
    owner.call("PATCH", address, {"price": "4.00"})
    owner.call("DELETE", address)

    added, changed, archived = told()
    assert added[0] == "catalog.product_added"
    assert (added[1]["name"], added[1]["price"]) == ((None, "Pão"), (None, "3.00"))
    assert changed == ("catalog.product_changed", {"price": ("3.00", "4.00")})
    assert archived == ("catalog.product_archived", {})
    assert {entry.actor_id for entry in entries()} == {owner.user.pk}


def test_groups_of_a_product_are_told_by_name(owner: Desk) -> None:
    product, group = ProductFactory(), OptionFactory(group__name="Leite").group
    owner.call("PATCH", f"/products/{product.id}", {"modifier_groups": [str(group.id)]})

    assert told() == [("catalog.product_changed", {"modifier_groups": ([], ["Leite"])})]


def test_category_is_added_changed_and_archived(owner: Desk) -> None:
    made = owner.call("POST", "/categories", {"name": "Doces"})
    owner.call("PATCH", f"/categories/{made.body['id']}", {"name": "Docinhos"})
    owner.call("DELETE", f"/categories/{made.body['id']}")

    assert [action for action, _ in told()] == [
        "catalog.category_added",
        "catalog.category_changed",
        "catalog.category_archived",
    ]
    assert told()[1][1] == {"name": ("Doces", "Docinhos")}


def test_store_terms_and_pauses_name_their_store(manager: Desk, store: Store) -> None:
    product, option = ProductFactory(), OptionFactory()
    manager.call("PATCH", f"/products/{product.id}?store={store.id}", {"price": "7.00"})
    manager.call("POST", f"/products/{product.id}/pause", {"hours": 1})
    manager.call("DELETE", f"/products/{product.id}/pause")
    manager.call("POST", f"/options/{option.id}/pause", {"hours": 1})

    assert [action for action, _ in told()] == [
        "catalog.store_terms_set",
        "catalog.paused",
        "catalog.resumed",
        "catalog.paused",
    ]
    assert told()[0][1] == {"price": (None, "7.00")}
    assert {entry.store_id for entry in entries()} == {store.pk}


def test_stock_that_is_counted_and_wasted(manager: Desk, store: Store) -> None:
    product = stocked_product(store, 10)
    item = str(product._meta.apps.get_model("inventory.RecipeLine").objects.get(product=product).item_id)
    manager.call("PATCH", "/inventory/items", {"item": item, "on_hand": 8})
    manager.call("POST", "/inventory/movements", {"item": item, "reason": "waste", "quantity": 3})

    assert told() == [
        ("inventory.moved", {"on_hand": (10, 8), "reason": (None, "contagem")}),
        ("inventory.moved", {"on_hand": (8, 5), "reason": (None, "perda")}),
    ]


def test_order_moved_undone_and_recalled(kiosk: Screen, store: Store) -> None:
    order = order_in(Status.RECEIVED, kiosk.device)
    cook, at = staff(Role.KITCHEN, store), timezone.now()
    move_order(order_id=order.id, to=Status.IN_PREPARATION, by=cook, at=at)
    undo_move(order_id=order.id, by=cook, at=at)
    move_order(order_id=order.id, to=Status.IN_PREPARATION, by=cook, at=at)
    move_order(order_id=order.id, to=Status.IN_PREPARATION, by=cook, at=at)
    move_order(order_id=order.id, to=Status.READY, by=cook, at=at)
    recall_order(order_id=order.id, by=cook, at=at)

    assert told() == [
        ("orders.moved", {"status": ("Recebido", "Em preparação")}),
        ("orders.move_undone", {"status": ("Em preparação", "Recebido")}),
        ("orders.moved", {"status": ("Recebido", "Em preparação")}),
        ("orders.moved", {"status": ("Em preparação", "Pronto")}),
        ("orders.recalled", {"status": ("Pronto", "Em preparação")}),
    ]
    assert {(entry.subject_id, entry.actor_id, entry.store_id) for entry in entries()} == {
        (order.id, cook.id, store.pk)
    }


def test_board_leaves_its_tracks_in_the_orders_history_alone(kiosk: Screen, board: Screen) -> None:
    order = order_in(Status.RECEIVED, kiosk.device)
    move_order(order_id=order.id, to=Status.IN_PREPARATION, by=board.actor, at=timezone.now())

    assert order.history.count() == 3
    assert entries() == []


def test_unpaid_order_cancelled_at_the_counter(manager: Desk, kiosk: Screen) -> None:
    order = place(kiosk.device, ProductFactory())
    assert manager.call("DELETE", f"/orders/{order.id}").status == 200

    assert told() == [("orders.moved", {"status": ("Aguardando pagamento", "Cancelado")})]


def test_money_taken_at_the_counter_is_one_entry(kiosk: Screen, store: Store) -> None:
    order = place(kiosk.device, ProductFactory())
    by = device_actor(kiosk.device)
    charge = open_charge(order_id=order.id, method=Method.COUNTER, by=by, claim=claim(by), at=timezone.now())
    cashier = staff(Role.CASHIER, store)
    for _ in range(2):
        confirm_counter(charge_id=charge.id, tender=Tender.CASH, received=None, by=cashier, at=timezone.now())

    assert told() == [
        ("payments.counter_confirmed", {"tender": (None, "dinheiro"), "received_amount": (None, str(order.total))})
    ]


def test_personal_data_exported_and_erased_names_nobody(db: None) -> None:
    register_customer(
        told=Registration(name="Marta Secreta", email="marta@example.org", phone="+5511987654321"),
        source=Source.WEB,
        store_id=None,
        at=timezone.now(),
    )
    customer, boss = Customer.objects.get(), staff(Role.OWNER, None)
    export_customer(customer_id=customer.id, by=boss, at=timezone.now())
    erase_customer(customer_id=customer.id, by=boss, at=timezone.now())

    assert told() == [("customers.exported", {}), ("customers.erased", {})]
    assert [entry.subject_id for entry in entries()] == [customer.id] * 2


def test_write_that_is_rolled_back_leaves_no_entry(owner: Desk) -> None:
    before = AuditEntry.objects.count()
    point = transaction.savepoint()
    owner.call("POST", "/categories", {"name": "Doces"})
    assert AuditEntry.objects.count() == before + 1
    transaction.savepoint_rollback(point)
    assert AuditEntry.objects.count() == before


def test_refused_write_leaves_no_entry(manager: Desk) -> None:
    assert manager.call("POST", "/categories", {"name": "Doces"}).status == 403
    assert entries() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(action="x"),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(),
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
    ],
    ids=["update", "delete all", "save", "delete"],
)
def test_entry_is_never_changed(change: Callable[[AuditEntry], Any], owner: Desk) -> None:
    owner.call("POST", "/categories", {"name": "Doces"})
    (entry,) = entries()
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        change(entry)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_auditentry")
    assert entries() == [entry]


@pytest.fixture
def account(store: Store) -> User:
    user: User = StaffRoleFactory(role=Role.OWNER, store=store, user__email="dona@example.org").user
    user.set_password("pao-de-queijo-1")
    user.save()
    return user


def sign_in(password: str, email: str = "dona@example.org") -> int:
    body = {"email": email, "password": password}
    return Client().post("/api/v1/auth/token", body, content_type="application/json").status_code


def test_signing_in_and_failing_to(account: User) -> None:
    Client().post("/admin/login/", {"username": account.email, "password": "errada"})
    Client().post("/admin/login/", {"username": account.email, "password": "pao-de-queijo-1"})
    Client().post("/admin/login/", {"username": "ninguem@example.org", "password": "errada"})

    found = list(AuditEntry.objects.order_by("id").values_list("action", "actor_id", "subject_id"))
    assert found == [
        ("stores.sign_in_failed", None, account.pk),
        ("stores.signed_in", account.pk, account.pk),
    ]


def test_account_that_is_locked_is_told_once(account: User, settings: Any) -> None:
    settings.LIMIT_SIGN_IN_PER_QUARTER_HOUR = 2
    assert [sign_in("errada") for _ in range(4)] == [401, 401, 429, 429]

    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == [
        "stores.sign_in_failed",
        "stores.sign_in_failed",
        "stores.sign_in_locked",
    ]


def test_token_is_an_entry_too(account: User) -> None:
    assert sign_in("pao-de-queijo-1") == 200
    assert AuditEntry.objects.get().action == "stores.signed_in"


def test_flood_of_wrong_passwords_does_not_flood_the_trail(account: User) -> None:
    for each in range(25):
        guesser = Client(REMOTE_ADDR=f"203.0.113.{each}")  # one address alone is locked out long before
        guesser.post("/admin/login/", {"username": account.email, "password": "errada"})
    assert AuditEntry.objects.count() == 20

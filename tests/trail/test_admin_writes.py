"""Each write in the back office leaves one entry: who, what, from what to what."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin import ModelAdmin
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from apps.catalog.models import Category, ComboSlot, ModifierGroup, Option, Product
from apps.core import trail
from apps.core.actors import Role
from apps.core.events import OutsideTransactionError
from apps.core.models import AuditEntry, FailedDelivery, User
from apps.inventory.models import RecipeLine, StockItem
from apps.payments.models import ProviderAccount
from apps.promotions.models import Coupon, Promotion
from apps.stores.models import Device, IntegratorKey, StaffRole, Store
from apps.stores.services import create_key
from breadmate.admin_site import site
from tests.factories import (
    CategoryFactory,
    ComboSlotFactory,
    DeviceFactory,
    ModifierGroupFactory,
    OptionFactory,
    ProductFactory,
    RecipeLineFactory,
    StaffRoleFactory,
    StockItemFactory,
    StoreFactory,
    UserFactory,
    staff,
)
from tests.trail.conftest import act, browser_of, entries, form_of, page_of, person

pytestmark = pytest.mark.django_db

TERMS = {"kind": "percent", "value": 10}
# Each page that can be written: a row there, the field to change, what to type, and the change the trail tells.
CHANGES: dict[type, tuple[Any, str, str, tuple[Any, Any]]] = {
    Category: (lambda _: CategoryFactory(name="Velha"), "name", "Nova", ("Velha", "Nova")),
    Product: (lambda _: ProductFactory(price=Decimal("5.00")), "price", "6.50", ("5.00", "6.50")),
    ComboSlot: (lambda _: ComboSlotFactory(name="Velha"), "name", "Nova", ("Velha", "Nova")),
    ModifierGroup: (lambda _: ModifierGroupFactory(max=3), "max", "4", (3, 4)),
    StockItem: (lambda _: StockItemFactory(name="Farinha"), "name", "Farinha fina", ("Farinha", "Farinha fina")),
    RecipeLine: (lambda _: RecipeLineFactory(quantity=1), "quantity", "2", (1, 2)),
    Promotion: (lambda store: Promotion.objects.create(name="P", store=store, **TERMS), "name", "Q", ("P", "Q")),
    Coupon: (
        lambda store: Coupon.objects.create(code="CAFE10", name="P", store=store, **TERMS),
        "name",
        "Q",
        ("P", "Q"),
    ),
    Store: (lambda store: store, "name", "Outra", ("Padaria", "Outra")),
    Device: (lambda store: DeviceFactory(store=store, name="Um"), "name", "Dois", ("Um", "Dois")),
    StaffRole: (lambda store: StaffRoleFactory(store=store, role="cashier"), "role", "kitchen", ("cashier", "kitchen")),
    User: (lambda _: UserFactory(is_active=True), "is_active", "", (True, False)),
    ProviderAccount: (
        lambda store: ProviderAccount.objects.create(
            label="P", store=store, token_sealed=b"x", changed_at=timezone.now()
        ),
        "label",
        "Q",
        ("P", "Q"),
    ),
}
ONLY_ADDED = {IntegratorKey}  # rotated and revoked, never changed


def test_every_page_that_can_be_written_is_in_the_table() -> None:
    written = {model for model, page in site._registry.items() if getattr(page, "editors", None)}
    assert written == CHANGES.keys() | ONLY_ADDED


@pytest.mark.parametrize("model", CHANGES, ids=lambda model: model.__name__)
def test_change_leaves_one_entry(model: type, desk: Client, chief: User, store: Store) -> None:
    Store.objects.filter(pk=store.pk).update(name="Padaria")
    store.refresh_from_db()
    make, field, typed, (was, now) = CHANGES[model]
    row = make(store)
    address = page_of(model, "change", row.pk)
    sent = {**form_of(desk, address), field: typed}
    if not typed:
        del sent[field]

    assert desk.post(address, sent).status_code == 302

    (entry,) = entries()
    assert (entry.action, entry.actor_id, entry.subject_id) == ("admin.changed", chief.pk, row.pk)
    assert entry.changes == [{"field": field, "from": was, "to": now}]
    page: ModelAdmin = site._registry[model]
    assert entry.store_id == (store.pk if page.store_lookup else None)
    assert entry.request_id != "-"


def test_saving_without_a_change_leaves_nothing(desk: Client) -> None:
    product = ProductFactory()
    address = page_of(Product, "change", product.pk)

    assert desk.post(address, form_of(desk, address)).status_code == 302

    assert entries() == []


def test_new_row_tells_what_it_holds(desk: Client, store: Store) -> None:
    sent = {"store": str(store.pk), "kind": "kiosk", "name": "Totem 9"}
    assert desk.post(page_of(Device, "add"), sent).status_code == 302

    (entry,) = entries()
    assert (entry.action, entry.subject_id, entry.store_id) == ("admin.added", Device.objects.get().pk, store.pk)
    assert {told["field"]: told["to"] for told in entry.changes} == {
        "store": store.name,
        "kind": "kiosk",
        "name": "Totem 9",
    }


def test_rows_below_are_told_with_their_parent(desk: Client) -> None:
    option = OptionFactory(name="Leite", price=Decimal("2.00"))
    gone = OptionFactory(group=option.group, name="Soja")
    address = page_of(ModifierGroup, "change", option.group.pk)
    sent = form_of(desk, address)
    rows = {sent[name]: name.removesuffix("-id") for name in sent if name.endswith("-id")}
    sent |= {f"{rows[str(option.pk)]}-price": "2.50", f"{rows[str(gone.pk)]}-DELETE": "on"}

    assert desk.post(address, sent).status_code == 302

    (entry,) = entries()
    told = {tuple(sorted(change.items(), key=str)) for change in entry.changes}
    assert told == {
        tuple(sorted({"field": "opção “Leite”: acréscimo", "from": "2.00", "to": "2.50"}.items(), key=str)),
        tuple(sorted({"field": "opção “Soja”", "from": "Soja", "to": None}.items(), key=str)),
    }
    assert not Option.objects.filter(pk=gone.pk).exists()


def test_write_that_fails_leaves_no_entry(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    product = ProductFactory(price=Decimal("5.00"))
    address = page_of(Product, "change", product.pk)
    sent = {**form_of(desk, address), "price": "6.00"}
    page = site._registry[Product]
    seen: list[int] = []

    def fail(*_: Any) -> None:
        seen.append(AuditEntry.objects.filter(action="admin.changed").count())
        raise RuntimeError

    monkeypatch.setattr(page, "response_change", fail)
    with pytest.raises(RuntimeError):
        desk.post(address, sent)

    assert seen == [1]
    assert entries() == []
    product.refresh_from_db()
    assert product.price == Decimal("5.00")


def test_refused_form_leaves_no_entry(desk: Client) -> None:
    product = ProductFactory()
    address = page_of(Product, "change", product.pk)

    assert desk.post(address, {**form_of(desk, address), "price": "-1"}).status_code == 200

    assert entries() == []


def test_pause_from_the_list_leaves_one_entry_a_store(desk: Client, store: Store) -> None:
    other, product = StoreFactory(), ProductFactory()

    act(desk, Product, "pause_one_hour", product)
    act(desk, Product, "sell_again", product)

    told = entries()
    assert sorted((entry.action, entry.store_id) for entry in told) == sorted(
        (action, each.pk) for action in ("catalog.paused", "catalog.resumed") for each in (store, other)
    )
    assert all([change["field"] for change in entry.changes] == ["paused_until"] for entry in told)


def test_devices_paired_and_revoked(desk: Client, store: Store) -> None:
    device = DeviceFactory(store=store)

    act(desk, Device, "issue_pairing_code", device)
    act(desk, Device, "revoke", device)

    assert [(entry.action, entry.subject_id, entry.store_id) for entry in entries()] == [
        ("stores.pairing_code_issued", device.pk, store.pk),
        ("stores.device_revoked", device.pk, store.pk),
    ]


def test_keys_of_other_systems_rotated_and_revoked(desk: Client, store: Store) -> None:
    key, _ = create_key(
        name="BI",
        scopes=frozenset({Role.ORDERS_READ}),
        store_id=store.pk,
        expires_at=timezone.now() + timedelta(days=30),
        by=UserFactory().pk,
        at=timezone.now(),
    )

    act(desk, IntegratorKey, "rotate", key)
    act(desk, IntegratorKey, "revoke", key)

    assert [(entry.action, entry.subject_id, entry.store_id) for entry in entries()] == [
        ("stores.key_rotated", key.pk, store.pk),
        ("stores.key_revoked", key.pk, store.pk),
    ]


def test_delivery_tried_again_is_told_only_if_it_was_given_up(desk: Client) -> None:

    fields = {"event_id": uuid4(), "tries": 5, "next_try_at": timezone.now(), "error": "x"}
    dead = FailedDelivery.objects.create(handler="a", dead_at=timezone.now(), **fields)
    alive = FailedDelivery.objects.create(handler="b", **fields)

    act(desk, FailedDelivery, "try_again", dead, alive)

    assert [(entry.action, entry.subject_id) for entry in entries()] == [("core.delivery_retried", dead.pk)]


def test_history_of_a_price_names_its_writer(desk: Client, chief: User) -> None:
    product = ProductFactory(price=Decimal("5.00"))
    address = page_of(Product, "change", product.pk)
    desk.post(address, {**form_of(desk, address), "price": "6.00"})

    states = [
        (state.price, state.history_user) for state in Product.history.filter(id=product.pk).order_by("history_id")
    ]
    assert states == [(Decimal("5.00"), None), (Decimal("6.00"), chief)]
    shown = desk.get(page_of(Product, "history", product.pk)).content.decode()
    assert "6.00" in shown or "6,00" in shown


def test_history_of_another_stores_promotion_is_not_shown(store: Store) -> None:
    theirs = Promotion.objects.create(name="Alheia", kind="percent", value=10, store=StoreFactory())
    theirs.name = "Segredo"
    theirs.save()
    manager = browser_of(person(Role.MANAGER, store))

    assert manager.get(page_of(Promotion, "history", theirs.pk)).status_code == 403
    state = Promotion.history.latest("history_id")
    assert manager.get(page_of(Promotion, "simple_history", theirs.pk, state.pk)).status_code == 403


def test_history_of_other_pages_leads_to_the_trail(desk: Client, store: Store) -> None:
    device = DeviceFactory(store=store)

    response = desk.get(page_of(Device, "history", device.pk))

    assert response.status_code == 302
    assert str(device.pk) in response["Location"]
    assert desk.get(response["Location"]).status_code == 200


def test_entry_needs_a_transaction_to_share(store: Store) -> None:

    with transaction.atomic():
        trail.record(by=staff(Role.OWNER, None), action="catalog.paused", at=timezone.now())
    was, connection.in_atomic_block = connection.in_atomic_block, False
    try:
        with pytest.raises(OutsideTransactionError):
            trail.record(by=staff(Role.OWNER, None), action="catalog.paused", at=timezone.now())
    finally:
        connection.in_atomic_block = was

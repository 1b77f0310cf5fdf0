"""The back office: every page opens to whom it says, and shows the reader's stores alone."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.core.actors import Role
from apps.core.models import StoredEvent, User
from apps.inventory.models import StockLevel, StockMovement
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments.models import Charge
from apps.payments.rules import Method
from apps.payments.services import open_charge
from apps.stores.admin_base import StoreAdmin
from apps.stores.models import Device, StaffRole, Store
from apps.stores.services import pair
from breadmate.admin_site import site
from tests.factories import (
    DeviceFactory,
    ProductFactory,
    StaffRoleFactory,
    StoreFactory,
    StoreProductFactory,
    UserFactory,
    claim,
    device_actor,
    order_in,
    stocked_product,
)

PAGES = sorted(site._registry.items(), key=lambda page: page[0]._meta.label)
ROLES = [None, Role.OWNER, Role.MANAGER, Role.CASHIER, Role.KITCHEN, Role.AUDITOR]


def label(value: object) -> str:
    return getattr(getattr(value, "_meta", None), "label", "")


def signed_in(role: Role | None, store: Store | None) -> Client:
    """A browser in which a person of this role is signed in; None has no role at all."""
    user = UserFactory()
    if role is not None:
        StaffRoleFactory(user=user, role=role, store=store)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def address(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def says(page: ModelAdmin, group: str, role: Role | None) -> bool:
    """What a page itself says about a role; one that is not ours is for nobody."""
    return isinstance(page, StoreAdmin) and role in getattr(page, group)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: str(role or "no role"))
@pytest.mark.parametrize(
    ("model", "page"),
    PAGES,
    ids=label,
)
def test_page_opens_to_its_viewers_and_lets_its_editors_add(
    model: type, page: ModelAdmin, role: Role | None, store: Store
) -> None:
    client = signed_in(role, None if role in (Role.OWNER, Role.AUDITOR) else store)

    listed, added = client.get(address(model, "changelist")), client.get(address(model, "add"))

    may_view = says(page, "viewers", role) or says(page, "editors", role)
    assert (listed.status_code, added.status_code) == (
        200 if may_view else 403,
        200 if says(page, "makers" if hasattr(page, "makers") else "editors", role) else 403,
    )


@pytest.mark.parametrize(("model", "page"), PAGES, ids=label)
def test_nothing_is_deleted(model: type, page: ModelAdmin, store: Store, rf: Callable[..., object]) -> None:
    request = rf.get("/")
    request.user = UserFactory()
    StaffRoleFactory(user=request.user, role=Role.OWNER, store=None)

    assert page.has_delete_permission(request) is False


def test_person_who_is_not_staff_is_sent_to_sign_in(db: None) -> None:
    user = UserFactory(is_staff=False)
    StaffRoleFactory(user=user, role=Role.OWNER, store=None)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get("/admin/").status_code == 302


def make_rows(store: Store) -> dict[type, UUID]:
    """One row of each kind that belongs to a store."""
    device = DeviceFactory(store=store)
    product = stocked_product(store, 5)
    order = order_in(Status.AWAITING_PAYMENT, device, product)
    by = device_actor(device)
    charge = open_charge(order_id=order.id, method=Method.COUNTER, by=by, claim=claim(by), at=timezone.now())
    return {
        Store: store.id,
        Device: device.id,
        StaffRole: StaffRoleFactory(store=store, role=Role.CASHIER).id,
        StockLevel: StockLevel.objects.get(store=store).id,
        StockMovement: StockMovement.objects.get(store=store).id,
        Order: order.id,
        Charge: charge.id,
        StoredEvent: StoredEvent.objects.filter(store_id=store.id).first().id,
    }


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER, Role.CASHIER, Role.KITCHEN, Role.AUDITOR])
def test_page_shows_the_rows_of_the_readers_store_alone(role: Role, store: Store) -> None:
    ours, theirs = make_rows(store), make_rows(StoreFactory())
    client = signed_in(role, store)
    looked_at = 0

    for model in ours:
        page = site._registry[model]
        if not says(page, "viewers", role):
            continue
        looked_at += 1
        listed = client.get(address(model, "changelist")).context["cl"].queryset
        assert ours[model] in {row.pk for row in listed}, model
        assert theirs[model] not in {row.pk for row in listed}, model
        assert client.get(address(model, "change", ours[model])).status_code == 200, model
        assert client.get(address(model, "change", theirs[model])).status_code == 302, model

    assert looked_at >= 4


def test_owner_of_the_chain_sees_every_store(store: Store) -> None:
    rows = [make_rows(store), make_rows(StoreFactory())]
    client = signed_in(Role.OWNER, None)

    for model in rows[0]:
        listed = {row.pk for row in client.get(address(model, "changelist")).context["cl"].queryset}
        assert {row[model] for row in rows} <= listed, model


def test_manager_of_one_store_and_cashier_of_another_manages_only_the_one(store: Store) -> None:
    elsewhere = StoreFactory()
    ours, theirs = DeviceFactory(store=store), DeviceFactory(store=elsewhere)
    client = signed_in(Role.MANAGER, store)
    StaffRoleFactory(user=User.objects.get(pk=client.session["_auth_user_id"]), role=Role.CASHIER, store=elsewhere)

    listed = {row.pk for row in client.get(address(Device, "changelist")).context["cl"].queryset}

    assert listed == {ours.id}
    assert client.get(address(Device, "change", theirs.id)).status_code == 302


def test_prices_of_another_store_are_not_shown_with_a_product(store: Store) -> None:
    product = ProductFactory()
    StoreProductFactory(store=store, product=product, price="11.11")
    StoreProductFactory(store=StoreFactory(name="Padaria Alheia"), product=product, price="77.77")

    page = signed_in(Role.MANAGER, store).get(address(type(product), "change", product.id)).content.decode()

    assert ("11,11" in page or "11.11" in page, "77,77" in page or "77.77" in page) == (True, False)
    assert "Padaria Alheia" not in page


@pytest.mark.parametrize(("role", "offered"), [(Role.OWNER, 2), (Role.MANAGER, 1)])
def test_form_offers_only_the_readers_stores(role: Role, offered: int, store: Store) -> None:
    StoreFactory()
    client = signed_in(role, None if role == Role.OWNER else store)

    form = client.get(address(Device, "add")).context["adminform"].form

    assert form.fields["store"].queryset.count() == offered


def test_device_is_not_added_to_another_store(store: Store) -> None:
    elsewhere = StoreFactory()

    signed_in(Role.MANAGER, store).post(
        address(Device, "add"), {"store": str(elsewhere.id), "kind": "kiosk", "name": "Intruso"}
    )

    assert not Device.objects.exists()


def act(client: Client, action: str, *devices: Device) -> list[str]:
    """Run one action on devices and return what was said."""
    answer = client.post(
        address(Device, "changelist"), {"action": action, "_selected_action": [str(device.id) for device in devices]}
    )
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_pairing_code_from_the_back_office_pairs_its_device(store: Store) -> None:
    device = DeviceFactory(store=store, name="Totem 1")

    (said,) = act(signed_in(Role.MANAGER, store), "issue_pairing_code", device)

    assert said.startswith("Totem 1: digite ")
    code = said.removeprefix("Totem 1: digite ")[:11]
    assert pair(code=code, at=timezone.now())[0].id == device.id


def test_actions_do_not_reach_devices_of_another_store(store: Store) -> None:
    theirs = DeviceFactory()
    client = signed_in(Role.MANAGER, store)
    DeviceFactory(store=store)

    act(client, "issue_pairing_code", theirs)
    act(client, "revoke", theirs)

    theirs.refresh_from_db()
    assert (theirs.pairing_code_hash, theirs.revoked_at) == (None, None)


def test_revoking_from_the_back_office_ends_the_token(store: Store) -> None:
    device = DeviceFactory(store=store)

    act(signed_in(Role.MANAGER, store), "revoke", device)

    device.refresh_from_db()
    assert (device.token_hash, device.revoked_at is not None) == (None, True)


@pytest.mark.parametrize("role", [Role.CASHIER, Role.KITCHEN, Role.AUDITOR])
def test_actions_are_for_managers(role: Role, store: Store) -> None:
    device = DeviceFactory(store=store)

    act(signed_in(role, store), "revoke", device)

    device.refresh_from_db()
    assert device.revoked_at is None

"""Keys of other systems: what they open, for how long, and that nobody keeps them."""

import logging
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.core.actors import PROVIDER, Role
from apps.core.facade import InvalidError
from apps.orders.services import mark_paid
from apps.stores import services
from apps.stores.models import IntegratorKey, Store
from tests.factories import DeviceFactory, ProductFactory, StoreFactory, UserFactory, place
from tests.fixtures import Screen
from tests.stores.test_admin import address, signed_in

pytestmark = pytest.mark.django_db
NOW = timezone.now()
KEY = re.compile(r"bmk_[A-Za-z0-9_-]{43}")


class System(Screen):
    """Another system that calls with its key."""

    def __init__(self, store: Store | None, *scopes: Role, **terms: Any) -> None:
        self.key, self.secret = services.create_key(
            name="contabilidade",
            scopes=frozenset(scopes or {Role.ORDERS_READ}),
            store_id=store.id if store else None,
            by=UserFactory().id,
            **{"at": NOW, "expires_at": NOW + timedelta(days=30), **terms},
        )
        self.client = APIClient()
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.secret}")


def test_key_reads_the_orders_of_its_store_without_the_guest(store: Store) -> None:
    kiosk = Screen(store)
    product = ProductFactory()
    order = place(kiosk.device, product)
    order.guest_name = "Maria"
    order.save()
    order.lines.update(note="para a Maria")
    place(DeviceFactory(), product)
    system = System(store)

    listed = system.get("/orders").body["results"]
    single = system.get(f"/orders/{order.id}")
    told = system.get(f"/orders/{order.id}/history")

    assert [each["id"] for each in listed] == [str(order.id)]
    assert single.body == listed[0]
    assert (single.body["total"], told.body["results"][0]["by"]) == ("10.00", "device")
    for reply in (single, told, system.get(f"/orders/{order.id}/status")):
        assert "Maria" not in reply.response.content.decode()
        assert order.tracking_token not in reply.response.content.decode()
    assert not {"guest_name", "tracking_url", "stream_url", "pickup_code"} & single.body.keys()


def test_list_is_by_time_whatever_became_of_the_orders(store: Store) -> None:
    device, product = DeviceFactory(store=store), ProductFactory()
    orders = [place(device, product) for _ in range(3)]
    mark_paid(order_id=orders[1].id, by=PROVIDER, at=timezone.now())
    system = System(store)

    first = system.get("/orders?page_size=2").body
    second = system.get(first["next"].removeprefix("http://testserver/api/v1")).body

    listed = [each["id"] for page in (first, second) for each in page["results"]]
    assert listed == [str(order.id) for order in reversed(orders)]
    assert [each["id"] for each in system.get("/orders?status=received").body["results"]] == [str(orders[1].id)]


def test_other_store_is_not_there(store: Store) -> None:
    elsewhere = place(DeviceFactory(), ProductFactory())
    system = System(store)
    for part in ("", "/status", "/history"):
        assert system.get(f"/orders/{elsewhere.id}{part}").code == (404, "not_found")


def test_key_of_the_chain_names_a_store(store: Store) -> None:
    order = place(DeviceFactory(store=store), ProductFactory())
    place(DeviceFactory(), ProductFactory())
    system = System(None)

    assert system.get("/orders").errors == [("store", "required")]
    assert [each["id"] for each in system.get(f"/orders?store={store.id}").body["results"]] == [str(order.id)]
    assert system.get(f"/orders?store={uuid4()}").code == (404, "not_found")
    assert system.get(f"/orders/{order.id}").status == 200


@pytest.mark.parametrize("scope", [Role.EXPORTS, Role.WEBHOOKS])
def test_other_scope_does_not_read_orders(scope: Role, store: Store) -> None:
    order = place(DeviceFactory(store=store), ProductFactory())
    system = System(store, scope)
    for path in ("/orders", f"/orders/{order.id}", f"/orders/{order.id}/status", f"/orders/{order.id}/history"):
        assert system.get(path).code == (403, "permission_denied")


WRITES = (
    ("POST", "/orders/checkout"),
    ("POST", "/orders/quote"),
    ("PATCH", "/orders/{}/status"),
    ("POST", "/orders/{}/cancel"),
    ("DELETE", "/orders/{}"),
    ("POST", "/payments"),
    ("POST", "/users/lookup"),
    ("GET", "/users/me"),
    ("GET", "/inventory/items"),
    ("POST", "/devices/heartbeat"),
)


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_key_with_every_scope_only_reads(method: str, path: str, store: Store) -> None:
    order = place(DeviceFactory(store=store), ProductFactory())
    system = System(store, Role.ORDERS_READ, Role.EXPORTS, Role.WEBHOOKS)
    assert system.send(method, path.format(order.id), {}).code == (403, "permission_denied")


def test_key_ends_when_revoked_or_over(store: Store) -> None:
    system, over = System(store), System(store, at=NOW - timedelta(days=9), expires_at=NOW - timedelta(seconds=1))
    assert (system.get("/orders").status, over.get("/orders").code) == (200, (401, "not_authenticated"))

    services.revoke_key(key_id=system.key.id, at=timezone.now())

    refused = system.get("/orders")
    assert refused.code == (401, "not_authenticated")
    assert refused.response["WWW-Authenticate"]
    services.revoke_key(key_id=system.key.id, at=NOW + timedelta(days=1))
    assert IntegratorKey.objects.get(id=system.key.id).revoked_at < timezone.now()


@pytest.mark.parametrize("made_up", ["bmk_", "bmk_x", "bmk_" + "a" * 43, "BMK_" + "a" * 43])
def test_made_up_key_is_refused(made_up: str, store: Store) -> None:
    system = System(store)
    system.client.credentials(HTTP_AUTHORIZATION=f"Bearer {made_up}")
    assert system.get("/orders").code == (401, "not_authenticated")


def test_both_keys_hold_while_rotating(store: Store) -> None:
    old = System(store)
    made, secret = services.rotate_key(key_id=old.key.id, by=UserFactory().id, at=NOW)
    new = System(store)
    new.client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")

    assert (old.get("/orders").status, new.get("/orders").status) == (200, 200)
    assert IntegratorKey.objects.get(id=old.key.id).expires_at == NOW + timedelta(days=7)
    assert (made.scopes, made.store_id, made.expires_at) == (old.key.scopes, store.id, NOW + timedelta(days=30))
    with pytest.raises(InvalidError):
        services.rotate_key(key_id=old.key.id, by=UserFactory().id, at=NOW)


def test_rotating_never_lengthens_a_key(store: Store) -> None:
    old = System(store, expires_at=NOW + timedelta(days=2))
    services.rotate_key(key_id=old.key.id, by=UserFactory().id, at=NOW)
    assert IntegratorKey.objects.get(id=old.key.id).expires_at == NOW + timedelta(days=2)


def test_dead_key_is_not_rotated(store: Store) -> None:
    revoked, over = System(store), System(store, at=NOW - timedelta(days=9), expires_at=NOW - timedelta(days=1))
    services.revoke_key(key_id=revoked.key.id, at=NOW)
    for system in (revoked, over):
        with pytest.raises(InvalidError):
            services.rotate_key(key_id=system.key.id, by=UserFactory().id, at=NOW)


def test_use_is_remembered_every_five_minutes(store: Store) -> None:
    system = System(store)
    system.get("/orders")
    first = IntegratorKey.objects.get().last_used_at
    assert first is not None
    system.get("/orders")
    assert IntegratorKey.objects.get().last_used_at == first
    for later, moved in ((timedelta(minutes=4), False), (timedelta(minutes=5), True)):
        services.note_key_use(key_id=system.key.id, at=first + later)
        assert (IntegratorKey.objects.get().last_used_at == first + later) is moved


def test_only_the_hash_is_kept_and_nothing_is_logged(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        system = System(store)
        system.get("/orders")
        services.revoke_key(key_id=system.key.id, at=NOW)
        system.get("/orders")

    with connection.cursor() as cursor, cursor.copy("COPY stores_integratorkey TO STDOUT") as copy:
        kept = "".join(bytes(block).decode() for block in copy)
    assert system.key.prefix in kept
    assert system.secret not in kept
    assert system.secret[10:] not in kept
    assert system.secret[10:] not in caplog.text
    assert system.secret not in repr(IntegratorKey.objects.get())


@pytest.mark.parametrize("scopes", [[], ["orders:write"], ["orders:read", "x"]])
def test_scopes_are_known_ones(scopes: list[str], store: Store) -> None:
    system = System(store)
    with pytest.raises(IntegrityError), transaction.atomic():
        IntegratorKey.objects.filter(id=system.key.id).update(scopes=scopes)


def messages_of(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def create(client: Client, store: Store | None, **fields: Any) -> Any:
    day = timezone.localtime(NOW + timedelta(days=30))
    told = {
        "name": "contabilidade",
        "store": str(store.id) if store else "",
        "scopes": ["orders:read", "exports"],
        "expires_at_0": day.strftime("%d/%m/%Y"),
        "expires_at_1": "12:00:00",
        **fields,
    }
    return client.post(address(IntegratorKey, "add"), told)


def test_owner_makes_a_key_and_sees_it_once(store: Store) -> None:
    owner = signed_in(Role.OWNER, None)

    answer = create(owner, store)

    secret = next(found[0] for text in messages_of(answer) if (found := KEY.search(text)))
    key = IntegratorKey.objects.get()
    assert (bytes(key.secret_hash), key.scopes) == (services.hashed(secret), ["exports", "orders:read"])
    assert str(key.created_by_id) == owner.session["_auth_user_id"]
    owner.get(address(IntegratorKey, "changelist"))
    page = owner.get(address(IntegratorKey, "change", key.id)).content.decode()
    assert key.prefix in page
    assert secret not in page
    owner.post(address(IntegratorKey, "change", key.id), {"name": "outra", "scopes": ["webhooks"]})
    assert IntegratorKey.objects.get().name == "contabilidade"


def test_key_for_the_chain_is_made_by_the_chains_owners(store: Store) -> None:
    assert create(signed_in(Role.OWNER, store), None).status_code == 200
    assert create(signed_in(Role.OWNER, store), StoreFactory()).status_code == 200
    assert create(signed_in(Role.OWNER, store), store, expires_at_0="01/01/2020").status_code == 200
    assert not IntegratorKey.objects.exists()
    create(signed_in(Role.OWNER, None), None)
    assert IntegratorKey.objects.get().store is None


@pytest.mark.parametrize("role", [Role.MANAGER, Role.CASHIER, Role.AUDITOR])
def test_keys_are_the_owners_business(role: Role, store: Store) -> None:
    client = signed_in(role, store)
    assert client.get(address(IntegratorKey, "changelist")).status_code == 403
    assert create(client, store).status_code == 403
    assert not IntegratorKey.objects.exists()


def act(client: Client, action: str, key: IntegratorKey) -> list[str]:
    told = {"action": action, "_selected_action": [str(key.id)]}
    return messages_of(client.post(address(IntegratorKey, "changelist"), told))


def test_owner_rotates_and_revokes(store: Store) -> None:
    system, owner = System(store), signed_in(Role.OWNER, store)

    (said,) = act(owner, "rotate", system.key)
    found = KEY.search(said)
    assert found
    system.client.credentials(HTTP_AUTHORIZATION=f"Bearer {found[0]}")
    assert system.get("/orders").status == 200
    assert "girada" in act(owner, "rotate", system.key)[-1]
    act(owner, "revoke", IntegratorKey.objects.get(replaces=system.key))
    assert system.get("/orders").status == 401


def test_actions_do_not_reach_keys_of_another_store(store: Store) -> None:
    theirs, ours = System(StoreFactory()), System(store)
    owner = signed_in(Role.OWNER, store)
    act(owner, "revoke", theirs.key)
    act(owner, "rotate", theirs.key)
    assert (theirs.get("/orders").status, ours.get("/orders").status) == (200, 200)
    assert IntegratorKey.objects.count() == 2

"""The menu over HTTP: whose it is, and how little is sent when nothing changed."""

import gzip
import json
from uuid import uuid4

import pytest
from django.test import Client

from apps.catalog.models import MenuVersion, Product
from apps.core.actors import Role
from apps.core.models import StoredEvent
from apps.stores.models import Store
from tests.factories import ProductFactory, StaffRoleFactory, StoreFactory, UserFactory, new_menu
from tests.fixtures import Screen

PATH = "/api/v1/menu"


@pytest.fixture
def product(store: Store) -> Product:
    product = ProductFactory(name="Coxinha")
    new_menu(store)
    return product


def test_anybody_reads_the_menu_of_a_store(store: Store, product: Product) -> None:
    assert Client().get(f"{PATH}?store={store.id}").json()["store"]["id"] == str(store.id)


@pytest.mark.parametrize("kind", [Role.KIOSK, Role.BOARD, Role.PANEL])
def test_device_reads_its_own_store_by_default(kind: Role, store: Store, product: Product) -> None:
    other = StoreFactory()

    assert Screen(store, kind).get("/menu").body["store"]["id"] == str(store.id)
    assert Screen(store, kind).get(f"/menu?store={other.id}").body["store"]["id"] == str(other.id)


@pytest.mark.parametrize("store_id", ["", "x", "1", "'", "00000000-0000-0000-0000-00000000000"])
def test_store_that_is_no_id_is_refused(store_id: str, db: None) -> None:
    answer = Client().get(f"{PATH}?store={store_id}")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == ["store"]


def test_stranger_without_a_store_is_refused(db: None) -> None:
    assert Client().get(PATH).status_code == 400


def test_unknown_store_is_not_found(db: None) -> None:
    assert Client().get(f"{PATH}?store={uuid4()}").json()["code"] == "not_found"


def test_unchanged_menu_is_not_sent_again(store: Store, product: Product, kiosk: Screen) -> None:
    first = kiosk.get("/menu")
    etag = first.response["ETag"]

    again = kiosk.get("/menu", **{"If-None-Match": etag})

    assert (again.status, again.response.content, again.response["ETag"]) == (304, b"", etag)
    assert kiosk.get("/menu", **{"If-None-Match": '"other"'}).body == first.body


def test_changed_menu_has_another_tag_and_is_sent(store: Store, product: Product, kiosk: Screen) -> None:
    first = kiosk.get("/menu")
    Product.objects.update(name="Coxinha de jaca")
    new_menu(store)

    again = kiosk.get("/menu", **{"If-None-Match": first.response["ETag"]})

    assert (again.status, again.body["version"]) == (200, first.body["version"] + 1)
    assert again.response["ETag"] != first.response["ETag"]
    assert again.body["categories"][0]["products"][0]["name"] == "Coxinha de jaca"


def test_menu_is_sent_gzipped_to_who_takes_it(store: Store, product: Product, kiosk: Screen) -> None:
    plain, packed = kiosk.get("/menu"), kiosk.get("/menu", **{"Accept-Encoding": "br, gzip"})

    assert packed.response["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.response
    assert json.loads(gzip.decompress(packed.response.content)) == plain.body
    assert "Accept-Encoding" in packed.response["Vary"]


def test_saving_in_the_back_office_raises_every_stores_version(store: Store, product: Product, kiosk: Screen) -> None:
    other = StoreFactory()
    new_menu(other)
    before = dict(MenuVersion.objects.values_list("store_id", "value"))
    owner = UserFactory()
    StaffRoleFactory(user=owner, role=Role.OWNER, store=None)
    client = Client()
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    path = f"/admin/catalog/category/{product.category_id}/change/"

    saved = client.post(path, {"name": "Salgados", "slug": "salgados", "position": 1})

    assert saved.status_code == 302
    assert dict(MenuVersion.objects.values_list("store_id", "value")) == {
        store_id: value + 1 for store_id, value in before.items()
    }
    assert kiosk.get("/menu").body["categories"][0]["name"] == "Salgados"
    assert StoredEvent.objects.filter(type="menu.changed").count() == 2 * len(before)


def test_refused_save_raises_nothing(store: Store, product: Product) -> None:
    owner = UserFactory()
    StaffRoleFactory(user=owner, role=Role.OWNER, store=None)
    client = Client()
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")

    refused = client.post(f"/admin/catalog/category/{product.category_id}/change/", {"name": "", "slug": "x"})

    assert refused.status_code == 200
    assert MenuVersion.objects.get(store=store).value == 1

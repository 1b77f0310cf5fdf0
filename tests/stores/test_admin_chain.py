"""What belongs to the whole chain is changed only by those who answer for all of it."""

import pytest
from django.test import Client

from apps.catalog.models import Product
from apps.core.actors import Role
from apps.stores.models import StaffRole, Store
from tests.factories import ProductFactory, StaffRoleFactory, UserFactory


def owner_of(store: Store | None) -> Client:
    client = Client()
    client.force_login(StaffRoleFactory(role=Role.OWNER, store=store).user)
    return client


@pytest.mark.parametrize(("everywhere", "status"), [(True, 200), (False, 403)])
def test_chain_page_is_written_by_the_chains_owner_only(everywhere: bool, status: int, store: Store) -> None:
    product: Product = ProductFactory()
    owner = owner_of(None if everywhere else store)

    assert owner.get("/admin/catalog/product/add/").status_code == status
    assert owner.get(f"/admin/catalog/product/{product.pk}/change/").status_code == 200
    posted = owner.post(f"/admin/catalog/product/{product.pk}/change/", {"name": "Outro"})
    assert posted.status_code == status
    product.refresh_from_db()
    assert product.name != "Outro"


def test_owner_of_one_store_grants_roles_there_and_nowhere_else(store: Store) -> None:
    owner, friend = owner_of(store), UserFactory()
    form = {"user": str(friend.pk), "role": Role.OWNER}

    assert owner.post("/admin/stores/staffrole/add/", form).status_code == 200
    assert not StaffRole.objects.filter(user=friend).exists()
    assert owner.post("/admin/stores/staffrole/add/", {**form, "store": str(store.pk)}).status_code == 302
    assert StaffRole.objects.get(user=friend).store == store

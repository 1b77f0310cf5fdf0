"""Offers are seen on the menu."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from apps.catalog.models import Product
from apps.core.actors import Role
from apps.promotions.models import Promotion
from apps.promotions.services import refresh_marks
from apps.stores.models import Store
from tests.factories import ProductFactory, StaffRoleFactory, StoreFactory, new_menu
from tests.fixtures import Screen, broken_rules


@pytest.fixture
def coffee(store: Store) -> Product:
    product = ProductFactory(price=Decimal("5.00"))
    new_menu(store)
    return product


def shown(screen: Screen) -> list[dict[str, object]]:
    menu = screen.get("/menu").body
    return [mark for shelf in menu["categories"] for product in shelf["products"] for mark in product["marks"]]


def test_promotion_made_in_the_back_office_is_on_the_kiosk_and_in_the_total(
    store: Store, kiosk: Screen, coffee: Product
) -> None:
    owner = Client()
    owner.force_login(StaffRoleFactory(role=Role.OWNER, store=None).user)
    form = {"name": "Hora do café", "kind": "percent", "value": "20", "active": "on", "product": str(coffee.id)}

    saved = owner.post("/admin/promotions/promotion/add/", form)

    assert saved.status_code == 302, saved.context["adminform"].form.errors
    assert shown(kiosk) == [{"kind": "promo", "until": None, "value": "4.00"}]
    assert kiosk.buy(coffee).body["total"] == "4.00"
    assert broken_rules() == {}


def test_mark_comes_and_goes_with_the_clock_and_only_where_it_holds(
    store: Store, kiosk: Screen, coffee: Product
) -> None:
    elsewhere = Screen(StoreFactory())
    now = timezone.now()
    Promotion.objects.create(
        name="Só aqui",
        kind="amount",
        value=1,
        category=coffee.category,
        store=store,
        starts_at=now + timedelta(hours=1),
        ends_at=now + timedelta(hours=2),
    )

    assert (refresh_marks(at=now), shown(kiosk)) == (0, [])
    assert refresh_marks(at=now + timedelta(minutes=90)) == 1
    assert refresh_marks(at=now + timedelta(minutes=90)) == 0
    assert ([mark["value"] for mark in shown(kiosk)], shown(elsewhere)) == (["4.00"], [])
    assert refresh_marks(at=now + timedelta(hours=2)) == 1
    assert shown(kiosk) == []


def test_manager_cannot_make_an_offer_for_the_whole_chain(store: Store, coffee: Product) -> None:
    manager = Client()
    manager.force_login(StaffRoleFactory(role=Role.MANAGER, store=store).user)
    form = {"name": "Rede", "kind": "percent", "value": "20", "active": "on", "product": str(coffee.id)}

    assert manager.post("/admin/promotions/promotion/add/", form).status_code == 200
    assert (
        manager.post("/admin/promotions/promotion/add/", {**form, "store": str(StoreFactory().id)}).status_code == 200
    )
    assert not Promotion.objects.exists()
    assert manager.post("/admin/promotions/promotion/add/", {**form, "store": str(store.id)}).status_code == 302

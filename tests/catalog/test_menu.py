"""The menu document: what is sold here, at which price, and until when it holds."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.catalog.models import Category, Option, Product
from apps.stores.models import Store
from tests.factories import (
    CategoryFactory,
    ModifierGroupFactory,
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    StoreOptionFactory,
    StoreProductFactory,
    new_menu,
)
from tests.fixtures import Screen


def menu(screen: Screen) -> Any:
    new_menu(screen.store)
    return screen.get("/menu").body


def products(screen: Screen) -> list[dict[str, Any]]:
    return [product for category in menu(screen)["categories"] for product in category["products"]]


def test_menu_has_the_shape_of_the_contract(store: Store, kiosk: Screen) -> None:
    shelf = CategoryFactory(slug="lanche", name="Lanches")
    product = ProductFactory(
        category=shelf,
        slug="misto",
        name="Misto-quente",
        description="Presunto e queijo.",
        price=Decimal("14.90"),
        station="chapa",
        prep_minutes=6,
        allergens=["gluten", "leite"],
        tags=["novo"],
    )
    group = ModifierGroupFactory(name="Adicionais", min=0, max=3)
    ProductModifierGroupFactory(product=product, group=group)
    option = OptionFactory(group=group, name="Ovo", price=Decimal("2.50"), max_quantity=2)

    document = menu(kiosk)

    assert document == {
        "store": {
            "id": str(store.id),
            "code": store.code,
            "name": store.name,
            "timezone": "America/Sao_Paulo",
            "training": False,
            "open": True,
            "paused": False,
            "opens_at": None,
            "packaging_fee": "0.00",
        },
        "version": 1,
        "valid_until": None,
        "currency": "BRL",
        "language": "pt-BR",
        "categories": [
            {
                "id": str(shelf.id),
                "slug": "lanche",
                "name": "Lanches",
                "products": [
                    {
                        "id": str(product.id),
                        "slug": "misto",
                        "kind": "single",
                        "name": "Misto-quente",
                        "description": "Presunto e queijo.",
                        "price": "14.90",
                        "image": None,
                        "available": True,
                        "unavailable_until": None,
                        "marks": [],
                        "station": "chapa",
                        "prep_minutes": 6,
                        "allergens": ["gluten", "leite"],
                        "tags": ["novo"],
                        "needs_release": False,
                        "nutrition": None,
                        "modifier_groups": [
                            {
                                "id": str(group.id),
                                "name": "Adicionais",
                                "min": 0,
                                "max": 3,
                                "options": [
                                    {
                                        "id": str(option.id),
                                        "name": "Ovo",
                                        "price": "2.50",
                                        "max_quantity": 2,
                                        "available": True,
                                    }
                                ],
                            }
                        ],
                        "slots": [],
                    }
                ],
            }
        ],
    }


def test_picture_is_said_with_its_address_and_name(kiosk: Screen) -> None:
    ProductFactory(name="Coxinha", picture="art/coxinha.svg")

    (product,) = products(kiosk)

    assert product["image"]["src"].startswith("/static/art/coxinha")
    assert product["image"]["alt"] == "Coxinha"


def test_shelves_and_products_come_in_their_order(kiosk: Screen) -> None:
    last, first = CategoryFactory(position=2), CategoryFactory(position=1)
    for shelf, name, position in ((last, "C", 0), (first, "B", 1), (first, "A", 1), (first, "Z", 0)):
        ProductFactory(category=shelf, name=name, position=position)

    assert [product["name"] for product in products(kiosk)] == ["Z", "A", "B", "C"]


@pytest.mark.parametrize("own", ["6.00", "0.00", None])
def test_stores_own_price_comes_before_the_chains(own: str | None, kiosk: Screen, stranger: Screen) -> None:
    product = ProductFactory(price=Decimal("5.00"))
    StoreProductFactory(store=kiosk.store, product=product, price=own)

    assert [each["price"] for each in products(kiosk)] == [own or "5.00"]
    assert [each["price"] for each in products(stranger)] == ["5.00"]


def test_stores_own_price_of_an_option_comes_before_the_chains(kiosk: Screen, stranger: Screen) -> None:
    option = OptionFactory(group=ProductModifierGroupFactory().group, price=Decimal("2.00"))
    StoreOptionFactory(store=kiosk.store, option=option, price=Decimal("3.10"))

    prices = [products(each)[0]["modifier_groups"][0]["options"][0]["price"] for each in (kiosk, stranger)]

    assert prices == ["3.10", "2.00"]


def test_what_is_not_sold_here_is_not_shown_here(kiosk: Screen, stranger: Screen) -> None:
    gone, kept = ProductFactory(name="Sonho"), ProductFactory(name="Pudim")
    StoreProductFactory(store=kiosk.store, product=gone, sold_here=False)

    assert [each["name"] for each in products(kiosk)] == [kept.name]
    assert sorted(each["name"] for each in products(stranger)) == ["Pudim", "Sonho"]


@pytest.mark.parametrize("model", [Product, Category, Option])
def test_archived_things_are_not_shown(model: type, kiosk: Screen) -> None:
    option = OptionFactory(group=ProductModifierGroupFactory().group)
    assert len(products(kiosk)[0]["modifier_groups"][0]["options"]) == 1
    model.objects.update(archived_at=timezone.now())

    shown = products(kiosk)

    assert [each["modifier_groups"] for each in shown] == ([[]] if model is Option else [])
    assert option.id is not None


def test_pause_makes_a_product_unavailable_and_limits_the_document(kiosk: Screen, stranger: Screen) -> None:
    now = timezone.now().replace(microsecond=0)
    early, late = ProductFactory(position=1), ProductFactory(position=2)
    StoreProductFactory(store=kiosk.store, product=early, paused_until=now + timedelta(hours=1))
    StoreProductFactory(store=kiosk.store, product=late, paused_until=now + timedelta(hours=2))

    document = menu(kiosk)

    shown = [product for category in document["categories"] for product in category["products"]]
    ends = [(now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z") for hours in (1, 2)]
    assert [(each["available"], each["unavailable_until"]) for each in shown] == [(False, ends[0]), (False, ends[1])]
    assert document["valid_until"] == ends[0]
    assert [each["available"] for each in products(stranger)] == [True, True]


def test_pause_that_is_over_counts_no_more(kiosk: Screen) -> None:
    StoreProductFactory(store=kiosk.store, paused_until=timezone.now() - timedelta(seconds=1))

    document = menu(kiosk)

    (product,) = document["categories"][0]["products"]
    assert (product["available"], product["unavailable_until"], document["valid_until"]) == (True, None, None)


def test_paused_option_limits_the_document(kiosk: Screen) -> None:
    option = OptionFactory(group=ProductModifierGroupFactory().group)
    until = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    StoreOptionFactory(store=kiosk.store, option=option, paused_until=until)

    document = menu(kiosk)

    (shown,) = document["categories"][0]["products"][0]["modifier_groups"][0]["options"]
    assert (shown["available"], document["valid_until"]) == (False, until.strftime("%Y-%m-%dT%H:%M:%S.000Z"))


def test_second_reading_of_a_version_asks_for_little(kiosk: Screen) -> None:
    ProductFactory.create_batch(20)
    menu(kiosk)

    with CaptureQueriesContext(connection) as queries:
        assert kiosk.get("/menu").status == 200

    assert len(queries) <= 3  # who asks, the store, the version

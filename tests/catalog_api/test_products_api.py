"""Products and categories over the API: who may change what, what is refused, how lists are read."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from apps.catalog.models import Category, MenuVersion, Product, StoreProduct
from apps.core.actors import Role
from apps.core.models import StoredEvent
from apps.stores.models import Store
from tests.catalog_api.conftest import Desk
from tests.factories import (
    CategoryFactory,
    ModifierGroupFactory,
    OptionFactory,
    ProductFactory,
    ProductModifierGroupFactory,
    StoreFactory,
    StoreProductFactory,
)
from tests.fixtures import API, Reply, Screen

pytestmark = pytest.mark.django_db


def get(path: str) -> Reply:
    """Ask as a stranger: products are for everybody to read."""
    return Reply(Client().get(f"{API}{path}"))


def names(reply: Reply) -> list[str]:
    return [product["name"] for product in reply.body["results"]]


def versions() -> dict[Any, int]:
    return dict(MenuVersion.objects.values_list("store_id", "value"))


@pytest.fixture
def lanches() -> Category:
    return CategoryFactory(slug="lanche", name="Lanches")


def test_owner_adds_a_product_that_every_store_sells(owner: Desk, store: Store, lanches: Category) -> None:
    other = StoreFactory()
    group = OptionFactory().group
    said = {
        "category": str(lanches.id),
        "name": "Pão de açúcar",
        "price": "12.50",
        "station": "chapa",
        "prep_minutes": 4,
        "allergens": ["gluten"],
        "modifier_groups": [str(group.id)],
    }

    made = owner.call("POST", "/products", said)

    assert made.status == 201
    assert made.body["slug"] == "pao-de-acucar"
    assert made.body["category"] == str(lanches.id)
    assert (made.body["price"], made.body["available"], made.body["marks"], made.body["slots"]) == (
        "12.50",
        True,
        [],
        [],
    )
    assert [each["id"] for each in made.body["modifier_groups"]] == [str(group.id)]
    for shop in (store, other):
        menu = get(f"/menu?store={shop.id}").body
        assert [p["id"] for c in menu["categories"] for p in c["products"]] == [made.body["id"]]
    assert versions() == {store.id: 1, other.id: 1}
    assert StoredEvent.objects.filter(type="menu.changed").count() == 2
    assert owner.call("POST", "/products", said).body["slug"] == "pao-de-acucar-2"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        *[
            ("price", price, "invalid")
            for price in ("-1.00", "1.234", "1.5", "1", "", " 1.00", "\u0661.00", "1e2", 1.5, 1, True, "NaN")
        ],
        ("price", None, "null"),
        ("price", "1234567.00", "invalid"),
        ("colour", "red", "unknown_field"),
        ("archived_at", None, "unknown_field"),
        ("id", "0199c0de-0000-7000-8000-000000000000", "unknown_field"),
        ("name", 7, "invalid"),
        ("name", "", "blank"),
        ("name", "x" * 81, "max_length"),
        ("station", "forno", "invalid_choice"),
        ("prep_minutes", "4", "invalid"),
        ("category", "0199c0de-0000-7000-8000-000000000000", "invalid"),
        ("slug", "com espaço", "invalid"),
        ("modifier_groups", ["0199c0de-0000-7000-8000-000000000000"], "invalid"),
    ],
)
def test_product_that_makes_no_sense_is_refused(
    owner: Desk, store: Store, lanches: Category, field: str, value: Any, code: str
) -> None:
    said = {"category": str(lanches.id), "name": "Coxinha", "price": "8.50", field: value}

    refused = owner.call("POST", "/products", said)

    assert refused.code == (400, "invalid")
    assert refused.errors == [(field, code)]
    assert not Product.objects.exists()
    assert versions() == {}


def test_slug_of_another_product_is_refused(owner: Desk, store: Store) -> None:
    ProductFactory(slug="coxinha")
    product = ProductFactory()

    refused = owner.call("PATCH", f"/products/{product.id}", {"slug": "coxinha"})

    assert (refused.code, refused.errors) == ((400, "invalid"), [("slug", "unique")])


def test_patch_changes_only_what_it_names_and_nothing_when_it_is_so_already(owner: Desk, store: Store) -> None:
    link = ProductModifierGroupFactory(product__price=Decimal("8.50"), group=OptionFactory().group)
    product = link.product

    changed = owner.call("PATCH", f"/products/{product.id}", {"price": "9.00"})
    again = owner.call("PATCH", f"/products/{product.id}", {"price": "9.00", "modifier_groups": [str(link.group_id)]})

    assert (changed.status, again.status) == (200, 200)
    assert (again.body["price"], again.body["name"]) == ("9.00", product.name)
    assert len(again.body["modifier_groups"]) == 1
    assert versions() == {store.id: 1}


def test_put_says_everything_anew_and_keeps_the_slug(owner: Desk, store: Store) -> None:
    product = ProductFactory(description="velha", prep_minutes=9)

    said = {"category": str(product.category_id), "name": "Nova", "price": "1.00"}
    told = owner.call("PUT", f"/products/{product.id}", said)

    assert (told.status, told.body["name"], told.body["description"]) == (200, "Nova", "")
    assert (told.body["prep_minutes"], told.body["slug"]) == (0, product.slug)
    assert owner.call("PUT", f"/products/{product.id}", {"name": "Nova"}).errors == [
        ("category", "required"),
        ("price", "required"),
    ]


def test_deleted_product_is_archived_and_leaves_every_list(owner: Desk, store: Store) -> None:
    product = ProductFactory()

    assert owner.call("DELETE", f"/products/{product.id}").status == 204

    product.refresh_from_db()
    assert product.archived_at is not None
    assert names(get("/products")) == []
    assert get(f"/menu?store={store.id}").body["categories"] == []
    assert get(f"/products/{product.id}").code == (404, "not_found")
    for method in ("DELETE", "PATCH"):
        assert owner.call(method, f"/products/{product.id}", {}).code == (404, "not_found")
    assert versions() == {store.id: 1}


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER, Role.CASHIER, Role.KITCHEN, Role.AUDITOR])
def test_only_owners_of_the_chain_change_it(store: Store, lanches: Category, role: Role) -> None:
    desk, product = Desk(role, store), ProductFactory(category=lanches)
    said = {"category": str(lanches.id), "name": "X", "price": "1.00"}

    for method, path, body in (
        ("POST", "/products", said),
        ("PUT", f"/products/{product.id}", said),
        ("PATCH", f"/products/{product.id}", {"price": "1.00"}),
        ("DELETE", f"/products/{product.id}", None),
        ("POST", "/categories", {"name": "X"}),
        ("PUT", f"/categories/{lanches.id}", {"name": "X"}),
        ("PATCH", f"/categories/{lanches.id}", {"name": "X"}),
        ("DELETE", f"/categories/{lanches.id}", None),
    ):
        assert desk.call(method, path, body).code == (403, "permission_denied"), (method, path)
    product.refresh_from_db()
    assert (product.price, product.archived_at) == (Decimal("10.00"), None)
    assert versions() == {}


def test_strangers_and_devices_read_and_do_not_write(kiosk: Screen, lanches: Category) -> None:
    product = ProductFactory(category=lanches)

    assert get(f"/products/{product.id}").status == kiosk.get(f"/products/{product.id}").status == 200
    assert kiosk.send("PATCH", f"/products/{product.id}", {"price": "1.00"}).code[0] == 403
    assert Reply(Client().delete(f"{API}/products/{product.id}")).code[0] == 401


def test_manager_sets_price_and_assortment_of_the_own_store_only(manager: Desk, store: Store) -> None:
    other, product = StoreFactory(), ProductFactory(price=Decimal("10.00"))
    path = f"/products/{product.id}"

    told = manager.call("PATCH", f"{path}?store={store.id}", {"price": "11.00"})

    assert (told.status, told.body["price"], told.body["sold_here"]) == (200, "11.00", True)
    assert get(f"{path}?store={store.id}").body["price"] == "11.00"
    assert get(path).body["price"] == get(f"{path}?store={other.id}").body["price"] == "10.00"
    assert versions() == {store.id: 1}

    assert manager.call("PATCH", f"{path}?store={store.id}", {"price": None, "sold_here": False}).status == 200
    assert get(f"{path}?store={store.id}").code == (404, "not_found")
    assert names(get(f"/products?store={store.id}")) == []
    assert names(get(f"/products?store={other.id}")) == names(get("/products")) == [product.name]
    assert versions() == {store.id: 2}

    assert manager.call("PATCH", f"{path}?store={other.id}", {"price": "1.00"}).code == (404, "not_found")
    assert manager.call("PATCH", f"{path}?store={store.id}", {"name": "X"}).errors == [("name", "unknown_field")]
    assert manager.call("PATCH", f"{path}?store={store.id}", {"sold_here": "no"}).errors == [("sold_here", "invalid")]
    assert manager.call("PATCH", f"{path}?store=", {"price": "1.00"}).errors == [("store", "invalid")]
    assert StoreProduct.objects.count() == 1


def test_owner_sets_terms_at_any_store_and_cashier_at_none(owner: Desk, store: Store) -> None:
    product = ProductFactory()
    path = f"/products/{product.id}?store={store.id}"

    assert Desk(Role.CASHIER, store).call("PATCH", path, {"price": "1.00"}).code[0] == 403
    assert owner.call("PATCH", path, {"price": "1.00"}).body["price"] == "1.00"
    assert owner.call("PATCH", f"/products/{product.id}?store={uuid4()}", {"price": "1.00"}).code[0] == 404


@pytest.mark.parametrize("words", ["pao", "PÃO", "pão de qu", "paozinho de queij", "queijo"])
def test_search_forgives_accents_case_and_slips(words: str) -> None:
    ProductFactory(name="Pão de queijo")
    ProductFactory(name="Café coado")
    ProductFactory(name="Pudim")

    assert names(Reply(Client().get(f"{API}/products", {"q": words}))) == ["Pão de queijo"]


@pytest.mark.parametrize("words", ["100%", "_", "' OR 1=1 --", "xyzzy"])
def test_search_takes_signs_as_text(words: str) -> None:
    ProductFactory(name="Coxinha")

    assert names(Reply(Client().get(f"{API}/products", {"q": words}))) == []


def test_list_of_a_category_by_its_slug(lanches: Category) -> None:
    mine = ProductFactory(category=lanches)
    ProductFactory()

    assert names(get("/products/lanche")) == names(get("/products?category=lanche")) == [mine.name]
    assert get("/products/nenhuma").code == (404, "not_found")
    assert names(get("/products?category=nenhuma")) == []


def test_pages_lead_through_the_whole_list_and_back() -> None:
    for name in ("Bolo", "Café", "Café", "Açaí", "Pudim"):
        ProductFactory(name=name)
    whole = [p["id"] for p in get("/products").body["results"]]

    first = get("/products?page_size=2").body
    second = Client().get(first["next"]).json()
    third = Client().get(second["next"]).json()
    back = Client().get(third["previous"]).json()
    start = Client().get(back["previous"]).json()

    assert [p["id"] for page in (first, second, third) for p in page["results"]] == whole
    assert (first["previous"], third["next"]) == (None, None)
    assert [p["id"] for p in back["results"]] == [p["id"] for p in second["results"]]
    assert (start["results"], start["previous"]) == (first["results"], None)
    assert start["next"] is not None


def test_page_is_never_longer_than_two_hundred() -> None:
    category = CategoryFactory()
    ProductFactory.create_batch(201, category=category)

    assert len(get("/products?page_size=5000").body["results"]) == 200


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "cursor=", "cursor=é", "cursor=WyJuIl0=", "cursor=W1tbW1tbW1tb", "page_size=0", "page_size=-1",
     "page_size=x", "page_size=\u0661", "store=x", "q=" + "a" * 61, "q=%00"],
)  # fmt: skip
def test_list_asked_for_wrongly_is_refused(query: str) -> None:
    assert get(f"/products?{query}").code == (400, "invalid")


def test_list_takes_as_many_queries_for_one_row_as_for_three(store: Store, django_assert_num_queries) -> None:
    for _ in range(3):
        link = ProductModifierGroupFactory(group=OptionFactory(group=ModifierGroupFactory()).group)
        StoreProductFactory(store=store, product=link.product, price=Decimal("1.00"))
        with django_assert_num_queries(6):
            assert get(f"/products?store={store.id}").status == 200


def test_categories_are_read_by_all_and_changed_by_owners(owner: Desk, store: Store, lanches: Category) -> None:
    made = owner.call("POST", "/categories", {"name": "Pães", "position": 0})

    assert (made.status, made.body["slug"]) == (201, "paes")
    assert [c["slug"] for c in get("/categories").body["results"]] == ["lanche", "paes"]
    path = f"/categories/{made.body['id']}"
    assert get(path).body == made.body
    assert owner.call("PATCH", path, {"name": "Pães e bolos"}).body["name"] == "Pães e bolos"
    assert owner.call("PUT", path, {"name": "Pães"}).body == made.body
    assert owner.call("PATCH", path, {"slug": "lanche"}).errors == [("slug", "unique")]
    assert owner.call("PATCH", path, {"color": "x"}).errors == [("color", "unknown_field")]
    assert versions() == {store.id: 3}
    assert owner.call("DELETE", path).status == 204
    assert get(path).code == owner.call("DELETE", path).code == (404, "not_found")
    assert versions() == {store.id: 4}


def test_products_of_an_archived_category_are_on_no_menu(owner: Desk, store: Store, lanches: Category) -> None:
    product = ProductFactory(category=lanches)
    owner.call("DELETE", f"/categories/{lanches.id}")

    assert get(f"/products/{product.id}").code == (404, "not_found")
    assert get(f"/menu?store={store.id}").body["categories"] == []
    assert Product.objects.get().archived_at is None


def test_pause_of_one_store_shows_only_there(store: Store) -> None:
    product = ProductFactory()
    until = timezone.now() + timedelta(hours=1)
    StoreProductFactory(store=store, product=product, paused_until=until)

    assert get(f"/products/{product.id}?store={store.id}").body["available"] is False
    assert get(f"/products/{product.id}").body["available"] is True

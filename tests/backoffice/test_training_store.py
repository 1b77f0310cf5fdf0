"""A store to practise in, opened beside a real one by who owns the chain: with its menu, and with stock for everything."""

from datetime import datetime

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.actors import Role
from apps.core.errors import InvalidError, NotFoundError
from apps.core.models import AuditEntry
from apps.inventory.models import StockLevel, StockMovement
from apps.inventory.services import stock_up
from apps.payments.models import ProviderAccount
from apps.stores.models import Device, OpeningHours, Store
from breadmate import training
from breadmate.rush import shop as rush
from tests.factories import ProductFactory, RecipeLineFactory, StoreFactory, new_menu, staff, supply
from tests.fixtures import Screen, broken_rules
from tests.trail.conftest import act, browser_of, page_of, person

pytestmark = pytest.mark.django_db

ADDRESS = "/admin/stores/store/treino/"
OWNER = staff(Role.OWNER, None)


@pytest.fixture
def store(db: None) -> Store:
    made: Store = StoreFactory(code="CENTRO", name="Padaria Centro", packaging_fee="2.00", timezone="America/Manaus")
    OpeningHours.objects.create(store=made, weekday=0, opens_at="06:00", closes_at="07:00")
    return made


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def on_hand(store: Store) -> dict[str, int]:
    return dict(StockLevel.objects.filter(store=store).values_list("item__name", "on_hand"))


def test_everything_can_be_sold_there_at_any_hour(store: Store, now: datetime) -> None:
    bun, flour = RecipeLineFactory(item__name="Pão"), RecipeLineFactory(item__name="Farinha", quantity=30)
    RecipeLineFactory(item=flour.item, quantity=250)
    untracked = ProductFactory()
    supply(bun.item, store, 3)

    shop = training.open_store(of=store.id, by=OWNER, at=now)

    assert (shop.name, shop.code, shop.training) == ("Padaria Centro · treino", "CENTROTREINO", True)
    assert (shop.timezone, str(shop.packaging_fee)) == ("America/Manaus", "2.00")
    assert on_hand(shop) == {"Pão": 200, "Farinha": 50_000}
    assert on_hand(store) == {"Pão": 3}
    kiosk = Screen(shop)
    menu = kiosk.get("/menu").body
    assert (menu["store"]["open"], menu["store"]["training"]) == (True, True)
    sold = [product["available"] for category in menu["categories"] for product in category["products"]]
    assert sold == [True] * 4
    assert kiosk.buy(bun.product, flour.product, untracked).status == 201
    assert broken_rules() == {}


def test_second_call_returns_the_same(store: Store, now: datetime) -> None:
    first = training.open_store(of=store.id, by=OWNER, at=now)

    assert training.open_store(of=store.id, by=OWNER, at=now) == first
    assert Store.objects.count() == 2
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["stores.training_opened"]


def test_code_stays_one_that_fits(now: datetime) -> None:
    long = StoreFactory(code="ABCDEFGHIJKLMNOPQRST", name="P" * 120)

    shop = training.open_store(of=long.id, by=OWNER, at=now)

    shop.full_clean()
    assert (shop.code, len(shop.name)) == ("ABCDEFGHIJKLMNTREINO", 120)


def test_refused_where_it_makes_no_sense(store: Store, now: datetime) -> None:
    shop = training.open_store(of=store.id, by=OWNER, at=now)
    other = StoreFactory(code="PRAIA")
    StoreFactory(code="PRAIATREINO")

    for of in (shop, other):
        with pytest.raises(InvalidError):
            training.open_store(of=of.id, by=OWNER, at=now)
    for somebody in (staff(Role.OWNER, store), staff(Role.MANAGER, None), staff(Role.AUDITOR, None)):
        with pytest.raises(NotFoundError):
            training.open_store(of=store.id, by=somebody, at=now)
    assert Store.objects.filter(training=True).count() == 1


def test_shelves_are_filled_again_and_only_there(store: Store, now: datetime) -> None:
    line = RecipeLineFactory()
    supply(line.item, store, 1)
    shop = training.open_store(of=store.id, by=OWNER, at=now)
    kiosk = Screen(shop)
    new_menu(shop)
    assert kiosk.buy(line.product, quantity=99).status == 201
    fresh = RecipeLineFactory()
    new_menu(shop)
    moved = StockMovement.objects.count()

    assert training.restock(store_id=shop.id, by=staff(Role.MANAGER, shop), at=now) == 2
    assert training.restock(store_id=shop.id, by=staff(Role.MANAGER, shop), at=now) == 0

    levels = StockLevel.objects.filter(store=shop)
    assert [level.on_hand - level.reserved for level in levels] == [200, 200]
    assert StockMovement.objects.count() == moved + 2
    assert kiosk.buy(fresh.product).status == 201
    for who, where in ((OWNER, store), (staff(Role.CASHIER, shop), shop), (staff(Role.OWNER, store), shop)):
        with pytest.raises(NotFoundError):
            training.restock(store_id=where.id, by=who, at=now)
    assert StockLevel.objects.get(store=store).on_hand == 1
    assert broken_rules() == {}


def test_rush_does_not_go_there(store: Store, now: datetime) -> None:
    line = RecipeLineFactory()
    supply(line.item, store, 1)
    shop = training.open_store(of=store.id, by=OWNER, at=now)

    rush.screens(kiosks=3, at=now)
    rush.stock_up(seed=1, at=now)

    assert set(Device.objects.values_list("store", flat=True)) == {store.id}
    assert StockLevel.objects.get(store=shop).on_hand == 200


def test_more_than_enough_stays(store: Store, now: datetime) -> None:
    line = RecipeLineFactory()
    supply(line.item, store, 500)

    assert stock_up(store_id=store.id, sales=200, by=OWNER, at=now) == 0
    assert StockLevel.objects.get().on_hand == 500


def test_owner_opens_it_by_a_button(store: Store) -> None:
    RecipeLineFactory()
    owner = browser_of(person(Role.OWNER, None))
    page = owner.get(page_of(Store, "changelist")).content.decode()
    assert "Abrir loja de treino" in page
    assert "nada é cobrado" in " ".join(owner.get(ADDRESS).content.decode().split())
    assert Store.objects.count() == 1

    made = owner.post(ADDRESS, {"store": str(store.pk)}, follow=True).content.decode()

    shop = Store.objects.get(training=True)
    assert "Padaria Centro · treino está aberta" in made
    refilled = act(owner, Store, "restock", store, shop)
    said = owner.get(refilled.url).content.decode()
    assert "Só uma loja de treino" in said
    assert "estoque do treino reposto" in said
    change = owner.get(page_of(Store, "change", shop.pk)).content.decode()
    assert 'name="training"' not in change
    assert owner.post(ADDRESS, {"store": str(shop.pk)}).status_code == 200, "the form offers real stores only"
    assert Store.objects.count() == 2


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
def test_button_is_the_chains_owners(role: Role, store: Store) -> None:
    somebody: Client = browser_of(person(role, store))

    assert "Abrir loja de treino" not in somebody.get(page_of(Store, "changelist")).content.decode()
    assert somebody.post(ADDRESS, {"store": str(store.pk)}).status_code == 403
    assert Store.objects.count() == 1


def test_account_of_the_provider_is_offered_for_real_stores_alone(store: Store) -> None:
    StoreFactory(name="Padaria Centro · treino", training=True)

    shown = browser_of(person(Role.OWNER, None)).get(page_of(ProviderAccount, "add")).content.decode()

    assert ">Padaria Centro<" in shown
    assert "treino" not in shown

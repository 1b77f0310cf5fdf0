"""\"86\": something cannot be had for a while, at one store, on every kiosk and at checkout."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.catalog.models import MenuVersion, Option, Product, StoreOption, StoreProduct
from apps.catalog.services import pause_product
from apps.core.actors import Role
from apps.stores.models import Store
from tests.catalog_api.conftest import Desk
from tests.factories import OptionFactory, ProductFactory, ProductModifierGroupFactory, StoreFactory, new_menu, staff
from tests.fixtures import Screen, cart

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 15, tzinfo=UTC)


@pytest.fixture
def product(store: Store) -> Product:
    made = ProductFactory()
    new_menu(store)
    return made


@pytest.fixture
def option(product: Product) -> Option:
    return OptionFactory(group=ProductModifierGroupFactory(product=product).group)


def shown(kiosk: Screen) -> dict[str, Any]:
    return kiosk.get("/menu").body["categories"][0]["products"][0]


@pytest.mark.parametrize("hours", [1, 2, 4])
def test_board_pauses_a_product_for_hours(board: Screen, kiosk: Screen, product: Product, hours: int) -> None:
    before = timezone.now()
    told = board.post(f"/products/{product.id}/pause", {"hours": hours})

    end = StoreProduct.objects.get().paused_until
    assert before + timedelta(hours=hours) <= end <= timezone.now() + timedelta(hours=hours)
    assert (told.status, told.body["available"], told.body["store"]) == (200, False, str(board.store.id))
    assert (shown(kiosk)["available"], shown(kiosk)["unavailable_until"]) == (False, told.body["unavailable_until"])
    assert kiosk.buy(product).code == (409, "item_unavailable")

    again = board.send("DELETE", f"/products/{product.id}/pause")

    assert (again.status, again.body["available"]) == (200, True)
    assert shown(kiosk)["available"] is True
    assert kiosk.buy(product).status == 201


def test_pause_until_a_moment(board: Screen, kiosk: Screen, product: Product) -> None:
    end = (timezone.now() + timedelta(hours=9)).replace(microsecond=0)

    board.post(f"/products/{product.id}/pause", {"until": end.isoformat()})

    assert StoreProduct.objects.get().paused_until == end
    assert kiosk.get("/menu").body["valid_until"] == end.isoformat().replace("+00:00", ".000Z")


def test_paused_option_is_refused_and_its_product_is_not(
    board: Screen, kiosk: Screen, product: Product, option: Option
) -> None:
    new_menu(board.store)
    wanted = cart(product)
    wanted["items"][0]["options"] = [{"option": str(option.id), "quantity": 1}]
    assert board.post(f"/options/{option.id}/pause", {"hours": 1}).status == 200

    told = shown(kiosk)
    assert (told["available"], told["modifier_groups"][0]["options"][0]["available"]) == (True, False)
    assert kiosk.checkout(wanted).code == (409, "item_unavailable")
    assert kiosk.buy(product).status == 201

    assert board.send("DELETE", f"/options/{option.id}/pause").status == 200
    assert kiosk.checkout(wanted).status == 201
    assert StoreOption.objects.get().paused_until is None


@pytest.mark.parametrize(
    "body",
    [None, {}, [], {"hours": 3}, {"hours": "1"}, {"hours": True}, {"hours": 1.0}, {"until": "2020-01-01T00:00:00Z"},
     {"until": "x"}, {"hours": 1, "until": "2099-01-01T00:00:00Z"}, {"hours": 1, "reason": "x"}],
)  # fmt: skip
def test_pause_that_makes_no_sense_is_refused(board: Screen, product: Product, option: Option, body: Any) -> None:
    for path in (f"/products/{product.id}/pause", f"/options/{option.id}/pause"):
        assert board.post(path, body).code == (400, "invalid")
    assert not StoreProduct.objects.exists()
    assert not StoreOption.objects.exists()


@pytest.mark.parametrize("role", [Role.KIOSK, Role.PANEL])
def test_devices_that_do_not_cook_pause_nothing(store: Store, product: Product, option: Option, role: Role) -> None:
    screen = Screen(store, role)

    for path in (f"/products/{product.id}/pause", f"/options/{option.id}/pause"):
        assert screen.post(path, {"hours": 1}).code == (403, "permission_denied")
        assert screen.send("DELETE", path).code == (403, "permission_denied")


@pytest.mark.parametrize(
    ("role", "code"), [(Role.KITCHEN, 200), (Role.MANAGER, 200), (Role.CASHIER, 403), (Role.AUDITOR, 403)]
)
def test_staff_pause_at_their_own_store(store: Store, product: Product, role: Role, code: int) -> None:
    desk, other = Desk(role, store), StoreFactory()

    assert desk.call("POST", f"/products/{product.id}/pause", {"hours": 1}).status == code
    elsewhere = desk.call("POST", f"/products/{product.id}/pause?store={other.id}", {"hours": 1})
    assert elsewhere.status == (404 if code == 200 else 403)
    assert StoreProduct.objects.filter(store=other).count() == 0


def test_owner_of_several_stores_says_which(owner: Desk, store: Store, product: Product) -> None:
    path = f"/products/{product.id}/pause"

    assert owner.call("POST", path, {"hours": 1}).errors == [("store", "invalid")]
    assert owner.call("POST", f"{path}?store={store.id}", {"hours": 1}).status == 200
    assert owner.call("POST", f"{path}?store={uuid4()}", {"hours": 1}).code == (404, "not_found")


def test_board_cannot_reach_another_store(stranger: Screen, store: Store, product: Product) -> None:
    board = Screen(stranger.store, Role.BOARD)

    assert board.post(f"/products/{product.id}/pause?store={store.id}", {"hours": 1}).code == (404, "not_found")
    assert board.post(f"/products/{uuid4()}/pause", {"hours": 1}).code == (404, "not_found")
    assert board.post(f"/options/{uuid4()}/pause", {"hours": 1}).code == (404, "not_found")


def test_repeated_pause_raises_no_version(store: Store, product: Product) -> None:
    cook = staff(Role.KITCHEN, store)
    end = NOON + timedelta(hours=1)
    pause_product(product_id=product.id, store_id=store.id, until=end, by=cook, at=NOON)
    before = MenuVersion.objects.get(store=store).value

    pause_product(product_id=product.id, store_id=store.id, until=end, by=cook, at=NOON)

    assert MenuVersion.objects.get(store=store).value == before


def test_product_page_pauses_at_the_reader_s_stores(store: Store, product: Product) -> None:
    other = StoreFactory()
    page = reverse("admin:catalog_product_changelist")
    cook = Desk(Role.KITCHEN, store)

    chosen = {"_selected_action": [str(product.id)], "action": "pause_two_hours"}
    assert cook.client.post(page, chosen).status_code == 302

    row = StoreProduct.objects.get()
    assert row.store_id == store.id
    assert row.paused_until > timezone.now() + timedelta(hours=1, minutes=59)
    cook.client.post(page, {**chosen, "action": "sell_again"})
    row.refresh_from_db()
    assert row.paused_until is None
    assert not StoreProduct.objects.filter(store=other).exists()


def test_product_page_offers_no_pause_to_who_may_not(store: Store, product: Product) -> None:
    page = reverse("admin:catalog_product_changelist")

    Desk(Role.AUDITOR, store).client.post(page, {"_selected_action": [str(product.id)], "action": "pause_two_hours"})

    assert not StoreProduct.objects.exists()

"""Outside its hours, and while all orders are paused, a store takes no orders; its kiosks hear of it at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.catalog.models import MenuVersion, Product
from apps.core.actors import Role
from apps.core.errors import InvalidError, NotFoundError
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.stores.models import OpeningException, OpeningHours, Store
from apps.stores.services import opening_changed, pause_orders
from tests.factories import ProductFactory, StoreFactory, new_menu, order_in, staff
from tests.fixtures import Screen, cart
from tests.trail.conftest import act, browser_of, entries, form_of, page_of, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def product(store: Store) -> Product:
    made = ProductFactory()
    new_menu(store)
    return made


def told(kiosk: Screen) -> dict[str, Any]:
    return kiosk.get("/menu").body["store"]


def pause(store: Store, minutes: int | None = 20) -> Any:
    now = timezone.now()
    until = now + timedelta(minutes=minutes) if minutes else None
    return pause_orders(store_id=store.id, until=until, by=staff(Role.MANAGER, store), at=now)


def test_paused_store_says_when_it_is_back_and_refuses(kiosk: Screen, product: Product) -> None:
    kiosk.buy(product)  # this process remembers the menu of before
    pause(kiosk.store)

    back_at = told(kiosk)["opens_at"]
    assert (told(kiosk)["open"], told(kiosk)["paused"], kiosk.get("/menu").body["valid_until"]) == (
        False,
        True,
        back_at,
    )
    refused = kiosk.buy(product)
    assert (refused.code, refused.body["opens_at"]) == ((409, "store_closed"), back_at)
    assert kiosk.post("/orders/quote", cart(product)).code == (409, "store_closed")
    assert Order.objects.count() == 1

    pause(kiosk.store, None)

    assert (told(kiosk)["open"], told(kiosk)["opens_at"]) == (True, None)
    assert kiosk.buy(product).status == 201


def test_closed_day_refuses_and_another_store_does_not_care(kiosk: Screen, stranger: Screen, product: Product) -> None:
    OpeningException.objects.create(store=kiosk.store, on=timezone.localdate())
    OpeningException.objects.create(store=kiosk.store, on=timezone.localdate() + timedelta(days=1))
    opening_changed(store_id=kiosk.store.id, at=timezone.now())
    new_menu(stranger.store)

    assert (told(kiosk)["open"], told(kiosk)["paused"]) == (False, False)
    assert kiosk.buy(product).code == (409, "store_closed")
    assert stranger.buy(product).status == 201


def test_pause_leaves_paid_orders_alone(kiosk: Screen, board: Screen, product: Product) -> None:
    order = order_in(Status.RECEIVED, kiosk.device, product)
    pause(kiosk.store)

    moved = board.patch(f"/orders/{order.id}/status", {"status": "in_preparation"})

    assert moved.status == 200


def test_pausing_twice_is_one_change(store: Store) -> None:
    now = timezone.now()
    for _ in range(2):
        pause_orders(store_id=store.id, until=now + timedelta(minutes=5), by=staff(Role.OWNER, None), at=now)

    assert MenuVersion.objects.get(store=store).value == 1


@pytest.mark.parametrize("role", [Role.CASHIER, Role.KITCHEN, Role.AUDITOR])
def test_only_managers_pause(role: Role, store: Store) -> None:
    now = timezone.now()
    with pytest.raises(NotFoundError):
        pause_orders(store_id=store.id, until=now + timedelta(minutes=5), by=staff(role, store), at=now)
    with pytest.raises(NotFoundError):
        pause_orders(store_id=store.id, until=None, by=staff(Role.MANAGER, StoreFactory()), at=now)
    with pytest.raises(InvalidError):
        pause_orders(store_id=store.id, until=now + timedelta(days=2), by=staff(Role.OWNER, None), at=now)


def test_manager_sets_hours_and_pauses_in_the_back_office(kiosk: Screen, product: Product) -> None:
    store = kiosk.store
    browser = browser_of(person(Role.MANAGER, store))
    page = page_of(Store, "change", store.pk)
    today = timezone.localdate().weekday()
    other_day = {"weekday": (today + 2) % 7, "opens_at": "06:00", "closes_at": "20:00", "store": store.pk}
    form = form_of(browser, page)
    week = next(name for name in form if name.endswith("TOTAL_FORMS")).removesuffix("TOTAL_FORMS")
    form |= {f"{week}0-{name}": str(value) for name, value in other_day.items()}
    form |= {f"{week}TOTAL_FORMS": "1", "name": "Tomada", "code": "X", "packaging_fee": "2.00"}

    assert browser.post(page, form).status_code == 302

    store.refresh_from_db()
    assert (store.name != "Tomada", store.packaging_fee) == (True, 2)
    assert OpeningHours.objects.get().weekday == (today + 2) % 7
    assert kiosk.buy(product).code == (409, "store_closed")

    assert "Por quanto tempo" in act(browser, Store, "pause_orders", store).content.decode()
    act(browser, Store, "pause_orders", store, asked="1", minutes="20")
    store.refresh_from_db()
    assert store.orders_paused_until is not None
    act(browser, Store, "resume_orders", store)
    store.refresh_from_db()
    assert store.orders_paused_until is None
    assert [entry.action for entry in entries()][-2:] == ["stores.orders_paused", "stores.orders_resumed"]

"""A shop with one of everything, another beside it, and everybody who might call."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from apps.core.actors import Actor, Role
from apps.counter.services import open_shift
from apps.inventory.models import RecipeLine
from apps.orders.checkout import Cart, place_order
from apps.orders.models import Order
from apps.orders.rules import AskedItem
from apps.payments.rules import Method
from apps.payments.services import open_charge
from apps.stores.models import Device, Store
from apps.stores.queries import staff_actor
from apps.stores.services import create_key, pair_directly
from tests.customers.people import Shopper
from tests.factories import (
    DeviceFactory,
    OptionFactory,
    ProductModifierGroupFactory,
    StaffRoleFactory,
    StoreFactory,
    claim,
    device_actor,
    new_menu,
    stocked_product,
)

SCREENS = (Role.KIOSK, Role.BOARD, Role.PANEL)
PEOPLE = (Role.KITCHEN, Role.CASHIER, Role.MANAGER, Role.OWNER, Role.AUDITOR)
CHAIN = "chain"  # the owner of every store; "owner" is that of one
PRINCIPALS = ("anyone", *SCREENS, *PEOPLE, CHAIN, "customer", "system")


@dataclass
class Shop:
    """One store with its screens and people, and an order of a kiosk's and one of a customer's that wait at its counter."""

    store: Store
    ids: dict[str, str] = field(default_factory=dict)
    of_customer: dict[str, str] = field(default_factory=dict)
    callers: dict[str, Client] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    users: dict[str, Any] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)

    def ids_of(self, principal: str) -> dict[str, str]:
        """What a principal finds in this shop; customers have an order of their own."""
        return self.ids | (self.of_customer if principal == "customer" else {})


def browser(**headers: str) -> Client:
    """Somebody who gets what a fault answers instead of the fault."""
    return Client(raise_request_exception=False, headers=headers)


def make_shop() -> Shop:
    """Open a store of the chain; everybody in it has this store alone."""
    shop = Shop(StoreFactory())
    shop.callers["anyone"] = browser()
    for kind in SCREENS:
        _add_screen(shop, kind)
    for role in PEOPLE:
        _add_person(shop, role, name=role, store=shop.store)
    _add_person(shop, Role.OWNER, name=CHAIN, store=None)
    shopper = Shopper()
    _add_bearer(shop, "customer", shopper.access)
    _add_bearer(shop, "system", _key(shop))
    _stock(shop)
    of_customer = Actor(kind="customer", id=shopper.customer.id, grants=frozenset())
    shop.of_customer = _order(shop, of_customer)
    shop.ids |= _order(shop, device_actor(shop.devices[Role.KIOSK]))
    cashier = staff_actor(shop.users[Role.CASHIER].id)
    assert cashier is not None
    shift = open_shift(store_id=shop.store.id, opening_float=Decimal("50.00"), by=cashier)
    shop.ids["shift_id"] = str(shift.id)
    return shop


def _add_screen(shop: Shop, kind: Role) -> None:
    device = DeviceFactory(store=shop.store, kind=kind)
    token = pair_directly(device_id=device.id, at=timezone.now())
    shop.devices[kind], shop.secrets[kind] = device, token
    shop.callers[kind] = browser(Authorization=f"Device {token}")
    shop.callers[kind].cookies["bm_device"] = token


def _add_person(shop: Shop, role: Role, name: str, store: Store | None) -> None:
    """Sign a person in to the pages, and give them a token for the API."""
    user = StaffRoleFactory(role=role, store=store).user
    shop.users[name] = user
    _add_bearer(shop, name, str(AccessToken.for_user(user)))
    shop.callers[name].force_login(user, backend="django.contrib.auth.backends.ModelBackend")


def _add_bearer(shop: Shop, principal: str, token: str) -> None:
    shop.secrets[principal] = token
    shop.callers[principal] = browser(Authorization=f"Bearer {token}")


def _key(shop: Shop) -> str:
    now, scopes = timezone.now(), frozenset({Role.ORDERS_READ, Role.EXPORTS, Role.WEBHOOKS})
    owner = shop.users[Role.OWNER].id
    end = now + timedelta(days=30)
    return create_key(name="livros", scopes=scopes, store_id=shop.store.id, expires_at=end, by=owner, at=now)[1]


def _stock(shop: Shop) -> None:
    product = stocked_product(shop.store, 50)
    option = OptionFactory()
    ProductModifierGroupFactory(product=product, group=option.group)
    new_menu(shop.store)
    shop.ids |= {
        "store": str(shop.store.id),
        "product_id": str(product.id),
        "category_id": str(product.category_id),
        "slug": product.category.slug,
        "option_id": str(option.id),
        "stock_id": str(RecipeLine.objects.get(product=product).item_id),
    }


def _order(shop: Shop, by: Actor) -> dict[str, str]:
    cart = Cart(items=(AskedItem(UUID(shop.ids["product_id"]), 1),), dining_option="eat_in")
    key = claim(by, key=str(uuid4()))
    placed = place_order(cart=cart, store_id=shop.store.id, by=by, claim=key)
    assert placed.status == 201
    order = Order.objects.get(placed_by_id=by.id)
    charge = open_charge(order_id=order.id, method=Method.COUNTER, by=by, claim=claim(by), at=timezone.now())
    return {
        "order_id": str(order.id),
        "payment_id": str(charge.id),
        "item_id": str(order.lines.get().id),
        "token": order.tracking_token,
    }


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    """How long a guess takes is no matter here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def shop(db: None, quick_passwords: None) -> Shop:
    return make_shop()


@pytest.fixture
def elsewhere(db: None, quick_passwords: None) -> Shop:
    """Another store of the chain."""
    return make_shop()

"""Rows for tests: factories for what stands by itself, functions for what only our own services may write."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import factory
import orjson
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.catalog import models as catalog
from apps.catalog.services import menu_changed
from apps.core.actors import PROVIDER, SYSTEM, Actor, Grant, Role
from apps.core.idempotency import Claim
from apps.core.models import User
from apps.inventory.models import RecipeLine, StockItem, StockLevel
from apps.inventory.services import adjust, release_reserved
from apps.orders import history
from apps.orders.checkout import Cart, place_order
from apps.orders.models import Order
from apps.orders.rules import AskedItem, Status
from apps.orders.services import mark_paid, move_order
from apps.stores.models import Device, StaffRole, Store


class StoreFactory(DjangoModelFactory[Store]):
    class Meta:
        model = Store

    code = factory.Sequence(lambda n: f"LOJA{n}")
    name = factory.Sequence(lambda n: f"Padaria {n}")


class DeviceFactory(DjangoModelFactory[Device]):
    class Meta:
        model = Device

    store = factory.SubFactory(StoreFactory)
    kind = Role.KIOSK
    name = factory.Sequence(lambda n: f"Aparelho {n}")


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"pessoa{n}@example.org")
    name = factory.Sequence(lambda n: f"Pessoa {n}")
    is_staff = True


class StaffRoleFactory(DjangoModelFactory[StaffRole]):
    class Meta:
        model = StaffRole

    user = factory.SubFactory(UserFactory)
    store = factory.SubFactory(StoreFactory)
    role = Role.MANAGER


class CategoryFactory(DjangoModelFactory[catalog.Category]):
    class Meta:
        model = catalog.Category

    slug = factory.Sequence(lambda n: f"prateleira-{n}")
    name = factory.Sequence(lambda n: f"Prateleira {n}")


class ProductFactory(DjangoModelFactory[catalog.Product]):
    class Meta:
        model = catalog.Product

    category = factory.SubFactory(CategoryFactory)
    slug = factory.Sequence(lambda n: f"produto-{n}")
    name = factory.Sequence(lambda n: f"Produto {n}")
    price = Decimal("10.00")
    station = "chapa"


class ModifierGroupFactory(DjangoModelFactory[catalog.ModifierGroup]):
    class Meta:
        model = catalog.ModifierGroup

    name = factory.Sequence(lambda n: f"Grupo {n}")
    min = 0
    max = 3


class OptionFactory(DjangoModelFactory[catalog.Option]):
    class Meta:
        model = catalog.Option

    group = factory.SubFactory(ModifierGroupFactory)
    name = factory.Sequence(lambda n: f"Opção {n}")
    price = Decimal("2.50")
    max_quantity = 2


class ProductModifierGroupFactory(DjangoModelFactory[catalog.ProductModifierGroup]):
    class Meta:
        model = catalog.ProductModifierGroup

    product = factory.SubFactory(ProductFactory)
    group = factory.SubFactory(ModifierGroupFactory)


class ComboSlotFactory(DjangoModelFactory[catalog.ComboSlot]):
    class Meta:
        model = catalog.ComboSlot

    product = factory.SubFactory(ProductFactory, kind="combo")
    name = factory.Sequence(lambda n: f"Parte {n}")
    position = factory.Sequence(lambda n: n)


class SlotChoiceFactory(DjangoModelFactory[catalog.SlotChoice]):
    class Meta:
        model = catalog.SlotChoice

    slot = factory.SubFactory(ComboSlotFactory)
    product = factory.SubFactory(ProductFactory)
    position = factory.Sequence(lambda n: n)


class StoreProductFactory(DjangoModelFactory[catalog.StoreProduct]):
    class Meta:
        model = catalog.StoreProduct

    store = factory.SubFactory(StoreFactory)
    product = factory.SubFactory(ProductFactory)


class StoreOptionFactory(DjangoModelFactory[catalog.StoreOption]):
    class Meta:
        model = catalog.StoreOption

    store = factory.SubFactory(StoreFactory)
    option = factory.SubFactory(OptionFactory)


class StockItemFactory(DjangoModelFactory[StockItem]):
    class Meta:
        model = StockItem

    name = factory.Sequence(lambda n: f"Item {n}")


class RecipeLineFactory(DjangoModelFactory[RecipeLine]):
    class Meta:
        model = RecipeLine

    product = factory.SubFactory(ProductFactory)
    item = factory.SubFactory(StockItemFactory)


def supply(item: StockItem, store: Store, units: int) -> StockLevel:
    """Bring units of an item into a store, with their movement."""
    adjust(store_id=store.id, item_id=item.id, delta=units, reason="count", by=SYSTEM, at=timezone.now())
    return StockLevel.objects.get(store=store, item=item)


def stocked_product(store: Store, units: int, **fields: object) -> catalog.Product:
    """Make a product that is counted, one unit of its own item each."""
    line = RecipeLineFactory(product=ProductFactory(**fields))
    supply(line.item, store, units)
    return line.product


def new_menu(*stores: Store) -> None:
    """Let the menu's readers know that it has changed."""
    menu_changed(store_ids=[store.id for store in stores], at=timezone.now())


def device_actor(device: Device) -> Actor:
    return Actor(kind="device", id=device.id, grants=frozenset({Grant(Role(device.kind), device.store_id)}))


def staff(role: Role, store: Store | None) -> Actor:
    """A person with one role; everywhere when ``store`` is None."""
    return Actor(kind="staff", id=uuid4(), grants=frozenset({Grant(role, store.id if store else None)}))


def claim(by: Actor, key: str = "") -> Claim:
    return Claim(principal=by.principal, key=key or str(uuid4()), request_hash=b"h" * 32)


def place(device: Device, *products: catalog.Product, quantity: int = 1) -> Order:
    """Check out one line of each product at a kiosk."""
    new_menu(device.store)
    by = device_actor(device)
    cart = Cart(items=tuple(AskedItem(product.id, quantity) for product in products), dining_option="eat_in")
    answer = place_order(cart=cart, store_id=device.store_id, by=by, claim=claim(by))
    return Order.objects.get(id=UUID(orjson.loads(answer.body)["id"]))


def order_in(status: Status, device: Device, *products: catalog.Product) -> Order:
    """Bring a new order to a status the way it would get there."""
    order = place(device, *(products or (ProductFactory(),)))
    at = timezone.now()
    if status in (Status.EXPIRED, Status.CANCELLED):
        return _ended(order, status, at)
    if status != Status.AWAITING_PAYMENT:
        mark_paid(order_id=order.id, by=PROVIDER, at=at)
    cook = staff(Role.KITCHEN, device.store)
    for step in (Status.IN_PREPARATION, Status.READY, Status.FINISHED):
        if step <= status < Status.EXPIRED:
            at += timedelta(minutes=1)
            move_order(order_id=order.id, to=step, by=cook, at=at)
    order.refresh_from_db()
    return order


def _ended(order: Order, status: Status, at: datetime) -> Order:
    """End an unpaid order; the services that do it are still to come."""
    order.status, order.version, order.expires_at, order.moved_at = status, order.version + 1, None, at
    order.save()
    history.record(order, from_status=Status.AWAITING_PAYMENT, by=SYSTEM, at=at)
    release_reserved(order_id=order.id, at=at)
    return order

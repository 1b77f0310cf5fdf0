"""The demo shop: a small padaria in two stores, its staff and its screens."""

import secrets
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.catalog.models import (
    Category,
    ComboSlot,
    ModifierGroup,
    Option,
    Product,
    ProductModifierGroup,
    SlotChoice,
    StoreProduct,
)
from apps.catalog.services import menu_changed
from apps.catalog.snapshot import ProductKind
from apps.core.actors import SYSTEM, Role
from apps.core.models import User
from apps.inventory.models import RecipeLine, StockItem
from apps.inventory.services import adjust
from apps.promotions.models import Coupon, Promotion
from apps.promotions.rules import Kind
from apps.promotions.services import refresh_marks
from apps.stores import services as stores
from apps.stores.models import Device, StaffRole, Store
from breadmate.demo_menu import CATEGORIES, COMBOS, DISHES, GROUPS

STORES = [("CENTRO", "Padaria BreadMate Centro"), ("PRAIA", "Padaria BreadMate Praia")]
DEVICES = [
    ("kiosk", Role.KIOSK, "Totem 1"),
    ("kiosk2", Role.KIOSK, "Totem 2"),
    ("board", Role.BOARD, "Cozinha"),
    ("panel", Role.PANEL, "Painel"),
]
STAFF = [
    (Role.OWNER, "Helena Prado"),
    (Role.MANAGER, "Rafael Lima"),
    (Role.CASHIER, "Bia Souza"),
    (Role.KITCHEN, "Seu Antônio"),
    (Role.AUDITOR, "Carla Nunes"),
]


@transaction.atomic
def seed(at: datetime) -> dict[str, Any]:
    """Fill an empty database with the demo shop; return the credentials as ``.run/demo.json`` holds them."""
    shops = [Store.objects.create(code=code, name=name) for code, name in STORES]
    for shop in shops:
        for _, kind, name in DEVICES:
            Device.objects.create(store=shop, kind=kind, name=name)
    _menu(shops, at)
    for role, name in STAFF:
        user = User.objects.create_user(f"{role}@demo.breadmate.local", name=name, is_staff=True)
        everywhere = role in (Role.OWNER, Role.AUDITOR)
        StaffRole.objects.create(user=user, role=role, store=None if everywhere else shops[0])
    return credentials(at)


@transaction.atomic
def credentials(at: datetime) -> dict[str, Any]:
    """Give the demo's screens new tokens and its staff new passwords; the old ones stop working."""
    told: dict[str, Any] = {"stores": [], "staff": {}}
    for code, _ in STORES:
        shop = Store.objects.get(code=code)
        tokens = {
            key: stores.pair_directly(device_id=Device.objects.get(store=shop, name=name).id, at=at)
            for key, _, name in DEVICES
        }
        told["stores"].append({"id": str(shop.id), "code": shop.code, "name": shop.name, "devices": tokens})
    for role, _ in STAFF:
        user = User.objects.get(email=f"{role}@demo.breadmate.local")
        password = secrets.token_urlsafe(9)
        user.set_password(password)
        user.save(update_fields=["password"])
        told["staff"][str(role)] = {"email": user.email, "password": password}
    return told


def still_valid(told: dict[str, Any]) -> bool:
    """Tell whether written-down credentials are the ones in this database."""
    tokens = [token for shop in told.get("stores", []) for token in shop["devices"].values()]
    known = Device.objects.filter(token_hash__in=[stores.hashed(token) for token in tokens]).count()
    return bool(tokens) and known == len(tokens)


def is_demo() -> bool:
    """Tell whether this database holds the demo shop."""
    return Store.objects.filter(code__in=[code for code, _ in STORES]).count() == len(STORES)


def refuse_in_production() -> None:
    """End rather than put demo data beside real guests."""
    if settings.PRODUCTION:
        raise SystemExit("demo data is refused in production")


def _menu(shops: list[Store], at: datetime) -> None:
    shelves = {
        slug: Category.objects.create(slug=slug, name=name, position=position)
        for position, (slug, name) in enumerate(CATEGORIES)
    }
    groups = {}
    for name, least, most, options in GROUPS:
        groups[name] = ModifierGroup.objects.create(name=name, min=least, max=most)
        for position, (option, price, max_quantity) in enumerate(options):
            Option.objects.create(
                group=groups[name], name=option, price=Decimal(price), max_quantity=max_quantity, position=position
            )
    for position, dish in enumerate(DISHES):
        product = Product.objects.create(
            category=shelves[dish.category],
            slug=dish.slug,
            name=dish.name,
            description=dish.description,
            price=Decimal(dish.price),
            station=dish.station,
            prep_minutes=dish.prep_minutes,
            allergens=dish.allergens,
            needs_release=dish.needs_release,
            picture=f"art/{dish.slug}.svg",
            position=position,
        )
        for place, (name, *_) in enumerate(dish.groups):
            ProductModifierGroup.objects.create(product=product, group=groups[name], position=place)
        if dish.stock is not None:
            item = StockItem.objects.create(name=dish.name)
            RecipeLine.objects.create(product=product, item=item)
            for shop in shops:
                adjust(store_id=shop.id, item_id=item.id, delta=dish.stock, reason="count", by=SYSTEM, at=at)
    _combos(shelves["combo"])
    dearer = Product.objects.get(slug="cafe-coado")
    StoreProduct.objects.create(store=shops[1], product=dearer, price=Decimal("6.00"))
    menu_changed(store_ids=[shop.id for shop in shops], at=at)
    _offers(at)


def _combos(shelf: Category) -> None:
    dishes = {product.slug: product for product in Product.objects.all()}
    for position, combo in enumerate(COMBOS):
        product = Product.objects.create(
            category=shelf,
            slug=combo.slug,
            kind=ProductKind.COMBO,
            name=combo.name,
            description=combo.description,
            price=Decimal(combo.price),
            picture=f"art/{combo.slug}.svg",
            position=position,
        )
        for place, (name, choices) in enumerate(combo.slots):
            slot = ComboSlot.objects.create(product=product, name=name, position=place)
            SlotChoice.objects.bulk_create(
                SlotChoice(slot=slot, product=dishes[slug], price_delta=Decimal(delta), position=number)
                for number, (slug, delta) in enumerate(choices)
            )


def _offers(at: datetime) -> None:
    Promotion.objects.create(
        name="Pudim da casa", kind=Kind.AMOUNT, value=Decimal("2.00"), product=Product.objects.get(slug="pudim")
    )
    Promotion.objects.create(
        name="Hora do bolo",
        kind=Kind.PERCENT,
        value=Decimal(15),
        product=Product.objects.get(slug="bolo-de-cenoura"),
        from_time=time(15),
        to_time=time(18),
    )
    Coupon.objects.create(code="BEMVINDO", name="Boas-vindas", kind=Kind.PERCENT, value=Decimal(10), use_limit=500)
    refresh_marks(at=at)

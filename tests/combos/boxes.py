"""Combos for tests, and carts that hold them."""

from decimal import Decimal
from typing import Any

from apps.catalog.models import ComboSlot, Product, SlotChoice
from tests.factories import ComboSlotFactory, ProductFactory, SlotChoiceFactory

Choice = Product | tuple[Product, str]


def combo(*slots: list[Choice], price: str = "20.00", **fields: object) -> Product:
    """Make a combo with one slot for each list; a choice may come with its price delta."""
    made: Product = ProductFactory(kind="combo", price=Decimal(price), **fields)
    for choices in slots:
        slot = ComboSlotFactory(product=made)
        for choice in choices:
            product, delta = choice if isinstance(choice, tuple) else (choice, "0.00")
            SlotChoiceFactory(slot=slot, product=product, price_delta=Decimal(delta))
    return made


def slots_of(product: Product) -> list[ComboSlot]:
    """The slots of a combo in their order."""
    return list(ComboSlot.objects.filter(product=product).order_by("position"))


def choices_of(slot: ComboSlot) -> list[SlotChoice]:
    """The choices of a slot in their order."""
    return list(SlotChoice.objects.filter(slot=slot).order_by("position"))


def filled(product: Product, *fillings: Product, quantity: int = 1, **fields: Any) -> dict[str, Any]:
    """One item of a cart: a combo whose slots are filled with these products, in order."""
    slots = [
        {"slot": str(slot.id), "product": str(filling.id)}
        for slot, filling in zip(slots_of(product), fillings, strict=True)
    ]
    return {"product": str(product.id), "quantity": quantity, "slots": slots, **fields}


def cart_of(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A cart of these items."""
    return {"dining_option": "eat_in", "items": list(items), **fields}

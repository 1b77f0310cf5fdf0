"""A store's whole menu as immutable data: what the kiosk shows and what checkout prices from are one object."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import TextChoices

if TYPE_CHECKING:
    from apps.stores.facade import Opening


class MarkKind(TextChoices):
    """What another app may say of a product at a store."""

    SOLD_OUT = "sold_out", "esgotado"
    SLOW = "slow", "demorado"
    PROMO = "promo", "em promoção"
    COMING = "coming", "saindo do forno"
    SUBSTITUTE = "substitute", "com substituto"


class ProductKind(TextChoices):
    """What a product is made of: itself, or one chosen product for each of its slots."""

    SINGLE = "single", "avulso"
    COMBO = "combo", "combo"


@dataclass(frozen=True, slots=True)
class MarkSnapshot:
    """One mark on a product; it stands until ``until``, or until it is cleared."""

    kind: str
    until: datetime | None
    value: str

    def stands(self, at: datetime) -> bool:
        """Tell whether it is to be shown now."""
        return self.until is None or self.until > at


@dataclass(frozen=True, slots=True)
class OptionSnapshot:
    """One option as sold at this store; ``price`` is BRL per unit."""

    id: UUID
    name: str
    price: Decimal
    max_quantity: int
    paused_until: datetime | None

    def available(self, at: datetime) -> bool:
        """Tell whether it may be chosen now."""
        return self.paused_until is None or self.paused_until <= at


@dataclass(frozen=True, slots=True)
class GroupSnapshot:
    """One modifier group; ``min`` and ``max`` count chosen quantities."""

    id: UUID
    name: str
    min: int
    max: int
    options: tuple[OptionSnapshot, ...]


@dataclass(frozen=True, slots=True)
class ChoiceSnapshot:
    """One product that may fill a slot, as this store sells it; ``price_delta`` is BRL added to the combo's price."""

    product: "ProductSnapshot"
    price_delta: Decimal


@dataclass(frozen=True, slots=True)
class SlotSnapshot:
    """One slot of a combo with what this store sells for it; filled with exactly one."""

    id: UUID
    name: str
    choices: tuple[ChoiceSnapshot, ...]

    def unavailable_until(self, at: datetime) -> tuple[bool, datetime | None]:
        """Tell whether none of its choices is to be had now, and until when; None: nobody knows."""
        told = [choice.product.unavailable_until(at) for choice in self.choices]
        ends = [end for unavailable, end in told if unavailable and end is not None]
        return all(unavailable for unavailable, _ in told), min(ends, default=None)


@dataclass(frozen=True, slots=True)
class ProductSnapshot:
    """One product as sold at this store; ``price`` is BRL per unit. A combo's ``allergens`` are those of all its choices too."""

    id: UUID
    slug: str
    name: str
    description: str
    price: Decimal
    picture: str
    photo: str
    station: str
    prep_minutes: int
    allergens: tuple[str, ...]
    tags: tuple[str, ...]
    paused_until: datetime | None
    groups: tuple[GroupSnapshot, ...]
    marks: tuple[MarkSnapshot, ...] = ()
    needs_release: bool = False
    kind: str = ProductKind.SINGLE
    slots: tuple[SlotSnapshot, ...] = ()

    def available(self, at: datetime) -> bool:
        """Tell whether it may be ordered now; stock is another matter."""
        return self.complete() and (self.paused_until is None or self.paused_until <= at)

    def complete(self) -> bool:
        """Tell whether there is something to sell: a combo has slots, each with a choice, and never costs less than nothing."""
        if self.kind != ProductKind.COMBO:
            return True
        if not self.slots or not all(slot.choices for slot in self.slots):
            return False
        return self.price + sum(min(choice.price_delta for choice in slot.choices) for slot in self.slots) >= 0

    def standing_marks(self, at: datetime) -> list[MarkSnapshot]:
        """Return what the other apps say of it now."""
        return [mark for mark in self.marks if mark.stands(at)]

    def unavailable_until(self, at: datetime) -> tuple[bool, datetime | None]:
        """Tell whether a guest cannot have it now, paused or sold out, and until when; None: nobody knows."""
        ends = [mark.until for mark in self.standing_marks(at) if mark.kind == MarkKind.SOLD_OUT]
        ends += [] if self.paused_until is None or self.paused_until <= at else [self.paused_until]
        ends += [] if self.complete() else [None]
        ends += [end for unavailable, end in (slot.unavailable_until(at) for slot in self.slots) if unavailable]
        return bool(ends), None if None in ends else max((end for end in ends if end is not None), default=None)


@dataclass(frozen=True, slots=True)
class CategorySnapshot:
    """One shelf with its products, in the order of the menu."""

    id: UUID
    slug: str
    name: str
    products: tuple[ProductSnapshot, ...]


@dataclass(frozen=True, slots=True)
class MenuSnapshot:
    """The menu of one store at one version. ``packaging_fee`` is BRL added to each order to take away."""

    store_id: UUID
    version: int
    categories: tuple[CategorySnapshot, ...]
    products: dict[UUID, ProductSnapshot]
    opening: "Opening"
    packaging_fee: Decimal

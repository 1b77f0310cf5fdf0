"""A store's whole menu as immutable data: what the kiosk shows and what checkout prices from are one object."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


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
class ProductSnapshot:
    """One product as sold at this store; ``price`` is BRL per unit."""

    id: UUID
    slug: str
    name: str
    description: str
    price: Decimal
    picture: str
    station: str
    prep_minutes: int
    allergens: tuple[str, ...]
    tags: tuple[str, ...]
    paused_until: datetime | None
    groups: tuple[GroupSnapshot, ...]

    def available(self, at: datetime) -> bool:
        """Tell whether it may be ordered now; stock is another matter."""
        return self.paused_until is None or self.paused_until <= at


@dataclass(frozen=True, slots=True)
class CategorySnapshot:
    """One shelf with its products, in the order of the menu."""

    id: UUID
    slug: str
    name: str
    products: tuple[ProductSnapshot, ...]


@dataclass(frozen=True, slots=True)
class MenuSnapshot:
    """The menu of one store at one version."""

    store_id: UUID
    version: int
    categories: tuple[CategorySnapshot, ...]
    products: dict[UUID, ProductSnapshot]

"""What a rush needs of the demo shop: totems and boards of its own, and a shelf that is full but for a few things."""

import random
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.core.facade import SYSTEM, Role
from apps.inventory.models import Reason, StockLevel
from apps.inventory.services import adjust
from apps.stores.models import Device, Store
from apps.stores.services import pair_directly

PLENTY = 100_000
SCARCE = 4
LEFT_OF_SCARCE = 25
BATCH = 6
BATCH_EVERY_S = 20.0


@dataclass(frozen=True, slots=True)
class Screens:
    """The tokens of one store's screens, and who they are."""

    kiosks: tuple[str, ...]
    board: str
    devices: tuple[UUID, ...]


@transaction.atomic
def screens(*, kiosks: int, at: datetime) -> list[Screens]:
    """Pair so many totems, spread over the stores, and a board for each store; the ones of the last rush are used again.

    Locks: their device rows, until commit.
    """
    stores = list(Store.objects.filter(training=False).order_by("created_at"))
    made = []
    for place, store in enumerate(stores):
        numbers = range(place + 1, kiosks + 1, len(stores))
        named = [(Role.KIOSK, f"Totem do movimento {number:02}") for number in numbers]
        paired = [_paired(store, kind, name, at) for kind, name in [*named, (Role.BOARD, "Cozinha do movimento")]]
        *tokens, board = [token for _, token in paired]
        made.append(Screens(tuple(tokens), board, tuple(device for device, _ in paired)))
    return made


def _paired(store: Store, kind: Role, name: str, at: datetime) -> tuple[UUID, str]:
    device, _ = Device.objects.get_or_create(store=store, name=name, defaults={"kind": kind})
    return device.id, pair_directly(device_id=device.id, at=at)


def stock_up(*, seed: int, at: datetime) -> list[tuple[UUID, UUID]]:
    """Fill the shelves, but leave little of a few things, which will sell out; return those as (store, item)."""
    levels = list(
        StockLevel.objects.filter(store__training=False).select_related("item").order_by("item__name", "store__code")
    )
    names = sorted({level.item.name for level in levels})
    scarce = set(random.Random(seed).sample(names, min(SCARCE, len(names))))
    for level in levels:
        wanted = level.reserved + LEFT_OF_SCARCE if level.item.name in scarce else PLENTY
        delta = wanted - level.on_hand
        if delta > 0 or (delta and level.item.name in scarce):
            _move(level.store_id, level.item_id, delta, Reason.PURCHASE if delta > 0 else Reason.COUNT, at)
    return [(level.store_id, level.item_id) for level in levels if level.item.name in scarce]


def bake(scarce: list[tuple[UUID, UUID]], *, number: int, at: datetime) -> None:
    """Bring one small batch out of the oven."""
    if scarce:
        store_id, item_id = scarce[number % len(scarce)]
        _move(store_id, item_id, BATCH, Reason.PURCHASE, at)


def _move(store_id: UUID, item_id: UUID, delta: int, reason: Reason, at: datetime) -> None:
    adjust(store_id=store_id, item_id=item_id, delta=delta, reason=reason, by=SYSTEM, at=at, note="movimento simulado")

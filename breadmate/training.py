"""Stores to practise in: opened beside a real one, with its menu, and with stock for everything."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.core.facade import Actor, NotFoundError, Role, trail
from apps.inventory.services import stock_up
from apps.stores.models import Store
from apps.stores.services import open_training_store

SALES = 200  # of whatever takes most of an item


@transaction.atomic
def open_store(*, of: UUID, by: Actor, at: datetime) -> Store:
    """Open the store where the staff of another one practise, with all there is to sell; a second call returns the same.

    Raises:
        NotFoundError, InvalidError: as ``open_training_store``.

    Locks: as ``open_training_store``, then the new store's levels, until commit. Emits: as it and ``stock_up``.
    """
    store = open_training_store(of=of, by=by, at=at)
    stock_up(store_id=store.id, sales=SALES, by=by, at=at)
    return store


@transaction.atomic
def restock(*, store_id: UUID, by: Actor, at: datetime) -> int:
    """Bring back what was sold in a store for training; return how many items came up.

    Raises:
        NotFoundError: no such store for training, or not the actor's to look after.

    Locks, emits: as ``stock_up``.
    """
    store = Store.objects.filter(id=store_id, training=True).first()
    if store is None or not by.roles_at(store_id) & {Role.OWNER, Role.MANAGER}:
        raise NotFoundError("Só uma loja de treino tem o estoque reposto assim.")
    count = stock_up(store_id=store_id, sales=SALES, by=by, at=at)
    trail.record(by=by, action="inventory.stocked_up", at=at, subject=store, store_id=store_id)
    return count

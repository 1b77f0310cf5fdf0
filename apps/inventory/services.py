"""Every change of stock. Levels are always taken in the order of their primary keys, so carts in any order never deadlock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.contracts.events import InventoryUpdated
from apps.core.facade import Actor, NotFoundError, new_id, publish
from apps.inventory.errors import OutOfStockError
from apps.inventory.models import RecipeLine, Reservation, StockLevel, StockMovement


@transaction.atomic
def reserve(*, order_id: UUID, store_id: UUID, products: Mapping[UUID, int], at: datetime) -> None:
    """Promise an order what its products need; all of it or nothing.

    Args:
        products: units wanted by product; the same product on several lines is summed by the caller.

    Raises:
        OutOfStockError: names each product that is short.

    Locks: the levels in pk order, until commit; call it last in the transaction. Emits: ``InventoryUpdated`` for each level.
    """
    recipe = _recipe(products)
    demand: dict[UUID, int] = defaultdict(int)
    for line in recipe:
        demand[line.item_id] += line.quantity * products[line.product_id]
    levels = list(StockLevel.objects.filter(store_id=store_id, item_id__in=demand).order_by("pk"))
    Reservation.objects.bulk_create(
        Reservation(
            order_id=order_id, store_id=store_id, item_id=level.item_id, quantity=demand[level.item_id], made_at=at
        )
        for level in levels
    )
    short = demand.keys() - {level.item_id for level in levels}
    for level in levels:
        wanted = demand[level.item_id]
        free = StockLevel.objects.filter(pk=level.pk, on_hand__gte=F("reserved") + wanted)
        if free.update(reserved=F("reserved") + wanted, version=F("version") + 1):
            _tell(level.pk, at)
        else:
            short.add(level.item_id)
    if short:
        raise _out_of_stock(store_id, recipe, short)


@transaction.atomic
def take_reserved(*, order_id: UUID, by: Actor, at: datetime) -> None:
    """Turn an order's reservations into stock that is gone: one movement each. Repeating it changes nothing.

    Locks: the order's reservations, then the levels in pk order, until commit. Emits: ``InventoryUpdated`` for each level.
    """
    for reservation, level in _held(order_id):
        _end(reservation, Reservation.TAKEN, at)
        StockLevel.objects.filter(pk=level.pk).update(
            reserved=F("reserved") - reservation.quantity,
            on_hand=F("on_hand") - reservation.quantity,
            version=F("version") + 1,
        )
        _record(level, -reservation.quantity, "sale", order_id, by, at)
        _tell(level.pk, at)


@transaction.atomic
def release_reserved(*, order_id: UUID, at: datetime) -> None:
    """Give an order's reservations back. Repeating it changes nothing.

    Locks: the order's reservations, then the levels in pk order, until commit. Emits: ``InventoryUpdated`` for each level.
    """
    for reservation, level in _held(order_id):
        _end(reservation, Reservation.RELEASED, at)
        StockLevel.objects.filter(pk=level.pk).update(
            reserved=F("reserved") - reservation.quantity, version=F("version") + 1
        )
        _tell(level.pk, at)


@transaction.atomic
def adjust(*, store_id: UUID, item_id: UUID, delta: int, reason: str, by: Actor, at: datetime) -> int:
    """Record stock that came or went outside a sale; return what is on hand then.

    Raises:
        OutOfStockError: less than nothing, or less than is promised, would be left.
        NotFoundError: the store has no level of this item and ``delta`` is not positive.

    Locks: the level, until commit. Emits: ``InventoryUpdated``.
    """
    level = StockLevel.objects.filter(store_id=store_id, item_id=item_id).first()
    if level is None:
        if delta <= 0:
            raise NotFoundError("Este item não tem saldo nesta loja.")
        level, _ = StockLevel.objects.get_or_create(store_id=store_id, item_id=item_id)
    enough = StockLevel.objects.filter(pk=level.pk, on_hand__gte=F("reserved") - delta)
    if not enough.update(on_hand=F("on_hand") + delta, version=F("version") + 1):
        raise OutOfStockError("O saldo ficaria menor do que o já reservado.")
    _record(level, delta, reason, None, by, at)
    return _tell(level.pk, at).on_hand


def _recipe(products: Iterable[UUID]) -> list[RecipeLine]:
    return list(RecipeLine.objects.filter(product_id__in=list(products)))


def _held(order_id: UUID) -> list[tuple[Reservation, StockLevel]]:
    """Lock what an order still holds; pairs come in the pk order of the levels."""
    held = Reservation.objects.filter(order_id=order_id, state=Reservation.HELD).order_by("pk").select_for_update()
    by_item = {(reservation.store_id, reservation.item_id): reservation for reservation in held}
    stores = {store_id for store_id, _ in by_item}
    items = {item_id for _, item_id in by_item}
    levels = StockLevel.objects.filter(store_id__in=stores, item_id__in=items).order_by("pk")
    return [
        (by_item[level.store_id, level.item_id], level)
        for level in levels
        if (level.store_id, level.item_id) in by_item
    ]


def _end(reservation: Reservation, state: str, at: datetime) -> None:
    reservation.state, reservation.ended_at = state, at
    reservation.save(update_fields=["state", "ended_at"])


def _record(level: StockLevel, delta: int, reason: str, order_id: UUID | None, by: Actor, at: datetime) -> None:
    StockMovement.objects.create(
        id=new_id(),
        store_id=level.store_id,
        item_id=level.item_id,
        delta=delta,
        reason=reason,
        order_id=order_id,
        actor_kind=by.kind,
        actor_id=by.id,
        at=at,
    )


def _tell(level_id: UUID, at: datetime) -> StockLevel:
    level = StockLevel.objects.get(pk=level_id)
    publish(
        InventoryUpdated(
            subject=level.id,
            store=level.store_id,
            seq=level.version,
            at=at,
            item=level.item_id,
            quantity=level.on_hand - level.reserved,
        )
    )
    return level


def _out_of_stock(store_id: UUID, recipe: list[RecipeLine], short: set[UUID]) -> OutOfStockError:
    """Say for each product short how many could still be had. Read before the rollback, so without this order's own holds."""
    levels = StockLevel.objects.filter(store_id=store_id, item_id__in=short)
    free = {level.item_id: level.on_hand - level.reserved for level in levels}
    errors = [
        {
            "field": "items",
            "code": "out_of_stock",
            "detail": "",
            "product": str(line.product_id),
            "available": max(free.get(line.item_id, 0), 0) // line.quantity,
        }
        for line in recipe
        if line.item_id in short
    ]
    return OutOfStockError("Um dos itens acabou ou não há o bastante.", errors=errors)

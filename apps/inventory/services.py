"""Every change of stock. Levels are always taken in the order of their primary keys, so carts in any order never deadlock.

A change that makes a product possible or impossible at its store tells the menu so in the same transaction, after the last
level: the store's menu version is the last lock. Most changes flip nothing and never touch it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Max

from apps.catalog import facade as catalog
from apps.contracts.events import InventoryUpdated
from apps.core.facade import Actor, NotFoundError, new_id, prepared, publish, trail
from apps.inventory.errors import OutOfStockError
from apps.inventory.models import Reason, RecipeLine, Reservation, StockItem, StockLevel, StockMovement
from apps.stores.facade import every_store_id

TAKE = """
    UPDATE inventory_stocklevel SET reserved = reserved - %s, on_hand = on_hand - %s, version = version + 1 WHERE id = %s
    RETURNING on_hand, reserved, version
"""
END = "UPDATE inventory_reservation SET state = %s, ended_at = %s WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Change:
    """What could be promised of an item before and after a change of its level, which is locked."""

    item: UUID
    before: int
    after: int

    def crosses(self, quantity: int) -> bool:
        """Tell whether a product that takes so much of it became possible or impossible."""
        return (self.before >= quantity) != (self.after >= quantity)


@transaction.atomic
def reserve(*, order_id: UUID, store_id: UUID, products: Mapping[UUID, int], at: datetime) -> None:
    """Promise an order what its products need; all of it or nothing.

    Args:
        products: units wanted by product; the same product on several lines is summed by the caller.

    Raises:
        OutOfStockError: names each product that is short.

    Locks: the levels in pk order, then the store's menu version if a product is sold out by this, until commit; call it last
    in the transaction. Emits: ``InventoryUpdated`` for each level, ``MenuChanged`` if a product is sold out by this.
    """
    lines = list(RecipeLine.objects.filter(item__in=RecipeLine.objects.filter(product__in=products).values("item")))
    recipe = [line for line in lines if line.product_id in products]
    changes = []
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
            changes.append(_change(_tell(level.pk, at), -wanted))
        else:
            short.add(level.item_id)
    if short:
        raise _out_of_stock(store_id, recipe, short)
    _mark_what_flips(store_id, changes, lines, at)


@transaction.atomic
def mark_sold_out(*, store_id: UUID, changes: Sequence[Change], at: datetime) -> None:
    """Tell the menu which products cannot be made once any more, after a checkout took these levels.

    Locks: the store's menu version, until commit; the caller holds the levels. Emits: ``MenuChanged`` if that is news.
    """
    _mark_what_flips(store_id, list(changes), None, at)


@transaction.atomic(savepoint=False)
def take_reserved(*, order_id: UUID, by: Actor, at: datetime) -> None:
    """Turn an order's reservations into stock that is gone: one movement each. Repeating it changes nothing.

    Without a savepoint: nothing here is refused, and whatever fails takes the caller's transaction with it.

    Locks: the order's reservations, then the levels in pk order, until commit. Emits: ``InventoryUpdated`` for each level.
    """
    pairs = _reservations_with_levels(order_id, Reservation.HELD)
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.execute(END, [Reservation.TAKEN, at, [reservation.id for reservation, _ in pairs]])
        for reservation, level in pairs:
            cursor.execute(TAKE, [reservation.quantity, reservation.quantity, level.id])
            level.on_hand, level.reserved, level.version = cursor.fetchone()
    movements = [_movement(level, -reservation.quantity, "sale", order_id, by, at) for reservation, level in pairs]
    prepared.insert(*movements)
    publish(*(_updated(level, at) for _, level in pairs))


@transaction.atomic
def release_reserved(*, order_id: UUID, at: datetime) -> None:
    """Give an order's reservations back. Repeating it changes nothing.

    Locks: the order's reservations, then the levels in pk order, then the store's menu version if a product is to be had again,
    until commit. Emits: ``InventoryUpdated`` for each level, ``MenuChanged`` if a product is to be had again.
    """
    changes: dict[UUID, list[Change]] = defaultdict(list)
    for reservation, level in _reservations_with_levels(order_id, Reservation.HELD):
        reservation.state, reservation.ended_at = Reservation.RELEASED, at
        prepared.update(reservation, ("state", "ended_at"))
        StockLevel.objects.filter(pk=level.pk).update(
            reserved=F("reserved") - reservation.quantity, version=F("version") + 1
        )
        changes[level.store_id].append(_change(_tell(level.pk, at), reservation.quantity))
    for store_id in sorted(changes):
        _mark_what_flips(store_id, changes[store_id], None, at)


@transaction.atomic
def reserve_again(*, order_id: UUID, at: datetime) -> None:
    """Promise an order once more what it held and gave back; all of it or nothing.

    Raises:
        OutOfStockError: something of it is gone meanwhile.

    Locks: the order's reservations, then the levels in pk order, then the store's menu version if a product is sold out by
    this, until commit. Emits: as ``reserve``.
    """
    changes: dict[UUID, list[Change]] = defaultdict(list)
    pairs = _reservations_with_levels(order_id, Reservation.RELEASED)
    if len(pairs) < Reservation.objects.filter(order_id=order_id, state=Reservation.RELEASED).count():
        raise OutOfStockError("Um dos itens não é mais contado nesta loja.")
    for reservation, level in pairs:
        free = StockLevel.objects.filter(pk=level.pk, on_hand__gte=F("reserved") + reservation.quantity)
        if not free.update(reserved=F("reserved") + reservation.quantity, version=F("version") + 1):
            raise OutOfStockError("Um dos itens acabou ou não há o bastante.")
        reservation.state, reservation.ended_at = Reservation.HELD, None
        reservation.save(update_fields=["state", "ended_at"])
        changes[level.store_id].append(_change(_tell(level.pk, at), -reservation.quantity))
    for store_id in sorted(changes):
        _mark_what_flips(store_id, changes[store_id], None, at)


@transaction.atomic
def return_taken(*, order_id: UUID, products: Mapping[UUID, int], by: Actor, at: datetime) -> int:
    """Put goods that an order has taken and nobody used back on the shelf; return how many units of all items came back.

    Never more of an item than the order took, less what it gave back before.

    Args:
        products: units by product, as they were sold.

    Locks: the order's reservations, then the levels in pk order, then the store's menu version if a product is to be had again,
    until commit. Emits: ``InventoryUpdated`` for each level, ``MenuChanged`` if a product is to be had again.
    """
    demand: dict[UUID, int] = defaultdict(int)
    for line in RecipeLine.objects.filter(product__in=products):
        demand[line.item_id] += line.quantity * products[line.product_id]
    before: dict[UUID, int] = defaultdict(int)
    for item_id, delta in StockMovement.objects.filter(order_id=order_id, reason=Reason.RETURN).values_list(
        "item_id", "delta"
    ):
        before[item_id] += delta
    changes: dict[UUID, list[Change]] = defaultdict(list)
    returned = 0
    for reservation, level in _reservations_with_levels(order_id, Reservation.TAKEN):
        units = min(demand[level.item_id], reservation.quantity - before[level.item_id])
        if units <= 0:
            continue
        StockLevel.objects.filter(pk=level.pk).update(on_hand=F("on_hand") + units, version=F("version") + 1)
        _record(level, units, Reason.RETURN, order_id, by, at)
        changes[level.store_id].append(_change(_tell(level.pk, at), units))
        returned += units
    for store_id in sorted(changes):
        _mark_what_flips(store_id, changes[store_id], None, at)
    return returned


@transaction.atomic
def adjust(
    *, store_id: UUID, item_id: UUID, delta: int, reason: str, by: Actor, at: datetime, note: str = ""
) -> StockMovement:
    """Record stock that came or went outside a sale.

    Raises:
        OutOfStockError: less than nothing, or less than is promised, would be left.
        NotFoundError: no such item, or the store has no level of it and ``delta`` is not positive.

    Locks: the level, then the store's menu version if a product is sold out by this or to be had again, until commit; call it
    last in the transaction. Emits: ``InventoryUpdated``, ``MenuChanged`` in that case.
    """
    level = _level(store_id, item_id, may_begin=delta > 0)
    enough = StockLevel.objects.filter(pk=level.pk, on_hand__gte=F("reserved") - delta)
    if not enough.update(on_hand=F("on_hand") + delta, version=F("version") + 1):
        raise OutOfStockError("O saldo ficaria menor do que o já reservado.")
    movement = _record(level, delta, reason, None, by, at, note)
    on_hand = StockLevel.objects.values_list("on_hand", flat=True).get(pk=level.pk)
    told: list[trail.Change] = [
        {"field": "on_hand", "from": on_hand - delta, "to": on_hand},
        {"field": "reason", "from": None, "to": str(Reason(reason).label)},
    ]
    trail.record(by=by, action="inventory.moved", at=at, subject=level, store_id=store_id, changes=told)
    _mark_what_flips(store_id, [_change(_tell(level.pk, at), delta)], None, at)
    return movement


@transaction.atomic
def count(*, store_id: UUID, item_id: UUID, on_hand: int, by: Actor, at: datetime, note: str = "") -> StockMovement:
    """Record what was counted on the shelf; the movement is the difference, which may be nothing.

    Raises:
        OutOfStockError: less was counted than is promised to orders.
        NotFoundError: no such item.

    Locks: as ``adjust``. Emits: as ``adjust``.
    """
    level = _level(store_id, item_id, may_begin=True)
    known = StockLevel.objects.select_for_update().get(pk=level.pk)
    delta = on_hand - known.on_hand
    return adjust(store_id=store_id, item_id=item_id, delta=delta, reason=Reason.COUNT, by=by, at=at, note=note)


@transaction.atomic
def stock_up(*, store_id: UUID, sales: int, by: Actor, at: datetime) -> int:
    """Bring everything that products take up to so many sales of the one that takes most of it; return how many items came up.

    For a store whose stock is not real. What there is more of stays as it is.

    Locks: the levels in pk order, then the store's menu version if a product is to be had again, until commit.
    Emits: ``InventoryUpdated`` for each level, ``MenuChanged`` if a product is to be had again.
    """
    most = dict(RecipeLine.objects.order_by().values_list("item").annotate(Max("quantity")))
    StockLevel.objects.bulk_create(
        [StockLevel(store_id=store_id, item_id=item_id) for item_id in most], ignore_conflicts=True
    )
    changes = []
    for level in StockLevel.objects.filter(store_id=store_id, item__in=most).order_by("pk").select_for_update():
        missing = sales * most[level.item_id] - (level.on_hand - level.reserved)
        if missing <= 0:
            continue
        StockLevel.objects.filter(pk=level.pk).update(on_hand=F("on_hand") + missing, version=F("version") + 1)
        _record(level, missing, Reason.COUNT, None, by, at)
        changes.append(_change(_tell(level.pk, at), missing))
    _mark_what_flips(store_id, changes, None, at)
    return len(changes)


@transaction.atomic
def recipes_changed(*, products: Collection[UUID], at: datetime) -> None:
    """Say anew at every store whether these products can be made, in the transaction that changed what they take.

    Locks: the stores' menu versions in their order, until commit. Emits: ``MenuChanged`` where that is news.
    """
    for store_id in sorted(every_store_id()):
        _mark(store_id, set(products), at)


def _level(store_id: UUID, item_id: UUID, *, may_begin: bool) -> StockLevel:
    level = StockLevel.objects.filter(store_id=store_id, item_id=item_id).first()
    if level is not None:
        return level
    if not may_begin or not StockItem.objects.filter(id=item_id).exists():
        raise NotFoundError("Este item não tem saldo nesta loja.")
    return StockLevel.objects.get_or_create(store_id=store_id, item_id=item_id)[0]


def _change(level: StockLevel, freed: int) -> Change:
    free = level.on_hand - level.reserved
    return Change(item=level.item_id, before=free - freed, after=free)


def _mark_what_flips(store_id: UUID, changes: list[Change], lines: list[RecipeLine] | None, at: datetime) -> None:
    """Tell the menu which products can no longer be made once, or can be again.

    Who crosses a product's need takes the store's menu version first and reads all of its levels then: of two changes at the
    same time the later one sees both, so the mark is right in the end.

    Args:
        lines: every recipe line of the changed items, when the caller has them; read here else.
    """
    if lines is None:
        lines = list(RecipeLine.objects.filter(item__in=[change.item for change in changes]))
    change_of = {change.item: change for change in changes}
    flipping = {line.product_id for line in lines if change_of[line.item_id].crosses(line.quantity)}
    if flipping:
        _mark(store_id, flipping, at)


def _mark(store_id: UUID, products: set[UUID], at: datetime) -> None:
    """Read what products take and what there is under the store's menu version, and mark them so."""
    catalog.hold_menu(store_id=store_id)
    recipes = list(RecipeLine.objects.filter(product__in=products))
    levels = StockLevel.objects.filter(store_id=store_id, item__in={line.item_id for line in recipes})
    free = {level.item_id: level.on_hand - level.reserved for level in levels}
    sold_out = {line.product_id for line in recipes if free.get(line.item_id, 0) < line.quantity}
    catalog.set_sold_out(store_id=store_id, sold_out=sold_out, in_stock=products - sold_out, at=at)


def _reservations_with_levels(order_id: UUID, state: str) -> list[tuple[Reservation, StockLevel]]:
    """Lock an order's reservations in one state; pairs come in the pk order of the levels."""
    held = prepared.read(Reservation, "WHERE order_id = %s AND state = %s ORDER BY id FOR UPDATE", [order_id, state])
    by_item = {(reservation.store_id, reservation.item_id): reservation for reservation in held}
    stores, items = {store_id for store_id, _ in by_item}, {item_id for _, item_id in by_item}
    levels = prepared.read(
        StockLevel, "WHERE store_id = ANY(%s) AND item_id = ANY(%s) ORDER BY id", [[*stores], [*items]]
    )
    return [
        (by_item[level.store_id, level.item_id], level)
        for level in levels
        if (level.store_id, level.item_id) in by_item
    ]


def _record(
    level: StockLevel, delta: int, reason: str, order_id: UUID | None, by: Actor, at: datetime, note: str = ""
) -> StockMovement:
    movement = _movement(level, delta, reason, order_id, by, at, note)
    prepared.insert(movement)
    return movement


def _movement(
    level: StockLevel, delta: int, reason: str, order_id: UUID | None, by: Actor, at: datetime, note: str = ""
) -> StockMovement:
    return StockMovement(
        id=new_id(),
        store_id=level.store_id,
        item_id=level.item_id,
        delta=delta,
        reason=reason,
        note=note,
        order_id=order_id,
        actor_kind=by.kind,
        actor_id=by.id,
        at=at,
    )


def _tell(level_id: UUID, at: datetime) -> StockLevel:
    (level,) = prepared.read(StockLevel, "WHERE id = %s", [level_id])
    publish(_updated(level, at))
    return level


def _updated(level: StockLevel, at: datetime) -> InventoryUpdated:
    return InventoryUpdated(
        subject=level.id,
        store=level.store_id,
        seq=level.version,
        at=at,
        item=level.item_id,
        quantity=level.on_hand - level.reserved,
    )


def _out_of_stock(store_id: UUID, recipe: list[RecipeLine], short: set[UUID]) -> OutOfStockError:
    """Say for each product short how many could still be had. Read before the rollback, so without this order's own holds."""
    levels = StockLevel.objects.filter(store_id=store_id, item_id__in=short)
    free = {level.item_id: level.on_hand - level.reserved for level in levels}
    return out_of_stock(
        (str(line.product_id), max(free.get(line.item_id, 0), 0) // line.quantity)
        for line in recipe
        if line.item_id in short
    )


def out_of_stock(short: Iterable[tuple[str, int]]) -> OutOfStockError:
    """Say which products are short, and how many of each could still be had."""
    errors = [
        {"field": "items", "code": "out_of_stock", "detail": "", "product": product, "available": available}
        for product, available in short
    ]
    return OutOfStockError("Um dos itens acabou ou não há o bastante.", errors=errors)

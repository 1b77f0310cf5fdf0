"""A past for the demo shop: orders with every row that a real one leaves behind, so that the audit holds over them too."""

import random
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from django.db import models, transaction

from apps.catalog.queries import menu_snapshot
from apps.catalog.snapshot import MenuSnapshot, ProductKind, ProductSnapshot
from apps.contracts import events
from apps.core.actors import PROVIDER, SYSTEM, Actor
from apps.core.ids import new_id
from apps.core.models import IdempotencyKey, Receipt, StoredEvent
from apps.inventory.models import RecipeLine, Reservation, StockLevel, StockMovement
from apps.kitchen.models import Call
from apps.orders import documents
from apps.orders.models import (
    NumberCounter,
    Order,
    OrderLine,
    OrderLineOption,
    Preparation,
    StatusChange,
)
from apps.orders.rules import MoveKind, PreparationState, Status
from apps.payments.differences import ClosingState, span_of
from apps.payments.models import Charge, Closing
from apps.payments.rules import Method, State
from apps.promotions.facade import CartLine, PricedOption, price
from apps.stores.models import Device, Store

BATCH = 500
ORDERS_A_DAY = 400
OPENS, CLOSES = time(6), time(21)
CLOSED_AFTER = timedelta(hours=1)
FINISHED_SHARE, EXPIRED_SHARE = 0.93, 0.04


WRITTEN: tuple[models.Manager[Any], ...] = (
    Order.objects,
    OrderLine.objects,
    OrderLineOption.objects,
    Preparation.objects,
    StatusChange.objects,
    Charge.objects,
    Reservation.objects,
    StockMovement.objects,
    IdempotencyKey.objects,
    StoredEvent.objects,
    Receipt.objects,
    Call.objects,
)


@dataclass(slots=True)
class Rows:
    """Rows of many tables, written together in the order their foreign keys ask for."""

    by_model: dict[type[models.Model], list[Any]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: models.Model) -> None:
        """Keep one row for later."""
        self.by_model[type(row)].append(row)

    def write(self) -> None:
        """Write and forget them."""
        for manager in WRITTEN:
            manager.bulk_create(self.by_model.pop(manager.model, []), batch_size=BATCH)


class Past:
    """The past of one store: what it sold, in the order it sold it."""

    def __init__(self, store: Store, chance: random.Random) -> None:
        self.store = store
        self.chance = chance
        self.zone = ZoneInfo(store.timezone)
        self.menu: MenuSnapshot = menu_snapshot(store.id)
        self.products = [
            product
            for product in self.menu.products.values()
            if product.kind == ProductKind.SINGLE and not product.needs_release  # nobody stood there to let it go
        ]
        self.kiosk = Device.objects.filter(store=store, kind="kiosk").order_by("created_at").first()
        self.recipes: dict[UUID, list[RecipeLine]] = defaultdict(list)
        for line in RecipeLine.objects.all():
            self.recipes[line.product_id].append(line)
        self.levels = {level.item_id: level for level in StockLevel.objects.filter(store=store)}
        self.sold: Counter[UUID] = Counter()
        self.numbers: Counter[date] = Counter()
        self.charges: Counter[date] = Counter()
        self.takings: defaultdict[date, Decimal] = defaultdict(Decimal)
        self.rows = Rows()

    def order(self, placed_at: datetime) -> None:
        """Add one order and all that became of it."""
        day = placed_at.astimezone(self.zone).date()
        self.numbers[day] += 1
        fate = self.chance.random()
        steps = list(self._steps(fate, placed_at))
        placer = Actor(kind="device", id=self.kiosk.id if self.kiosk else None, grants=frozenset())
        order = Order(
            id=past_id(placed_at),
            store=self.store,
            business_day=day,
            number=f"T{self.numbers[day]:03d}",
            channel="T",
            dining_option=self.chance.choice(["eat_in", "take_out"]),
            guest_name=self.chance.choice(["", "", "Ana", "João", "Dona Cida", "Léo"]),
            placed_by_kind=placer.kind,
            placed_by_id=placer.id,
            tracking_token=secrets.token_urlsafe(16),
            pickup_code=f"{self.chance.randrange(10_000):04d}",
            placed_at=placed_at,
            moved_at=steps[-1][1],
            status=steps[-1][0],
            version=len(steps),
        )
        lines, options = self._lines(order)
        order.total = order.subtotal
        moments = dict(steps)
        order.paid_at = order.queue_at = moments.get(Status.RECEIVED)
        order.ready_at = moments.get(Status.READY)
        for row in (order, *lines, *options):
            self.rows.add(row)
        self._tell(
            events.OrderCreated, order, 1, placed_at, items=sum(line.quantity for line in lines), total=str(order.total)
        )
        self._history(order, steps, placer)
        self._stock(order, lines, moments)
        self._money(order, placer, moments)
        self._key(order, lines, options, placer)
        for line in lines if order.paid_at else ():
            state = {
                "state": PreparationState.DONE,
                "started_at": moments[Status.IN_PREPARATION],
                "done_at": order.ready_at,
            }
            self.rows.add(Preparation(line=line, station=line.station, **state))

    def finish(self) -> None:
        """Write what the orders add up to: the supply that covered them, the levels' versions, the days' numbers and books."""
        self.rows.write()
        first = datetime.combine(min(self.numbers), OPENS, self.zone) - timedelta(hours=1)
        for item_id, units in self.sold.items():
            level = self.levels[item_id]
            StockMovement.objects.create(
                id=past_id(first),
                store=self.store,
                item_id=item_id,
                delta=units,
                reason="purchase",
                actor_kind="system",
                at=first,
            )
            StockLevel.objects.filter(pk=level.pk).update(version=level.version)
        for day, value in self.numbers.items():
            counter, is_new = NumberCounter.objects.get_or_create(
                store=self.store, business_day=day, defaults={"value": value}
            )
            if not is_new:
                raise ValueError(f"{self.store.code} already has orders on {counter.business_day}")
            self._close(day)

    def _close(self, day: date) -> None:
        """Find the provider's books like ours: it was never asked for this money, and would know nothing of it."""
        begins_at, ends_at = span_of(day, zone=self.store.timezone, starts_at=self.store.day_starts_at)
        Closing.objects.create(
            id=past_id(ends_at),
            store=self.store,
            day=day,
            begins_at=begins_at,
            ends_at=ends_at,
            state=ClosingState.DONE,
            run=1,
            charges=self.charges[day],
            ours_paid=self.takings[day],
            theirs_paid=self.takings[day],
            started_at=ends_at + CLOSED_AFTER,
            finished_at=ends_at + CLOSED_AFTER,
        )

    def _steps(self, fate: float, placed_at: datetime) -> Iterator[tuple[Status, datetime]]:
        yield Status.AWAITING_PAYMENT, placed_at
        if fate < FINISHED_SHARE:
            at = placed_at
            for status, low, high in (
                (Status.RECEIVED, 15, 90),
                (Status.IN_PREPARATION, 20, 240),
                (Status.READY, 60, 600),
                (Status.FINISHED, 20, 300),
            ):
                at += timedelta(seconds=self.chance.randint(low, high))
                yield status, at
        elif fate < FINISHED_SHARE + EXPIRED_SHARE:
            yield Status.EXPIRED, placed_at + timedelta(minutes=6)
        else:
            yield Status.CANCELLED, placed_at + timedelta(seconds=self.chance.randint(20, 200))

    def _lines(self, order: Order) -> tuple[list[OrderLine], list[OrderLineOption]]:
        lines: list[OrderLine] = []
        options: list[OrderLineOption] = []
        priced: list[CartLine] = []
        for position, product in enumerate(self.chance.sample(self.products, self.chance.choice([1, 2, 2, 3]))):
            line = OrderLine(
                id=new_id(),
                order=order,
                position=position,
                product_id=product.id,
                name=product.name,
                station=product.station,
                quantity=self.chance.choice([1, 1, 1, 2]),
                unit_price=product.price,
            )
            chosen = list(self._options(line, product))
            lines.append(line)
            options += chosen
            picked = tuple(PricedOption(option.unit_price, option.quantity) for option in chosen)
            priced.append(CartLine(line.unit_price, line.quantity, picked))
        found = price(priced)
        for line, total in zip(lines, found.line_totals, strict=True):
            line.total = total
        order.subtotal, order.discount_total = found.subtotal, Decimal("0.00")
        return lines, options

    def _options(self, line: OrderLine, product: ProductSnapshot) -> Iterator[OrderLineOption]:
        for group in product.groups:
            for option in self.chance.sample(group.options, max(group.min, self.chance.choice([0, 1]))):
                yield OrderLineOption(
                    id=new_id(), line=line, option_id=option.id, name=option.name, quantity=1, unit_price=option.price
                )

    def _history(self, order: Order, steps: list[tuple[Status, datetime]], placer: Actor) -> None:
        came_from: Status | None = None
        for seq, (status, at) in enumerate(steps, start=1):
            by = {Status.AWAITING_PAYMENT: placer, Status.CANCELLED: placer, Status.RECEIVED: PROVIDER}.get(
                status, SYSTEM
            )
            self.rows.add(
                StatusChange(
                    order=order,
                    seq=seq,
                    from_status=came_from,
                    to_status=status,
                    at=at,
                    actor_kind=by.kind,
                    actor_id=by.id,
                )
            )
            told = {"from_status": came_from.code if came_from is not None else "", "to_status": status.code}
            self._tell(events.OrderStatusChanged, order, seq, at, **told, kind=MoveKind.MOVE.value)
            came_from = status
            if status == Status.RECEIVED:
                self._tell(events.OrderPaid, order, seq, at)
            elif status == Status.READY:
                ready = self._tell(events.OrderReady, order, seq, at, number=order.number)
                self.rows.add(Receipt(event_id=ready, handler="kitchen.on_order_ready"))
                self.rows.add(Call(store=self.store, order=order, number=order.number, called_at=at))
            elif status == Status.FINISHED:
                self._tell(events.OrderHandedOver, order, seq, at)
            elif status == Status.EXPIRED:
                self._tell(events.OrderExpired, order, seq, at)
            elif status == Status.CANCELLED:
                self._tell(events.OrderCancelled, order, seq, at, was_paid=False)

    def _stock(self, order: Order, lines: list[OrderLine], moments: dict[Status, datetime]) -> None:
        demand: Counter[UUID] = Counter()
        for line in lines:
            for recipe in self.recipes[line.product_id]:
                demand[recipe.item_id] += recipe.quantity * line.quantity
        ended_at = order.paid_at or max(moments.values())
        state = Reservation.TAKEN if order.paid_at else Reservation.RELEASED
        for item_id, quantity in demand.items():
            level = self.levels[item_id]
            self.rows.add(
                Reservation(
                    order_id=order.id,
                    store=self.store,
                    item_id=item_id,
                    quantity=quantity,
                    state=state,
                    made_at=order.placed_at,
                    ended_at=ended_at,
                )
            )
            free = level.on_hand - level.reserved
            for at in (order.placed_at, ended_at):
                level.version += 1
                self._event(
                    events.InventoryUpdated(
                        subject=level.id, store=self.store.id, seq=level.version, at=at, item=item_id, quantity=free
                    )
                )
            if order.paid_at:
                self.sold[item_id] += quantity
                self.rows.add(
                    StockMovement(
                        id=past_id(ended_at),
                        store=self.store,
                        item_id=item_id,
                        delta=-quantity,
                        reason="sale",
                        order_id=order.id,
                        actor_kind=PROVIDER.kind,
                        at=ended_at,
                    )
                )

    def _money(self, order: Order, placer: Actor, moments: dict[Status, datetime]) -> None:
        if order.total == 0:
            return
        charge = Charge(
            id=past_id(order.placed_at + timedelta(seconds=2)),
            order=order,
            method=Method.MERCADO_PAGO_QR,
            state=State.APPROVED if order.paid_at else State.CANCELLED,
            version=2,
            amount=order.total,
            paid_amount=order.total if order.paid_at else 0,
            pays_order=order.paid_at is not None,
            principal=placer.principal,
            client_key=secrets.token_hex(16),
            request_hash=b"",
            create_body=b"",
            created_at=order.placed_at + timedelta(seconds=2),
            settled_at=order.paid_at,
            provider_status="processed" if order.paid_at else "canceled",
        )
        self.charges[order.business_day] += 1
        self.takings[order.business_day] += charge.paid_amount
        charge.reference, charge.create_key = f"bm-{charge.id.hex}", f"c-{charge.id}"
        charge.provider_order_id = f"ORD01{secrets.token_hex(12).upper()}"
        order.payment_id = charge.id
        self.rows.add(charge)
        if order.paid_at:
            self._event(
                events.PaymentProcessed(
                    subject=charge.id,
                    store=self.store.id,
                    seq=2,
                    at=order.paid_at,
                    payment=charge.id,
                    success=True,
                    transaction=charge.provider_order_id,
                )
            )

    def _key(self, order: Order, lines: list[OrderLine], options: list[OrderLineOption], placer: Actor) -> None:
        of_line = {line.id: [option for option in options if option.line_id == line.id] for line in lines}
        items = [documents.item_document(line, of_line[line.id], PreparationState.QUEUED) for line in lines]
        body = orjson.dumps(documents.order_document(order, items, []))
        key = secrets.token_hex(16)
        self.rows.add(IdempotencyKey(principal=placer.principal, key=key, request_hash=b"", status=201, body=body))

    def _tell(self, event: type[events.Event], order: Order, seq: int, at: datetime, **told: object) -> UUID:
        return self._event(event(subject=order.id, store=self.store.id, seq=seq, at=at, **told))

    def _event(self, event: events.Event) -> UUID:
        row = StoredEvent(
            id=past_id(event.at),
            type=event.type,
            version=event.version,
            occurred_at=event.at,
            store_id=event.store,
            subject_id=event.subject,
            seq=event.seq,
            correlation_id="demo",
            payload=event.payload(),
            dispatched_at=event.at,
        )
        self.rows.add(row)
        return row.id


def past_id(at: datetime) -> UUID:
    """Return a UUIDv7 (RFC 9562) of a moment that is over: its milliseconds, then chance."""
    milliseconds = int(at.timestamp() * 1000)
    chance = secrets.randbits(74)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | (chance >> 62) << 64 | 0b10 << 62 | chance & (1 << 62) - 1)


def seed_orders(count: int, now: datetime, progress: Callable[[int], None], seed: int = 7) -> None:
    """Give the demo's stores ``count`` orders between them, ending yesterday; each batch is one transaction."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    shops = list(Store.objects.order_by("created_at")[:2])
    pasts = [Past(shop, chance) for shop in shops]
    days = max(count // (ORDERS_A_DAY * len(pasts)), 1)
    opening = timedelta(hours=CLOSES.hour - OPENS.hour)
    moments = []
    for number in range(count):
        past = pasts[number % len(pasts)]
        yesterday = now.astimezone(past.zone).date() - timedelta(days=1)
        day = yesterday - timedelta(days=chance.randrange(days))
        opens = datetime.combine(day, OPENS, past.zone)
        moments.append((opens + chance.random() * opening, number % len(pasts)))
    with transaction.atomic():
        for done, (at, place) in enumerate(sorted(moments), start=1):
            pasts[place].order(at)
            if done % BATCH == 0:
                for past in pasts:
                    past.rows.write()
                progress(done)
        for past in pasts:
            past.finish()
    progress(count)

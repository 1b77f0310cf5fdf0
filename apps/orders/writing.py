"""What a checkout writes: the rows of an order, and the one statement that stores them (ADR-0010)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.db import OperationalError, connection, models

from apps.contracts.events import Event, InventoryUpdated, OrderCreated
from apps.core.facade import (
    Actor,
    Answer,
    Claim,
    RivalRunningError,
    new_id,
    row_of,
    waited_for_key,
)
from apps.inventory import facade as inventory
from apps.orders import documents, history, queries
from apps.orders.models import Order, OrderDiscount, OrderLine, OrderLineOption, OrderSlot
from apps.orders.releasing import released_event
from apps.orders.rules import ChosenItem, ChosenOption, PreparationState, Release
from apps.promotions import facade as promotions
from apps.promotions.facade import Offer, Price


@dataclass(frozen=True, slots=True)
class Priced:
    """A cart found on the menu, with what it costs and the coupon of which a use is counted."""

    store_id: UUID
    items: list[ChosenItem]
    price: Price
    packaging_fee: Decimal
    coupon: Offer | None
    menu_version: int

    @property
    def total(self) -> Decimal:
        """Return what the guest pays, BRL: what the price comes to, and the packaging that no offer touches."""
        return self.price.total + self.packaging_fee

    def quote(self) -> dict[str, Any]:
        """Say it as api.md does."""
        things = [thing for item in self.items for thing in item.things()]
        return documents.quote_document(
            self.items, self.price, self.packaging_fee, queries.quoted_minutes(self.store_id, things)
        )


class Why(StrEnum):
    """Why ``checkout.sql`` wrote nothing, or the ticket of a customer was not taken."""

    KEY = "key"
    MENU = "menu"
    OPEN = "open"
    COUPON = "coupon"
    STOCK = "stock"
    CUSTOMER = "customer"


class NotWrittenError(Exception):
    """Roll back; ``checkout.place_order`` knows how to go on."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Writing:
    """What is to be written of one checkout; ``asked`` is what ``sql/checkout.sql`` describes."""

    order: Order
    asked: dict[str, Any]
    answer: Answer
    events: tuple[Event, ...]


def prepare(order: Order, priced: Priced, by: Actor, claim: Claim, most_open: int | None) -> Writing:
    """Make all rows of an order and its answer; nothing is written yet."""
    lines, slots, options = rows_of_lines(order, priced.items, priced.price)
    items = [
        documents.item_document(
            line,
            [option for option in options if option.line_id == line.id],
            PreparationState.QUEUED,
            [slot for slot in slots if slot.line_id == line.id],
        )
        for line in lines
    ]
    discounts = [
        OrderDiscount(id=new_id(), order=order, offer_id=each.offer, name=each.name, amount=each.amount)
        for each in priced.price.discounts
    ]
    answer = Answer(status=201, body=orjson.dumps(documents.order_document(order, items, discounts)))
    step, moved = history.step(order, from_status=None, by=by, at=order.placed_at)
    created = OrderCreated(
        subject=order.id,
        store=order.store_id,
        seq=order.version,
        at=order.placed_at,
        items=sum(line.quantity for line in lines),
        total=str(order.total),
    )
    events: tuple[Event, ...] = (moved, created)
    if order.release == Release.RELEASED:
        events += (released_event(order),)
    wanted: Counter[UUID] = Counter()
    for item in priced.items:
        wanted += item.products()
    asked = {
        "menu_version": priced.menu_version,
        "key": {"id": new_id(), "principal": claim.principal, "key": claim.key, "status": answer.status},
        "most_open": most_open,
        "lines": [columns(line) for line in lines],
        "slots": [columns(slot) for slot in slots],
        "options": [columns(option) for option in options],
        "discounts": [columns(each) for each in discounts],
        "history": columns(step),
        "events": [columns(row_of(event)) for event in events],
        "coupon": {"id": priced.coupon.id, "use_id": new_id()} if priced.coupon is not None else None,
        "products": {str(product): units for product, units in wanted.items()},
        "level_event": {"type": InventoryUpdated.type, "version": InventoryUpdated.version},
    }
    return Writing(order=order, asked=asked, answer=answer, events=events)


def parameters(writing: Writing, claim: Claim) -> tuple[str, bytes, bytes]:
    """Return what ``orders_checkout`` is called with."""
    asked = orjson.dumps(writing.asked | {"order": columns(writing.order)}, default=str)
    return asked.decode(), claim.request_hash, writing.answer.body


def write(writing: Writing, claim: Claim) -> dict[str, Any]:
    """Write all rows of an order and hold its stock: the one statement of ``sql/checkout.sql``."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT orders_checkout(%s::jsonb, %s, %s)", parameters(writing, claim))
            told: dict[str, Any] = orjson.loads(cursor.fetchone()[0])
    except OperationalError as error:
        if waited_for_key(error):
            raise RivalRunningError("Este pedido já está sendo feito.") from error
        raise
    return told


def taken(told: dict[str, Any], order: Order) -> list[InventoryUpdated]:
    """Return the events of the levels that were taken, or refuse as the database did."""
    why = told.get("refused")
    if why == Why.COUPON:
        raise promotions.used_up()
    if why == Why.STOCK:
        raise inventory.out_of_stock((short["product"], short["available"]) for short in told["short"])
    if why is not None:
        raise NotWrittenError(Why(why))
    return [
        InventoryUpdated(
            subject=UUID(level["id"]),
            store=order.store_id,
            seq=level["version"],
            at=order.placed_at,
            item=UUID(level["item"]),
            quantity=level["free"],
        )
        for level in told["levels"]
    ]


def columns(row: models.Model) -> dict[str, Any]:
    """Return what a row holds, by the names of its columns."""
    return {name: getattr(row, name) for name in _column_names(type(row))}


@cache
def _column_names(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)  # noqa: SLF001 - Django documents it


def rows_of_lines(
    order: Order, chosen: list[ChosenItem], priced: Price
) -> tuple[list[OrderLine], list[OrderSlot], list[OrderLineOption]]:
    """Make the rows of an order's lines, of what fills their slots and of all chosen options."""
    lines, slots, options = [], [], []
    for position, (item, total) in enumerate(zip(chosen, priced.line_totals, strict=True)):
        line = OrderLine(
            id=new_id(),
            order=order,
            position=position,
            product_id=item.product.id,
            name=item.product.name,
            station=item.product.station,
            quantity=item.quantity,
            unit_price=item.product.price,
            total=total,
            note=item.note,
            needs_release=item.needs_release(),
        )
        lines.append(line)
        options += _options(line, None, item.options)
        for place, filled in enumerate(item.slots):
            slot = OrderSlot(
                id=new_id(),
                line=line,
                position=place,
                slot_id=filled.slot.id,
                slot_name=filled.slot.name,
                product_id=filled.choice.product.id,
                name=filled.choice.product.name,
                station=filled.choice.product.station,
                price_delta=filled.choice.price_delta,
            )
            slots.append(slot)
            options += _options(line, slot, filled.options)
    return lines, slots, options


def _options(line: OrderLine, slot: OrderSlot | None, chosen: Sequence[ChosenOption]) -> list[OrderLineOption]:
    return [
        OrderLineOption(
            id=new_id(),
            line=line,
            slot=slot,
            option_id=picked.option.id,
            name=picked.option.name,
            quantity=picked.quantity,
            unit_price=picked.option.price,
        )
        for picked in chosen
    ]

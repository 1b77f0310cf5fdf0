"""From a cart to an order: priced from the server's own menu, all or nothing."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.catalog.facade import menu_snapshot
from apps.contracts.events import OrderCreated
from apps.core.facade import (
    Actor,
    Answer,
    Claim,
    InvalidError,
    NotFoundError,
    RivalRunningError,
    RivalWonError,
    correct_answer,
    keep_answer,
    new_id,
    publish,
    stored_answer,
)
from apps.inventory import facade as inventory
from apps.orders import documents, history, numbers, queries, services
from apps.orders.errors import PriceChangedError
from apps.orders.models import Order, OrderDiscount, OrderLine, OrderLineOption, OrderSlot
from apps.orders.rules import MOST_MONEY, AskedItem, ChosenItem, ChosenOption, PreparationState, choose
from apps.promotions import facade as promotions
from apps.promotions.facade import Offer, Price
from apps.stores.facade import StoreFacts, store_by_id

CHANNEL_OF = {"device": "T", "staff": "C", "customer": "Q"}


@dataclass(frozen=True, slots=True)
class Cart:
    """What a client asks for."""

    items: tuple[AskedItem, ...]
    dining_option: str
    guest_name: str = ""
    table_tracker: str = ""
    coupon: str = ""
    expected_total: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """A cart found on the menu, with what it costs and the coupon that was counted in."""

    store_id: UUID
    items: list[ChosenItem]
    price: Price
    coupon: Offer | None

    def quote(self) -> dict[str, Any]:
        """Say it as api.md does."""
        things = [thing for item in self.items for thing in item.things()]
        return documents.quote_document(self.items, self.price, queries.quoted_minutes(self.store_id, things))


def quote(*, store_id: UUID, items: tuple[AskedItem, ...], coupon: str = "") -> dict[str, Any]:
    """Price a cart without placing it; the same code as ``place_order``.

    Raises:
        NotFoundError, UnknownItemError, ItemUnavailableError, InvalidError, CouponRefusedError: as ``place_order``.
    """
    return _priced(_store(store_id), items, coupon).quote()


def place_order(*, cart: Cart, store_id: UUID, by: Actor, claim: Claim) -> Answer:
    """Place one order, or return the answer once given to the same key.

    Raises:
        NotFoundError: no such store.
        UnknownItemError, InvalidError: the cart is not possible at this store.
        ItemUnavailableError, OutOfStockError: possible, but not now.
        CouponRefusedError: the coupon is unknown, not of today or used up.
        PriceChangedError: the guest saw another total; carries the new quote.
        KeyReusedError: the key came with another body.
        RivalRunningError: a request with this key has been at work for longer than ``lock_timeout``.

    Locks: the key, then the coupon, then the stock levels in pk order, until commit.
    Emits: ``OrderCreated``, ``OrderStatusChanged``, ``InventoryUpdated``; ``OrderPaid`` too when it costs nothing.
    """
    known = stored_answer(claim)
    if known is not None:
        return known
    store = _store(store_id)
    priced = _priced(store, cart.items, cart.coupon)
    if cart.expected_total is not None and cart.expected_total != priced.price.total:
        raise PriceChangedError(priced.quote())
    ticket = numbers.take(store_id=store_id, timezone=store.timezone, day_starts_at=store.day_starts_at)
    order = Order(
        id=new_id(),
        store_id=store_id,
        business_day=ticket.business_day,
        number=ticket.called(CHANNEL_OF[by.kind]),
        channel=CHANNEL_OF[by.kind],
        dining_option=cart.dining_option,
        guest_name=cart.guest_name,
        table_tracker=cart.table_tracker,
        subtotal=priced.price.subtotal,
        discount_total=priced.price.discount_total,
        total=priced.price.total,
        placed_by_kind=by.kind,
        placed_by_id=by.id,
        tracking_token=secrets.token_urlsafe(16),
        pickup_code=f"{secrets.randbelow(10_000):04d}",
        placed_at=ticket.at,
        moved_at=ticket.at,
        expires_at=ticket.at + timedelta(seconds=settings.ORDER_TTL_SECONDS),
    )
    try:
        return _commit(order, priced, by, claim)
    except RivalWonError:
        rival = stored_answer(claim)
        if rival is None:
            raise RivalRunningError("Este pedido já está sendo feito.") from None
        return rival


def _store(store_id: UUID) -> StoreFacts:
    store = store_by_id(store_id)
    if store is None:
        raise NotFoundError("Loja não encontrada.")
    return store


def _priced(store: StoreFacts, items: tuple[AskedItem, ...], code: str) -> Priced:
    at = timezone.now()
    chosen = choose(menu_snapshot(store.id), items, at)
    coupon = promotions.coupon_offer(code, store.id, at) if code else None
    offers = promotions.offers_at(store.id, store.timezone, at)
    priced = promotions.price([item.cart_line() for item in chosen], offers, coupon)
    if priced.total > MOST_MONEY:
        raise InvalidError(
            "Um pedido vai até R$ 5.000,00.", errors=[{"field": "items", "code": "max_total", "detail": ""}]
        )
    return Priced(store_id=store.id, items=chosen, price=priced, coupon=coupon)


@transaction.atomic
def _commit(order: Order, priced: Priced, by: Actor, claim: Claim) -> Answer:
    lines, slots, options = _lines(order, priced.items, priced.price)
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
    keep_answer(claim, answer)
    order.save(force_insert=True)
    OrderLine.objects.bulk_create(lines)
    OrderSlot.objects.bulk_create(slots)
    OrderLineOption.objects.bulk_create(options)
    OrderDiscount.objects.bulk_create(discounts)
    history.record(order, from_status=None, by=by, at=order.placed_at)
    units = sum(line.quantity for line in lines)
    publish(
        OrderCreated(
            subject=order.id,
            store=order.store_id,
            seq=order.version,
            at=order.placed_at,
            items=units,
            total=str(order.total),
        )
    )
    if priced.coupon is not None:
        promotions.use_coupon(coupon_id=priced.coupon.id, order_id=order.id, at=order.placed_at)
    wanted: Counter[UUID] = Counter()
    for item in priced.items:
        wanted += item.products()
    inventory.reserve(order_id=order.id, store_id=order.store_id, products=wanted, at=order.placed_at)
    return _receive_free(order, by, claim) if order.total == 0 else answer


def _receive_free(order: Order, by: Actor, claim: Claim) -> Answer:
    """Hand an order that costs nothing to the kitchen at once; there is no money to wait for."""
    services.mark_paid(order_id=order.id, by=by, at=order.placed_at)
    received = queries.with_lines(Order.objects.filter(id=order.id)).get()
    answer = Answer(status=201, body=orjson.dumps(documents.stored_order_document(received)))
    correct_answer(claim, answer)
    return answer


def _lines(
    order: Order, chosen: list[ChosenItem], priced: Price
) -> tuple[list[OrderLine], list[OrderSlot], list[OrderLineOption]]:
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

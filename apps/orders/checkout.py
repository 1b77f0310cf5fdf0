"""From a cart to an order: priced from the server's own menu, all or nothing."""

import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

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
    keep_answer,
    new_id,
    publish,
    stored_answer,
)
from apps.inventory import facade as inventory
from apps.orders import documents, history, numbers
from apps.orders.errors import PriceChangedError
from apps.orders.models import Order, OrderLine, OrderLineOption
from apps.orders.rules import MOST_MONEY, AskedItem, ChosenItem, PreparationState, choose
from apps.promotions.facade import Price, price
from apps.stores.facade import store_by_id

CHANNEL_OF = {"device": "T", "staff": "C", "customer": "Q"}


@dataclass(frozen=True, slots=True)
class Cart:
    """What a client asks for."""

    items: tuple[AskedItem, ...]
    dining_option: str
    guest_name: str = ""
    table_tracker: str = ""
    expected_total: Decimal | None = None


def quote(*, store_id: UUID, items: tuple[AskedItem, ...]) -> dict[str, Any]:
    """Price a cart without placing it; the same code as ``place_order``.

    Raises:
        UnknownItemError, ItemUnavailableError, InvalidError: as ``place_order``.
    """
    chosen, priced = _priced(store_id, items)
    return documents.quote_document(chosen, priced)


def place_order(*, cart: Cart, store_id: UUID, by: Actor, claim: Claim) -> Answer:
    """Place one order, or return the answer once given to the same key.

    Raises:
        NotFoundError: no such store.
        UnknownItemError, InvalidError: the cart is not possible at this store.
        ItemUnavailableError, OutOfStockError: possible, but not now.
        PriceChangedError: the guest saw another total; carries the new quote.
        KeyReusedError: the key came with another body.
        RivalRunningError: a request with this key has been at work for longer than ``lock_timeout``.

    Locks: the key, then the stock levels in pk order, until commit.
    Emits: ``OrderCreated``, ``OrderStatusChanged``, ``InventoryUpdated``.
    """
    known = stored_answer(claim)
    if known is not None:
        return known
    chosen, priced = _priced(store_id, cart.items)
    if cart.expected_total is not None and cart.expected_total != priced.total:
        raise PriceChangedError(documents.quote_document(chosen, priced))
    store = store_by_id(store_id)
    if store is None:
        raise NotFoundError("Loja não encontrada.")
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
        subtotal=priced.subtotal,
        discount_total=priced.discount_total,
        total=priced.total,
        placed_by_kind=by.kind,
        placed_by_id=by.id,
        tracking_token=secrets.token_urlsafe(16),
        pickup_code=f"{secrets.randbelow(10_000):04d}",
        placed_at=ticket.at,
        moved_at=ticket.at,
        expires_at=ticket.at + timedelta(seconds=settings.ORDER_TTL_SECONDS),
    )
    try:
        return _commit(order, chosen, priced, by, claim)
    except RivalWonError:
        rival = stored_answer(claim)
        if rival is None:
            raise RivalRunningError("Este pedido já está sendo feito.") from None
        return rival
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable) and stored_answer(claim) is None:
            raise RivalRunningError("Este pedido já está sendo feito.") from error
        raise


def _priced(store_id: UUID, items: tuple[AskedItem, ...]) -> tuple[list[ChosenItem], Price]:
    chosen = choose(menu_snapshot(store_id), items, timezone.now())
    priced = price([item.cart_line() for item in chosen])
    if priced.total > MOST_MONEY:
        raise InvalidError(
            "Um pedido vai até R$ 5.000,00.", errors=[{"field": "items", "code": "max_total", "detail": ""}]
        )
    return chosen, priced


@transaction.atomic
def _commit(order: Order, chosen: list[ChosenItem], priced: Price, by: Actor, claim: Claim) -> Answer:
    lines, options = _lines(order, chosen, priced)
    of_line = {line.id: [option for option in options if option.line_id == line.id] for line in lines}
    items = [documents.item_document(line, of_line[line.id], PreparationState.QUEUED) for line in lines]
    answer = Answer(status=201, body=orjson.dumps(documents.order_document(order, items)))
    keep_answer(claim, answer)
    order.save(force_insert=True)
    OrderLine.objects.bulk_create(lines)
    OrderLineOption.objects.bulk_create(options)
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
    wanted: Counter[UUID] = Counter()
    for line in lines:
        wanted[line.product_id] += line.quantity
    inventory.reserve(order_id=order.id, store_id=order.store_id, products=wanted, at=order.placed_at)
    return answer


def _lines(order: Order, chosen: list[ChosenItem], priced: Price) -> tuple[list[OrderLine], list[OrderLineOption]]:
    lines, options = [], []
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
        options += [
            OrderLineOption(
                id=new_id(),
                line=line,
                option_id=picked.option.id,
                name=picked.option.name,
                quantity=picked.quantity,
                unit_price=picked.option.price,
            )
            for picked in item.options
        ]
    return lines, options

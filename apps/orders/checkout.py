"""From a cart to an order: priced from the server's own menu, all or nothing."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.catalog.facade import MenuSnapshot, menu_snapshot, remembered_menu
from apps.core.facade import (
    Actor,
    Answer,
    Claim,
    DatabaseUnavailableError,
    DomainError,
    InvalidError,
    Limit,
    NotFoundError,
    RivalRunningError,
    answered_or_counted,
    correct_answer,
    new_id,
    published,
    stored_answer,
)
from apps.customers import facade as customers
from apps.inventory import facade as inventory
from apps.orders import documents, guards, history, numbers, queries, services
from apps.orders.errors import PriceChangedError, StoreClosedError
from apps.orders.models import DINING, Order
from apps.orders.rules import MOST_MONEY, PAYABLE, AskedItem, MoveKind, Release, choose
from apps.orders.writing import NotWrittenError, Priced, Why, prepare, taken, write
from apps.promotions import facade as promotions
from apps.promotions.facade import Offer
from apps.stores.facade import StoreFacts, remembered_store

STAFF = "staff"
CHANNEL_OF = {"device": "T", "staff": "C", "customer": "Q"}
TRIES = 5
EAT_IN, TAKE_OUT = (code for code, _ in DINING)
ZERO = Decimal("0.00")

OffersAt = Callable[[UUID, str, datetime], list[Offer]]


@dataclass(frozen=True, slots=True)
class Cart:
    """What a client asks for. ``customer`` is a look-up ticket."""

    items: tuple[AskedItem, ...]
    dining_option: str
    guest_name: str = ""
    table_tracker: str = ""
    coupon: str = ""
    expected_total: Decimal | None = None
    customer: str = field(default="", repr=False)


def quote(
    *, store_id: UUID, items: tuple[AskedItem, ...], coupon: str = "", dining_option: str = EAT_IN
) -> dict[str, Any]:
    """Price a cart without placing it, by the menu of now; the same code as ``place_order``, and the offers it remembers.

    Raises:
        NotFoundError, StoreClosedError, UnknownItemError, ItemUnavailableError, InvalidError, CouponRefusedError: as
            ``place_order``.
    """
    store = _remembered_store(store_id)
    return _priced(store, items, coupon, dining_option, offers=promotions.remembered_offers).quote()


def place_order(*, cart: Cart, store_id: UUID, by: Actor, claim: Claim, limit: Limit | None = None) -> Answer:
    """Place one order, or return the answer once given to the same key.

    Priced from what this process remembers. The menu's version is compared again in the transaction of the order, and what
    memory would refuse is asked again of the menu and the offers of now.

    Args:
        limit: what counts a key that is new; nothing is counted without.

    Raises:
        NotFoundError: no such store.
        StoreClosedError: outside its hours, or all orders are paused; this holds for the counter too.
        UnknownItemError, InvalidError: the cart is not possible at this store, or its customer's ticket is not good (any more).
        ItemUnavailableError, OutOfStockError: possible, but not now.
        CouponRefusedError: the coupon is unknown, not of today or used up.
        PriceChangedError: the guest saw another total; carries the new quote.
        KeyReusedError: the key came with another body.
        RivalRunningError: a request with this key has been at work for longer than ``lock_timeout``.
        LimitedError: too many in a short time, or too many of this device's orders wait for money.
        DatabaseUnavailableError: the menu changed again and again meanwhile.

    Locks: the customer's ticket, then the key, then the device, then the coupon, then the stock levels in pk order, then the
    store's menu version if a product is sold out by this, until commit.
    Emits: ``OrderCreated``, ``OrderStatusChanged``, ``InventoryUpdated``; ``OrderReleased`` when staff place what only they
    may let go; ``OrderPaid`` when it costs nothing.
    """
    now = timezone.now()
    known = answered_or_counted(claim, limit, at=now) if limit is not None else stored_answer(claim)
    if known is not None:
        return known
    store = _remembered_store(store_id)
    try:
        priced = _agreed(store, cart, menu=remembered_menu(store_id), offers=promotions.remembered_offers)
    except DomainError:
        priced = _agreed(store, cart)
    ticket = numbers.take(store_id=store_id, timezone=store.timezone, day_starts_at=store.day_starts_at)
    at_counter = 0
    for _ in range(TRIES):
        order = _order(cart, priced, store_id, by, ticket)
        try:
            return _commit(order, priced, cart, by, claim, guards.most_open(by, at_counter=at_counter))
        except NotWrittenError as refused:
            if refused.why in (Why.KEY, Why.CUSTOMER):
                return _rivals_answer(claim, refused.why)
            if refused.why == Why.MENU:
                priced = _agreed(store, cart)
                continue
            waiting = guards.open_at_counter(by, at=ticket.at)
            if waiting <= at_counter:
                raise guards.too_many_open() from None
            at_counter = waiting
    raise DatabaseUnavailableError("O cardápio está mudando; tente de novo.")


def _rivals_answer(claim: Claim, why: Why) -> Answer:
    """Return what a rival with the same key was answered meanwhile."""
    rival = stored_answer(claim)
    if rival is not None:
        return rival
    if why == Why.CUSTOMER:
        error = {"field": "customer", "code": "invalid", "detail": "Identifique-se de novo."}
        raise InvalidError("A identificação não vale mais.", errors=[error])
    raise RivalRunningError("Este pedido já está sendo feito.")


def _remembered_store(store_id: UUID) -> StoreFacts:
    store = remembered_store(store_id)
    if store is None:
        raise NotFoundError("Loja não encontrada.")
    return store


def _agreed(
    store: StoreFacts, cart: Cart, *, menu: MenuSnapshot | None = None, offers: OffersAt = promotions.offers_at
) -> Priced:
    """Price a cart and see that it costs what the guest was told."""
    priced = _priced(store, cart.items, cart.coupon, cart.dining_option, menu=menu, offers=offers)
    if cart.expected_total is not None and cart.expected_total != priced.total:
        raise PriceChangedError(priced.quote())
    return priced


def _priced(
    store: StoreFacts,
    items: tuple[AskedItem, ...],
    code: str,
    dining_option: str,
    *,
    menu: MenuSnapshot | None = None,
    offers: OffersAt = promotions.offers_at,
) -> Priced:
    at = timezone.now()
    menu = menu or menu_snapshot(store.id)
    if not menu.opening.takes_orders(at):
        raise StoreClosedError(menu.opening.opens_at(at), paused=menu.opening.pauses(at))
    chosen = choose(menu, items, at)
    coupon = promotions.coupon_offer(code, store.id, at) if code else None
    price = promotions.price([item.cart_line() for item in chosen], offers(store.id, store.timezone, at), coupon)
    priced = Priced(
        store_id=store.id,
        items=chosen,
        price=price,
        packaging_fee=menu.packaging_fee if dining_option == TAKE_OUT else ZERO,
        coupon=None if store.training else coupon,  # practising uses no coupon up
        menu_version=menu.version,
    )
    if priced.total > MOST_MONEY:
        raise InvalidError(
            "Um pedido vai até R$ 5.000,00.", errors=[{"field": "items", "code": "max_total", "detail": ""}]
        )
    return priced


def _order(cart: Cart, priced: Priced, store_id: UUID, by: Actor, ticket: numbers.Ticket) -> Order:
    return Order(
        id=new_id(),
        store_id=store_id,
        customer_id=by.id if by.kind == "customer" else None,
        business_day=ticket.business_day,
        number=ticket.called(CHANNEL_OF[by.kind]),
        channel=CHANNEL_OF[by.kind],
        dining_option=cart.dining_option,
        guest_name=cart.guest_name,
        table_tracker=cart.table_tracker,
        subtotal=priced.price.subtotal,
        discount_total=priced.price.discount_total,
        packaging_fee=priced.packaging_fee,
        total=priced.total,
        placed_by_kind=by.kind,
        placed_by_id=by.id,
        tracking_token=secrets.token_urlsafe(16),
        pickup_code=f"{secrets.randbelow(10_000):04d}",
        placed_at=ticket.at,
        moved_at=ticket.at,
        expires_at=ticket.at + timedelta(seconds=settings.ORDER_TTL_SECONDS),
        **_release(priced, by, ticket.at),
    )


def _release(priced: Priced, by: Actor, at: datetime) -> dict[str, Any]:
    """Return whether an order waits for staff to let it go; one that they place themselves they have let go."""
    if not any(item.needs_release() for item in priced.items):
        return {}
    if by.kind != STAFF:
        return {"release": Release.WAITING}
    return {"release": Release.RELEASED, "released_at": at, "released_by_id": by.id}


def _commit(order: Order, priced: Priced, cart: Cart, by: Actor, claim: Claim, most_open: int | None) -> Answer:
    writing = prepare(order, priced, by, claim, most_open)
    with transaction.atomic():
        if cart.customer:
            order.customer_id = _customer(cart.customer, by, order.placed_at)
        told = write(writing, claim)
        published([*writing.events, *taken(told, order)])
        history.audit(order, from_status=None, by=by, at=order.placed_at)
        if order.release == Release.RELEASED:
            history.audit(order, from_status=None, by=by, at=order.placed_at, kind=MoveKind.RELEASE)
        if told["flips"]:
            inventory.mark_sold_out(
                store_id=order.store_id,
                changes=[
                    inventory.Change(
                        item=UUID(level["item"]), before=level["free"] + level["held"], after=level["free"]
                    )
                    for level in told["levels"]
                ],
                at=order.placed_at,
            )
        is_received = order.total == 0 and order.release in PAYABLE
        return _receive_free(order, by, claim) if is_received else writing.answer


def _customer(ticket: str, by: Actor, at: datetime) -> UUID | None:
    """Use a customer's ticket up; None when it stands for a CPF that nobody has registered."""
    known = customers.redeem_ticket(token=ticket, device_id=by.id if by.kind == "device" else None, at=at)
    if known is None:
        raise NotWrittenError(Why.CUSTOMER)
    return known.id


def _receive_free(order: Order, by: Actor, claim: Claim) -> Answer:
    """Hand an order that costs nothing to the kitchen at once; there is no money to wait for."""
    services.mark_paid(order_id=order.id, by=by, at=order.placed_at)
    received = queries.with_lines(Order.objects.filter(id=order.id)).get()
    answer = Answer(status=201, body=orjson.dumps(documents.stored_order_document(received)))
    correct_answer(claim, answer)
    return answer

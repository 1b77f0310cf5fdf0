"""Checkout as the ORM writes it, one statement after the other: what ``apps/orders/sql/checkout.sql`` has to agree with."""

from collections import Counter
from datetime import datetime
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import F, Q

from apps.contracts.events import OrderCreated
from apps.core.facade import Actor, Answer, Claim, RivalWonError, correct_answer, keep_answer, new_id, publish
from apps.core.idempotency import stored_answer
from apps.customers.facade import redeem_ticket
from apps.inventory.facade import reserve
from apps.orders import checkout, documents, history, numbers, queries, services, writing
from apps.orders.checkout import Cart
from apps.orders.models import Order, OrderDiscount, OrderLine, OrderLineOption, OrderSlot
from apps.orders.releasing import released_event
from apps.orders.rules import MoveKind, PreparationState, Release
from apps.orders.writing import Priced
from apps.promotions.facade import used_up
from apps.promotions.models import Coupon, CouponUse
from apps.stores.facade import store_by_id


def place_order(*, cart: Cart, store_id: UUID, by: Actor, claim: Claim) -> Answer:
    known = stored_answer(claim)
    if known is not None:
        return known
    store = store_by_id(store_id)
    assert store is not None
    priced = checkout._agreed(store, cart)
    ticket = numbers.take(store_id=store_id, timezone=store.timezone, day_starts_at=store.day_starts_at)
    order = checkout._order(cart, priced, store_id, by, ticket)
    try:
        return write(order, priced, cart, by, claim)
    except RivalWonError:
        rival = stored_answer(claim)
        assert rival is not None
        return rival


@transaction.atomic
def write(order: Order, priced: Priced, cart: Cart, by: Actor, claim: Claim) -> Answer:
    if cart.customer:
        order.customer_id = redeem_ticket(token=cart.customer, device_id=by.id, at=order.placed_at).id
    lines, slots, options = writing.rows_of_lines(order, priced.items, priced.price)
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
    publish(
        OrderCreated(
            subject=order.id,
            store=order.store_id,
            seq=order.version,
            at=order.placed_at,
            items=sum(line.quantity for line in lines),
            total=str(order.total),
        )
    )
    if order.release == Release.RELEASED:
        history.audit(order, from_status=None, by=by, at=order.placed_at, kind=MoveKind.RELEASE)
        publish(released_event(order))
    if priced.coupon is not None:
        use_coupon(priced.coupon.id, order.id, order.placed_at)
    wanted: Counter[UUID] = Counter()
    for item in priced.items:
        wanted += item.products()
    reserve(order_id=order.id, store_id=order.store_id, products=wanted, at=order.placed_at)
    waits = order.release == Release.WAITING
    return receive_free(order, by, claim) if order.total == 0 and not waits else answer


def use_coupon(coupon_id: UUID, order_id: UUID, at: datetime) -> None:
    free = Coupon.objects.filter(Q(use_limit=None) | Q(used__lt=F("use_limit")), id=coupon_id, active=True)
    if not free.update(used=F("used") + 1):
        raise used_up()
    CouponUse.objects.create(coupon_id=coupon_id, order_id=order_id, used_at=at)


def receive_free(order: Order, by: Actor, claim: Claim) -> Answer:
    services.mark_paid(order_id=order.id, by=by, at=order.placed_at)
    received = queries.with_lines(Order.objects.filter(id=order.id)).get()
    answer = Answer(status=201, body=orjson.dumps(documents.stored_order_document(received)))
    correct_answer(claim, answer)
    return answer

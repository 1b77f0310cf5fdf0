"""Which event wakes whom: the one table, read top to bottom."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from celery import Task

from apps.catalog import handlers as catalog_handlers
from apps.catalog import photos
from apps.contracts import events
from apps.core import limits, partitions
from apps.core.dispatch import Handler
from apps.customers import facade as customers
from apps.customers import handlers as customer_handlers
from apps.kitchen import handlers as kitchen
from apps.orders import facade as orders
from apps.orders import handlers as order_handlers
from apps.payments import facade as payments
from apps.payments import handlers as payment_handlers
from apps.payments import tasks as payment_tasks
from apps.promotions import facade as promotions

Chores = tuple[Callable[[datetime], object], ...]
Due = tuple[tuple[Callable[[datetime], list[UUID]], Task], ...]

# In the transaction of the change; an exception there aborts the change.
IN_TRANSACTION: Mapping[type[events.Event], tuple[Callable[[events.Event], None], ...]] = {
    events.OrderCancelled: (payment_handlers.on_order_ended, payment_handlers.on_order_cancelled),
    events.OrderExpired: (payment_handlers.on_order_ended,),
    events.UserErased: (order_handlers.on_user_erased,),
    events.OpeningChanged: (catalog_handlers.on_opening_changed,),
    events.OrderItemVoided: (payment_handlers.on_item_voided,),
}

# After the commit, by the engine, once each.
AFTER_COMMIT: Mapping[str, tuple[Handler, ...]] = {
    events.OrderReady.type: (kitchen.on_order_ready,),
    events.UserRegistered.type: (customer_handlers.on_account_asked,),
    events.UserRegistrationRepeated.type: (customer_handlers.on_account_asked,),
}

# What the engine does itself each time it looks.
CHORES: Chores = (lambda at: payments.process_inbox(at=at),)

# The same, but no news brings them about, so twice a second is enough however much news there is.
TIMED_CHORES: Chores = (lambda at: orders.expire_unpaid(at=at),)

# The same, but once a minute is enough.
RARE_CHORES: Chores = (
    lambda at: promotions.refresh_marks(at=at),
    partitions.ensure,
    limits.purge,
    lambda at: customers.purge(at=at),
    photos.sweep,
    payments.purge_inbox,
    lambda at: payments.open_closings(at=at),
)

# Rows whose moment has come, and the task that calls out for each.
DUE: Due = ((lambda at: payments.claim_due(at=at), payment_tasks.advance_charge),)
TIMED_DUE: Due = (
    (lambda at: payments.claim_due_refunds(at=at), payment_tasks.advance_refund),
    (lambda at: payments.claim_due_closings(at=at), payment_tasks.advance_closing),
)

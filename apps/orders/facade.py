"""What the other apps may use of orders."""

from apps.orders.cancel import (
    Cancellation,
    cancellation_of,
    flag_order,
    step_done,
    step_failed,
    step_waits,
    unflag_order,
    void_of,
)
from apps.orders.documents import narrow_document, options_of, tracking_url
from apps.orders.errors import AlreadyPaidError, OrderNotFoundError
from apps.orders.guards import tell_counter_apart
from apps.orders.models import Order, OrderLine
from apps.orders.numbers import skip as skip_numbers
from apps.orders.queries import (
    asked_for,
    board,
    board_versions,
    cancelled_on_board,
    handed_over,
    may_see,
    order_alone,
    order_by_token,
    orders_with_lines,
    standing,
    standing_for,
    to_hand_over,
    unpaid,
)
from apps.orders.rules import CancelKind, Release, Status, check_released, item_state
from apps.orders.services import (
    attach_payment,
    expire_unpaid,
    hold_until,
    lock_for_payment,
    mark_paid,
    revive_expired,
    take_paid,
)

__all__ = [
    "AlreadyPaidError",
    "CancelKind",
    "Cancellation",
    "Order",
    "OrderLine",
    "OrderNotFoundError",
    "Release",
    "Status",
    "asked_for",
    "attach_payment",
    "board",
    "board_versions",
    "cancellation_of",
    "cancelled_on_board",
    "check_released",
    "expire_unpaid",
    "flag_order",
    "handed_over",
    "hold_until",
    "item_state",
    "lock_for_payment",
    "mark_paid",
    "may_see",
    "narrow_document",
    "options_of",
    "order_alone",
    "order_by_token",
    "orders_with_lines",
    "revive_expired",
    "skip_numbers",
    "standing",
    "standing_for",
    "step_done",
    "step_failed",
    "step_waits",
    "take_paid",
    "tell_counter_apart",
    "to_hand_over",
    "tracking_url",
    "unflag_order",
    "unpaid",
    "void_of",
]

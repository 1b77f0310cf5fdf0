"""Orders and their money: a state machine that knows neither HTTP nor threads.

``created`` becomes ``processed``, ``canceled`` or ``expired``; ``processed`` becomes ``refunded`` once all its
money is back, or ``charged_back``. Only a forced late payment leads from ``canceled`` or ``expired`` to ``processed``.
"""

import heapq
import itertools
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from ops.mpsim.errors import ApiError
from ops.mpsim.qr import br_code

Status = Literal["created", "processed", "canceled", "expired", "refunded", "charged_back"]
Kind = Literal["qr", "pix"]
Action = Literal[
    "order.processed",
    "order.canceled",
    "order.expired",
    "order.refunded",
    "order.partially_refunded",
    "order.charged_back",
]

ZERO = Decimal("0.00")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
METHODS = {
    "pix": {"id": "pix", "type": "bank_transfer", "installments": 1},
    "account_money": {"id": "account_money", "type": "account_money", "installments": 1},
    "credit_card": {"id": "master", "type": "credit_card", "installments": 1},
}


def new_id(prefix: str) -> str:
    """Make an id such as ORD01 and 24 more capital letters or digits."""
    return f"{prefix}01" + "".join(secrets.choice(ALPHABET) for _ in range(24))


def new_reference() -> str:
    """Make a numeric id, as payments and refunds carry beside their own."""
    return str(10_000_000_000 + secrets.randbelow(89_999_999_999))


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What a merchant asked for, already validated."""

    external_reference: str
    description: str
    total: Decimal
    duration: str
    lifetime: timedelta
    pos: str
    mode: str
    kind: Kind = "qr"


@dataclass(slots=True)
class PendingPayment:
    """A payment under way: it locks the order from ``starts_at`` and lands at ``completes_at``."""

    starts_at: datetime
    completes_at: datetime
    method: str
    amount: Decimal
    force: bool


@dataclass(slots=True)
class Refund:
    """Money on its way back; it counts as refunded when its status is ``processed``."""

    id: str
    reference_id: str
    amount: Decimal
    status: Literal["processing", "processed"]
    final_at: datetime


@dataclass(slots=True)
class Order:
    """One QR order with its single payment, or a Pix payment alone; only ``Book`` changes it."""

    id: str
    user_id: int
    external_reference: str
    description: str
    total: Decimal
    duration: str
    pos: str
    mode: str
    payment_id: str
    merchant_order_id: str
    qr_data: str
    created_at: datetime
    expires_at: datetime
    updated_at: datetime
    status: Status = "created"
    version: int = 1
    paid: Decimal = ZERO
    method: str = ""
    payment_reference: str = ""
    declines: int = 0
    pending: PendingPayment | None = None
    refunds: list[Refund] = field(default_factory=list)
    kind: Kind = "qr"
    chargeback_id: str = ""

    @property
    def refunded(self) -> Decimal:
        """Return the sum of the final refunds."""
        return sum((refund.amount for refund in self.refunds if refund.status == "processed"), ZERO)

    @property
    def refundable(self) -> Decimal:
        """Paid money that no refund has asked for yet."""
        return self.paid - sum((refund.amount for refund in self.refunds), ZERO)

    def locked(self, at: datetime) -> bool:
        """Tell whether a payment is in progress."""
        return self.pending is not None and self.pending.starts_at <= at


class Book:
    """All orders; time is applied by ``settle``, which every caller runs before it reads or writes.

    Not thread-safe: the application holds one lock around it. ``publish`` hears of each change once.
    """

    def __init__(self, now: Callable[[], datetime], publish: Callable[[Order, Action], None]) -> None:
        self._now = now
        self._publish = publish
        self._numbers = itertools.count()
        self._timers: list[tuple[datetime, int, str]] = []
        self.orders: dict[str, Order] = {}
        self._references: set[tuple[int, str]] = set()
        self.changes = 0

    def add(self, order: Order) -> None:
        """Enter an order and set its timers."""
        self.orders[order.id] = order
        if order.kind == "qr":
            self._references.add((order.user_id, order.external_reference))
        self.changes += 1
        if order.status == "created":
            self._remind(order.expires_at, order)
        if order.pending is not None:
            self._remind(order.pending.completes_at, order)
        for refund in order.refunds:
            if refund.status == "processing":
                self._remind(refund.final_at, order)

    def next_due(self) -> datetime | None:
        """Return when something falls due next."""
        return self._timers[0][0] if self._timers else None

    def settle(self) -> None:
        """Apply everything that time has brought about, in the order in which it fell due."""
        now = self._now()
        while self._timers and self._timers[0][0] <= now:
            due, _, order_id = heapq.heappop(self._timers)
            self._settle_order(self.orders[order_id], due)

    def has_reference(self, user_id: int, external_reference: str) -> bool:
        """Tell whether the seller used an external reference already."""
        return (user_id, external_reference) in self._references

    def create(self, user_id: int, wish: NewOrder) -> Order:
        """Open an order."""
        now = self._now()
        order = Order(
            id=new_id("ORD"),
            user_id=user_id,
            external_reference=wish.external_reference,
            description=wish.description,
            total=wish.total,
            duration=wish.duration,
            pos=wish.pos,
            mode=wish.mode,
            payment_id=new_id("PAY"),
            merchant_order_id=new_reference(),
            qr_data="" if wish.mode == "static" else br_code(str(uuid.uuid4())),
            created_at=now,
            expires_at=now + wish.lifetime,
            updated_at=now,
            kind=wish.kind,
            payment_reference=new_reference() if wish.kind == "pix" else "",
        )
        self.add(order)
        return order

    def find(self, order_id: str, user_id: int | None = None) -> Order:
        """Return an order, of one seller when ``user_id`` is given."""
        self.settle()
        order = self.orders.get(order_id)
        if order is None or (user_id is not None and order.user_id != user_id):
            raise ApiError(404, "order_not_found", "Order not found.")
        return order

    def cancel(self, order: Order) -> None:
        """Cancel an order that nobody has paid or is paying."""
        if order.status != "created":
            raise ApiError(409, "order_already_canceled", f"The order is {order.status}.")
        if order.locked(self._now()):
            raise ApiError(409, "instore_order_locked_error", "A payment of this order is in progress.")
        self._close(order, "canceled", self._now())

    def pay(
        self,
        order: Order,
        *,
        method: str = "pix",
        amount: Decimal | None = None,
        delay: timedelta = timedelta(0),
        lock: timedelta = timedelta(0),
        force: bool = False,
    ) -> None:
        """Let the buyer pay: at once, or ``delay`` from now with the order locked for the last ``lock``.

        ``force`` pays even what has expired or was canceled by the time the money lands.
        """
        payable = ("created", "expired", "canceled") if force else ("created",)
        if order.status not in payable:
            raise ApiError(409, "order_not_payable", f"The order is {order.status}.")
        if order.pending is not None:
            raise ApiError(409, "payment_in_progress", "A payment of this order is already under way.")
        starts_at = self._now() + delay
        order.pending = PendingPayment(starts_at, starts_at + lock, method, amount or order.total, force)
        self.changes += 1
        self._remind(order.pending.completes_at, order)
        self.settle()

    def decline(self, order: Order) -> None:
        """Let the payment attempt fail; the order stays payable until it expires."""
        if order.status != "created":
            raise ApiError(409, "order_not_payable", f"The order is {order.status}.")
        order.declines += 1
        order.pending = None
        self.changes += 1
        self._remind(order.expires_at, order)

    def expire(self, order: Order) -> None:
        """Let an order expire before its time."""
        if order.status != "created":
            raise ApiError(409, "order_not_payable", f"The order is {order.status}.")
        self._close(order, "expired", self._now())

    def charge_back(self, order: Order) -> None:
        """Let the buyer's bank take the money back."""
        if order.status != "processed":
            raise ApiError(409, "invalid_order_status", f"The order is {order.status}.")
        order.chargeback_id = new_reference()
        order.status = "charged_back"
        self._changed(order, "order.charged_back", self._now())

    def refund(self, order: Order, amount: Decimal | None, *, partial: bool, delay: timedelta) -> Refund:
        """Give back ``amount``, or all that is left; the refund is final after ``delay``."""
        if order.status == "refunded" or (order.status == "processed" and order.refundable == ZERO):
            raise ApiError(409, "order_already_refunded", "Everything was refunded already.")
        if order.status != "processed":
            raise ApiError(409, "invalid_order_status", f"The order is {order.status}.")
        wanted = order.refundable if amount is None else amount
        if wanted > order.refundable:
            raise ApiError(400, "refund_amount_exceeds", "The refund is greater than what is left of the payment.")
        if wanted < order.paid and not partial:
            raise ApiError(400, "unsupported_partially_refunds", "Partial refunds are not available.")
        refund = Refund(new_id("REF"), new_reference(), wanted, "processing", self._now() + delay)
        order.refunds.append(refund)
        self.changes += 1
        self._remind(refund.final_at, order)
        self.settle()
        return refund

    def _remind(self, due: datetime, order: Order) -> None:
        heapq.heappush(self._timers, (due, next(self._numbers), order.id))

    def _settle_order(self, order: Order, at: datetime) -> None:
        for refund in order.refunds:
            if refund.status == "processing" and refund.final_at <= at:
                self._finish_refund(order, refund, at)
        pending = order.pending
        if pending is not None and pending.completes_at <= at:
            order.pending = None
            self._take_money(order, pending, at)  # a closed order has kept only a forced payment
        if order.status == "created" and order.expires_at <= at and not order.locked(at):
            self._close(order, "expired", at)

    def _take_money(self, order: Order, pending: PendingPayment, at: datetime) -> None:
        order.paid = pending.amount
        order.method = pending.method
        order.payment_reference = order.payment_reference or new_reference()
        order.status = "processed"
        self._changed(order, "order.processed", at)

    def _close(self, order: Order, status: Literal["canceled", "expired"], at: datetime) -> None:
        order.status = status
        if order.pending is not None and not order.pending.force:
            order.pending = None
        self._changed(order, "order.canceled" if status == "canceled" else "order.expired", at)

    def _finish_refund(self, order: Order, refund: Refund, at: datetime) -> None:
        refund.status = "processed"
        if order.refunded == order.paid:
            order.status = "refunded"
            self._changed(order, "order.refunded", at)
        else:
            self._changed(order, "order.partially_refunded", at)

    def _changed(self, order: Order, action: Action, at: datetime) -> None:
        order.version += 1
        order.updated_at = at
        self.changes += 1
        self._publish(order, action)

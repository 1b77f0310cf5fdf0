"""The events. Ids only, never names, e-mail or CPF: a reader allowed to see those asks the owner for them."""

from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened to one row.

    ``seq`` is the subject row's ``version`` after the change: readers of one subject ignore a smaller one.
    """

    type: ClassVar[str] = ""
    version: ClassVar[int] = 1

    subject: UUID
    store: UUID | None
    seq: int
    at: datetime

    def payload(self) -> dict[str, object]:
        """Return the fields that only this event has; UUIDs as strings."""
        own = {name: getattr(self, name) for name in _own_fields(type(self))}  # type: ignore[arg-type]  # mypy: a class has no hash
        return {name: str(value) if isinstance(value, UUID) else value for name, value in own.items()}


@cache
def _own_fields(event: type[Event]) -> tuple[str, ...]:
    shared = {field.name for field in fields(Event)}
    return tuple(field.name for field in fields(event) if field.name not in shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One stored event as a subscriber receives it."""

    id: UUID
    type: str
    version: int
    occurred_at: datetime
    store: UUID | None
    subject: UUID
    seq: int
    correlation_id: str
    payload: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated(Event):
    """A checkout was accepted. ``items`` counts units, ``total`` is BRL with two decimals."""

    type: ClassVar[str] = "order.created"

    items: int
    total: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaid(Event):
    """The payment was confirmed; the kitchen has its rows."""

    type: ClassVar[str] = "order.paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatusChanged(Event):
    """The order moved; ``kind`` is move, undo, recall or release. ``from_status`` is empty at its creation."""

    type: ClassVar[str] = "order.status_changed"

    from_status: str
    to_status: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReleased(Event):
    """A member of staff let an order go that holds what is not sold to everybody; ``by`` is their account."""

    type: ClassVar[str] = "order.released"

    by: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItemMoved(Event):
    """One item of the order was made, or taken back; ``state`` is done or started."""

    type: ClassVar[str] = "order.item_moved"

    item: UUID
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReady(Event):
    """The order may be called. Published once an order: a recall and a second ready say nothing."""

    type: ClassVar[str] = "order.ready"

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHandedOver(Event):
    """The guest has the order (the brief's ``OrderShipped``)."""

    type: ClassVar[str] = "order.handed_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(Event):
    """Somebody took the order back; ``was_paid`` tells whether money has to follow."""

    type: ClassVar[str] = "order.cancelled"

    was_paid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItemVoided(Event):
    """One item of a paid order will not be made. ``amount`` is what the guest gets back for it, BRL with two decimals."""

    type: ClassVar[str] = "order.item_voided"

    line: UUID
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChangeAcknowledged(Event):
    """The kitchen has seen that one item of the order, or all of it, will not be made; ``item`` is null for all of it."""

    type: ClassVar[str] = "order.change_acknowledged"

    item: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpired(Event):
    """Nobody paid in time; what was held is free again."""

    type: ClassVar[str] = "order.expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentProcessed(Event):
    """A charge reached an answer of the provider. ``transaction`` is the provider's id of the order."""

    type: ClassVar[str] = "payment.processed"

    payment: UUID
    success: bool
    transaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded(Event):
    """Money of a charge is back with the guest. ``amount`` is BRL with two decimals, ``cause`` why."""

    type: ClassVar[str] = "payment.refunded"

    payment: UUID
    refund: UUID
    amount: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryUpdated(Event):
    """A stock level changed. ``quantity`` is what can still be promised: on hand less reserved."""

    type: ClassVar[str] = "inventory.updated"

    item: UUID
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningChanged(Event):
    """A store has other hours, or pauses or resumes orders; the subject is the store."""

    type: ClassVar[str] = "store.opening_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuChanged(Event):
    """A store's menu has a new version (``seq``)."""

    type: ClassVar[str] = "menu.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered(Event):
    """A customer registered. ``claim`` is the account they asked for with a password, waiting for its code."""

    type: ClassVar[str] = "user.registered"

    claim: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistrationRepeated(Event):
    """Somebody registered with the CPF or e-mail of a known customer; nothing of theirs was changed."""

    type: ClassVar[str] = "user.registration_repeated"

    claim: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged(Event):
    """A customer changed what we hold about them, or what they allow."""

    type: ClassVar[str] = "user.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserErased(Event):
    """A customer's personal data is gone; whoever holds a copy deletes it."""

    type: ClassVar[str] = "user.erased"

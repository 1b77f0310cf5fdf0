"""What payments does about events, in the transaction of the change."""

from decimal import Decimal

from apps.contracts.events import Event, OrderCancelled, OrderItemVoided
from apps.payments import refunds, services


def on_order_ended(event: Event) -> None:
    """Close the charge of an order that expired or was cancelled."""
    services.close_charges(order_id=event.subject, at=event.at)


def on_order_cancelled(event: Event) -> None:
    """Owe the guest what a paid order that was cancelled has cost."""
    if isinstance(event, OrderCancelled) and event.was_paid:
        refunds.refund_cancelled(order_id=event.subject, at=event.at)


def on_item_voided(event: Event) -> None:
    """Owe the guest what a voided item has cost."""
    if isinstance(event, OrderItemVoided):
        amount = Decimal(event.amount)
        refunds.refund_item(order_id=event.subject, line_id=event.line, amount=amount, at=event.at)

"""What payments does about events."""

from apps.contracts.events import Event
from apps.payments import services


def on_order_ended(event: Event) -> None:
    """Close the charge of an order that expired or was cancelled, in the transaction that ends it."""
    services.close_charges(order_id=event.subject, at=event.at)

"""What orders do about events."""

from apps.contracts.events import Envelope
from apps.orders.erasing import forget_customer


def on_user_erased(event: Envelope) -> None:
    """Keep nothing personal of a customer who was erased."""
    forget_customer(customer_id=event.subject)

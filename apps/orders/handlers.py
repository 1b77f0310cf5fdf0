"""What orders do about events."""

from apps.contracts.events import Event
from apps.orders.erasing import forget_customer


def on_user_erased(event: Event) -> None:
    """Take an erased customer's name off their orders, in the transaction that erases them."""
    forget_customer(customer_id=event.subject)

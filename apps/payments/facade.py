"""What the apps above may use of payments."""

from apps.payments.inbox import process as process_inbox
from apps.payments.inbox import purge as purge_inbox
from apps.payments.queries import (
    OpenCharge,
    PaymentFacts,
    Receipt,
    Takings,
    open_charges,
    payment_facts,
    receipts,
    takings,
)
from apps.payments.services import claim_due
from apps.payments.turns import take_turn

__all__ = [
    "OpenCharge",
    "PaymentFacts",
    "Receipt",
    "Takings",
    "claim_due",
    "open_charges",
    "payment_facts",
    "process_inbox",
    "purge_inbox",
    "receipts",
    "take_turn",
    "takings",
]

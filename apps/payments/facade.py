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
from apps.payments.refunds import claim_due as claim_due_refunds
from apps.payments.refunds import retry_cancelled
from apps.payments.services import claim_due
from apps.payments.turns import take_turn

__all__ = [
    "OpenCharge",
    "PaymentFacts",
    "Receipt",
    "Takings",
    "claim_due",
    "claim_due_refunds",
    "open_charges",
    "payment_facts",
    "process_inbox",
    "purge_inbox",
    "receipts",
    "retry_cancelled",
    "take_turn",
    "takings",
]

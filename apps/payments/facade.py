"""What the apps above may use of payments."""

from apps.payments.closing import claim_due as claim_due_closings
from apps.payments.closing import open_closings
from apps.payments.desk import VIEWERS as DESK_VIEWERS
from apps.payments.desk import count_for as money_out_of_place
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

__all__ = [
    "DESK_VIEWERS",
    "OpenCharge",
    "PaymentFacts",
    "Receipt",
    "Takings",
    "claim_due",
    "claim_due_closings",
    "claim_due_refunds",
    "money_out_of_place",
    "open_charges",
    "open_closings",
    "payment_facts",
    "process_inbox",
    "purge_inbox",
    "receipts",
    "retry_cancelled",
    "takings",
]

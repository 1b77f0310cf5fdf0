"""What the apps above may use of payments."""

from apps.payments.inbox import process as process_inbox
from apps.payments.inbox import purge as purge_inbox
from apps.payments.queries import PaymentFacts, payment_facts
from apps.payments.services import claim_due

__all__ = ["PaymentFacts", "claim_due", "payment_facts", "process_inbox", "purge_inbox"]

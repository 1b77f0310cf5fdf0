"""What the apps above may use of payments."""

from apps.payments.inbox import process as process_inbox
from apps.payments.services import claim_due

__all__ = ["claim_due", "process_inbox"]

"""What customers do when something has happened."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.contracts.events import Envelope
from apps.customers import delivery, services


def on_account_asked(event: Envelope) -> None:
    """Send the code of an account claim to the customer's own address, once the code is committed.

    For ``UserRegistered`` and ``UserRegistrationRepeated``; a registration without a password asks for no account.
    """
    claim = event.payload.get("claim")
    if not claim:
        return
    code = services.issue_claim_code(claim_id=UUID(str(claim)), at=timezone.now())
    if code is not None:
        transaction.on_commit(partial(delivery.channel().send, code))

"""A code that no bank can read and that is paid some seconds later, by nobody.

There is no other side that could remember anything: what it would say is read off the charge and the clock. So nothing is
called, nothing is let in or counted on any way (``lines``), and asking again says the same.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from apps.core.facade import brl
from apps.payments.accounts import Account
from apps.payments.errors import ProviderRejectedError
from apps.payments.models import Charge, Refund
from apps.payments.rules import SETTLED, ZERO, Listing, ProviderRefund, ProviderState, RefundState, State

ACCOUNT = "treino"
NOT_FOUND = 404


class TrainingQr:
    """What a store for training is paid by."""

    def create(self, charge: Charge) -> ProviderState:
        """Say a code that begins to wait."""
        return _told(charge, "created")

    def cancel(self, charge: Charge) -> ProviderState:
        """Close it; nobody can have paid it meanwhile."""
        return _told(charge, "canceled")

    def fetch(self, charge: Charge) -> ProviderState:
        """Say that it has been paid once its seconds are over, or how it has ended."""
        if charge.state in SETTLED:
            return _told(charge, "processed")
        if charge.state == State.CANCELLED:
            return _told(charge, "canceled")
        age = timezone.now() - charge.created_at
        if charge.state != State.EXPIRED and age >= timedelta(seconds=settings.TRAINING_PAYS_AFTER_SECONDS):
            return _told(charge, "processed")
        return _told(charge, "expired" if age >= timedelta(seconds=settings.MP_QR_TTL_SECONDS) else "created")

    def refund_body(self, amount: Decimal, told: ProviderState) -> bytes | None:
        """Return nothing for all of it, else the amount."""
        return None if amount == told.paid and not told.refunds else str(amount).encode()

    def refund(self, charge: Charge, refund: Refund) -> tuple[ProviderRefund, ...]:
        """Give it back at once; a repeat is the same refund."""
        return (ProviderRefund(id=f"TREINO-{refund.id.hex}", amount=refund.amount, status="processed"),)

    def search(self, account: Account, *, begin: datetime, end: datetime, page: int) -> Listing:
        """List nothing: what is nobody's has no account."""
        return Listing(states=(), is_last=True)

    def look_up(self, account: Account, provider_order_id: str) -> ProviderState:
        """Know nothing that no charge names.

        Raises:
            ProviderRejectedError: always.
        """
        raise ProviderRejectedError("order_not_found", NOT_FOUND)

    def give_back(self, account: Account, provider_order_id: str, *, key: str) -> None:
        """Have nothing to give; errors as ``look_up``."""
        raise ProviderRejectedError("order_not_found", NOT_FOUND)


def _told(charge: Charge, status: str) -> ProviderState:
    paid = charge.amount if status == "processed" else ZERO
    back = charge.refunds.filter(state=RefundState.DONE).exclude(provider_refund_id=None).order_by("created_at", "id")
    refunds = tuple(
        ProviderRefund(id=str(refund.provider_refund_id), amount=refund.amount, status="processed") for refund in back
    )
    return ProviderState(
        provider_order_id=f"TREINO-{charge.id.hex}",
        status=status,
        amount=charge.amount,
        paid=paid,
        refunded=sum((refund.amount for refund in refunds), ZERO),
        currency="BRL",
        reference=charge.reference,
        account=ACCOUNT,
        qr_data=f"TREINO BREADMATE: nada é cobrado. Pedido {charge.order.number}, {brl(charge.amount)}",
        expires_at=charge.created_at + timedelta(seconds=settings.MP_QR_TTL_SECONDS),
        refunds=refunds,
        made_at=charge.created_at,
    )

"""Ways to be paid, one folder each; the rest of the app knows only this port."""

from datetime import datetime
from decimal import Decimal
from typing import Protocol

from apps.payments.accounts import Account
from apps.payments.models import Charge, Refund
from apps.payments.rules import Listing, ProviderRefund, ProviderState


class PaymentProvider(Protocol):
    """What every provider can do. No call is ever made inside a transaction."""

    def create(self, charge: Charge) -> ProviderState:
        """Send the charge's stored bytes with its stored key.

        Raises:
            ProviderRejectedError: refused for good.
            ProviderUnavailableError: no usable answer; send the same again later.
        """

    def cancel(self, charge: Charge) -> ProviderState:
        """Close the provider's order so that it cannot be paid any more, or say how it stands when it cannot be closed."""

    def fetch(self, charge: Charge) -> ProviderState:
        """Ask how the charge stands; errors as ``create``."""

    def refund_body(self, amount: Decimal, told: ProviderState) -> bytes | None:
        """Return the exact bytes that give ``amount`` back of an order as it was just told; None gives back all of it."""

    def refund(self, charge: Charge, refund: Refund) -> tuple[ProviderRefund, ...]:
        """Send the refund's stored bytes with its stored key; return the refunds that the answer lists. Errors as ``create``."""

    def search(self, account: Account, *, begin: datetime, end: datetime, page: int) -> Listing:
        """List a page, the first is 1, of what the account has from a span of time; errors as ``create``."""

    def look_up(self, account: Account, provider_order_id: str) -> ProviderState:
        """Ask about an order by its number, also one that no charge of ours names; errors as ``create``."""

    def give_back(self, account: Account, provider_order_id: str, *, key: str) -> None:
        """Ask to give back all of such an order; a repeat with the key is the same request. Errors as ``create``."""

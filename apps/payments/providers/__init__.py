"""Ways to be paid, one folder each; the rest of the app knows only this port."""

from typing import Protocol

from apps.payments.models import Charge
from apps.payments.rules import ProviderState


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

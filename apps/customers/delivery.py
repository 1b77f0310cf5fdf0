"""How a code reaches a customer. There is no mail or short message yet: see docs/customers.md, "The code"."""

import logging
from typing import Protocol

from django.conf import settings

from apps.customers.services import ClaimCode

logger = logging.getLogger(__name__)


class Channel(Protocol):
    """Carries one code to the customer's own e-mail or phone. Called with no transaction open."""

    def send(self, code: ClaimCode) -> None:
        """Send it; what is lost is not sent again, the customer registers once more."""


class DemoLog:
    """Writes the code into the log of the demo shop, where whoever tries it out can read it."""

    def send(self, code: ClaimCode) -> None:
        """Write it, with whose it is and no address."""
        logger.warning("demo: the code of customer %s is %s", code.customer_id, code.code)


class Nowhere:
    """Stands where no channel is installed: nobody's login can be claimed."""

    def send(self, code: ClaimCode) -> None:
        """Say that a code was not sent, and never which."""
        logger.error("no channel: the code of customer %s was not sent", code.customer_id)


def channel() -> Channel:
    """Return the channel of this installation; a code is never logged in production."""
    return DemoLog() if settings.DEMO and not settings.PRODUCTION else Nowhere()

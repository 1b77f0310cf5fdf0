"""How moments are written in the API, and money where people read it."""

from datetime import UTC, datetime
from decimal import Decimal


def iso(moment: datetime | None) -> str | None:
    """Write a moment as ISO 8601 in UTC with ``Z``, to the millisecond."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def brl(amount: Decimal) -> str:
    """Write an amount of BRL as people do: ``R$ 1.234,50``."""
    whole, _, cents = f"{amount:,.2f}".partition(".")
    return f"R$ {whole.replace(',', '.')},{cents}"

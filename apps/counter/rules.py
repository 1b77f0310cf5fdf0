"""Who works at the counter, and what the drawer should hold; pure."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import TextChoices

from apps.core.facade import Role

AT_COUNTER = frozenset({Role.CASHIER, Role.MANAGER, Role.OWNER})
OVERSEERS = frozenset({Role.MANAGER, Role.OWNER})
LARGEST = Decimal("99999.99")


class MovementKind(TextChoices):
    """Cash that moves without a sale."""

    SUPPLY = "supply", "suprimento"
    WITHDRAWAL = "withdrawal", "sangria"


@dataclass(frozen=True, slots=True)
class DrawerTotals:
    """What a shift adds up to, BRL; ``cash`` is net of change."""

    opening_float: Decimal
    cash: Decimal
    card: Decimal
    cash_refunded: Decimal
    supplied: Decimal
    withdrawn: Decimal
    cash_payments: int
    card_payments: int

    @property
    def expected_cash(self) -> Decimal:
        """Return what the drawer should hold."""
        return self.opening_float + self.cash - self.cash_refunded + self.supplied - self.withdrawn

"""What the other apps may use of inventory."""

from apps.inventory.errors import OutOfStockError
from apps.inventory.services import release_reserved, reserve, take_reserved

__all__ = ["OutOfStockError", "release_reserved", "reserve", "take_reserved"]

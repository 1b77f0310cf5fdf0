"""What the other apps may use of inventory."""

from apps.inventory.errors import OutOfStockError
from apps.inventory.services import (
    Change,
    mark_sold_out,
    out_of_stock,
    release_reserved,
    reserve,
    reserve_again,
    return_taken,
    take_reserved,
)

__all__ = [
    "Change",
    "OutOfStockError",
    "mark_sold_out",
    "out_of_stock",
    "release_reserved",
    "reserve",
    "reserve_again",
    "return_taken",
    "take_reserved",
]

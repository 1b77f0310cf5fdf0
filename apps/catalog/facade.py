"""What the other apps may use of catalog."""

from apps.catalog.models import STATIONS
from apps.catalog.queries import menu_snapshot, remembered_menu
from apps.catalog.services import clear_mark, hold_menu, set_mark, set_sold_out
from apps.catalog.snapshot import (
    ChoiceSnapshot,
    GroupSnapshot,
    MarkKind,
    MarkSnapshot,
    MenuSnapshot,
    OptionSnapshot,
    ProductSnapshot,
    SlotSnapshot,
)

__all__ = [
    "STATIONS",
    "ChoiceSnapshot",
    "GroupSnapshot",
    "MarkKind",
    "MarkSnapshot",
    "MenuSnapshot",
    "OptionSnapshot",
    "ProductSnapshot",
    "SlotSnapshot",
    "clear_mark",
    "hold_menu",
    "menu_snapshot",
    "remembered_menu",
    "set_mark",
    "set_sold_out",
]

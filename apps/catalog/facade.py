"""What the other apps may use of catalog."""

from apps.catalog.queries import menu_snapshot
from apps.catalog.snapshot import GroupSnapshot, MenuSnapshot, OptionSnapshot, ProductSnapshot

__all__ = ["GroupSnapshot", "MenuSnapshot", "OptionSnapshot", "ProductSnapshot", "menu_snapshot"]

"""App configuration."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.inventory"
    label = "inventory"
    verbose_name = "estoque"

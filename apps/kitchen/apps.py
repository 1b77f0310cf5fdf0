"""App configuration."""

from django.apps import AppConfig


class KitchenConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.kitchen"
    label = "kitchen"
    verbose_name = "cozinha"

"""App configuration."""

from django.apps import AppConfig


class StoresConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.stores"
    label = "stores"
    verbose_name = "lojas"

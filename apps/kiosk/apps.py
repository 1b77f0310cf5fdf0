"""App configuration."""

from django.apps import AppConfig


class KioskConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.kiosk"
    label = "kiosk"
    verbose_name = "totem"

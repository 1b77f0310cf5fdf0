"""App configuration."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.core"
    label = "core"
    verbose_name = "sistema"

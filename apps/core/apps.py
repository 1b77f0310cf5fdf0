"""App configuration."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.core"
    label = "core"
    verbose_name = "sistema"

    def ready(self) -> None:
        """Tell the schema's maker what it does not know by itself."""
        from apps.core import openapi  # noqa: F401, PLC0415 - known to the schema once it is loaded

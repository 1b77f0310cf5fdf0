"""App configuration."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.catalog"
    label = "catalog"
    verbose_name = "cardápio"

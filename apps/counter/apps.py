"""App configuration."""

from django.apps import AppConfig


class CounterConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.counter"
    label = "counter"
    verbose_name = "caixa"

"""App configuration."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.payments"
    label = "payments"

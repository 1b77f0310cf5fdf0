"""App configuration."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.orders"
    label = "orders"
    verbose_name = "pedidos"

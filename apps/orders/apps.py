"""App configuration."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.orders"
    label = "orders"
    verbose_name = "pedidos"

    def ready(self) -> None:
        """Tell customers what is kept of their orders."""
        from apps.customers.facade import tell_more  # noqa: PLC0415 - the models must be loaded first
        from apps.orders.queries import told_of  # noqa: PLC0415

        tell_more("orders", told_of)

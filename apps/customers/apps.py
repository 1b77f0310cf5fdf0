"""App configuration."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Registers the app under its short name, and its system check."""

    name = "apps.customers"
    label = "customers"
    verbose_name = "clientes"

    def ready(self) -> None:
        """Have the keys checked by every command."""
        from django.core import checks  # noqa: PLC0415 - the apps must be loaded first

        from apps.customers.checks import check_keys  # noqa: PLC0415

        checks.register(check_keys, checks.Tags.security)

"""App configuration."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Registers the app under its short name, its system check, and its way to sign in."""

    name = "apps.customers"
    label = "customers"
    verbose_name = "clientes"

    def ready(self) -> None:
        """Have the keys checked by every command, and let customers sign in where staff do."""
        from django.core import checks  # noqa: PLC0415 - the apps must be loaded first

        from apps.customers import openapi  # noqa: F401, PLC0415 - known to the schema once it is loaded
        from apps.customers.checks import check_keys  # noqa: PLC0415
        from apps.customers.tokens import issue_for  # noqa: PLC0415
        from apps.stores.facade import also_sign_in  # noqa: PLC0415

        also_sign_in(issue_for)
        checks.register(check_keys, checks.Tags.security)

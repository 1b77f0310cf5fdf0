"""App configuration."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.payments"
    label = "payments"

    def ready(self) -> None:
        """Tell orders which of theirs wait for the counter, and have the credentials checked by every command."""
        from django.core import checks  # noqa: PLC0415 - the apps must be loaded first

        from apps.orders.facade import tell_counter_apart  # noqa: PLC0415 - the models must be loaded first
        from apps.payments.checks import check_credentials  # noqa: PLC0415
        from apps.payments.queries import count_at_counter  # noqa: PLC0415

        checks.register(check_credentials, checks.Tags.security)
        tell_counter_apart(count_at_counter)

    verbose_name = "pagamentos"

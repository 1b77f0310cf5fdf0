"""App configuration of the project itself: it owns the commands and ties the apps together at start."""

from django.apps import AppConfig


class BreadmateConfig(AppConfig):
    """Compiles translations, loads Celery for ``shared_task``, hands the in-transaction subscribers to the event publisher."""

    name = "breadmate"

    def ready(self) -> None:
        """Tie the apps together once they are all loaded."""
        from django.conf import settings  # noqa: PLC0415 - as below

        from breadmate import translations  # noqa: PLC0415

        for folder in settings.LOCALE_PATHS:
            translations.compile_new(folder)
        import breadmate.celery  # noqa: F401, PLC0415 - the apps must be loaded first
        from apps.core import events  # noqa: PLC0415
        from breadmate import subscriptions  # noqa: PLC0415

        events.subscribe_in_transaction(subscriptions.IN_TRANSACTION)

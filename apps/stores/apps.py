"""App configuration."""

from django.apps import AppConfig


class StoresConfig(AppConfig):
    """Registers the app under its short name, and listens to signing in."""

    name = "apps.stores"
    label = "stores"
    verbose_name = "lojas"

    def ready(self) -> None:
        """Hear who signs in; forget what this process remembers when it changes it; let the schema know the credentials."""
        from django.contrib.auth import signals  # noqa: PLC0415 - the apps must be loaded first

        from apps.stores import openapi, queries, sign_in_trail  # noqa: F401, PLC0415 - openapi is known once it is loaded
        from apps.stores.models import Device, Store  # noqa: PLC0415

        signals.user_logged_in.connect(sign_in_trail.signed_in, dispatch_uid="sign_in_trail")
        signals.user_login_failed.connect(sign_in_trail.sign_in_failed, dispatch_uid="sign_in_trail")
        queries.devices.forget_changes_of(Device)
        queries.stores.forget_changes_of(Store)

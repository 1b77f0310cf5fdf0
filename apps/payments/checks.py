"""What must be right before a process may start."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from apps.payments import accounts

OF_THE_SIMULATOR = ("APP_USR-SIM", "breadmate-test-secret")
WHERE = "See docs/mercado-pago.md."


def check_credentials(**_: Any) -> list[CheckMessage]:
    """Refuse to start with keys that cannot be used, or in production with those of the simulator."""
    found: list[CheckMessage] = []
    try:
        accounts.ring.keys()
    except ImproperlyConfigured as problem:
        found.append(Error(str(problem), hint=WHERE, id="payments.E001"))
    if not (settings.MP_ACCESS_TOKEN.isascii() and settings.MP_ACCESS_TOKEN.isprintable()):
        found.append(Error("MP_ACCESS_TOKEN has characters no token has.", hint=WHERE, id="payments.E002"))
    if settings.MP_RATE <= 0 or settings.MP_WEB_CALLS <= 0:
        found.append(Error("MP_RATE and MP_WEB_CALLS must be above zero.", hint=WHERE, id="payments.E003"))
    if settings.PRODUCTION:
        told = [settings.MP_ACCESS_TOKEN, *settings.MP_WEBHOOK_SECRETS]
        if any(credential.startswith(OF_THE_SIMULATOR) for credential in told):
            found.append(Error("These are the simulator's credentials.", hint=WHERE, id="payments.E004"))
        if urlsplit(settings.MP_BASE_URL).scheme != "https":
            found.append(Error("MP_BASE_URL must be https.", hint=WHERE, id="payments.E005"))
    return found

"""What must be right before a process may start."""

from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from apps.customers import crypto


def check_keys(**_: Any) -> list[CheckMessage]:
    """Refuse to start without usable keys; production has no default ones."""
    found: list[CheckMessage] = []
    for setting, read, number in (("CUSTOMER_KEYS", crypto.keys, 1), ("CUSTOMER_INDEX_KEY", crypto.index_key, 2)):
        try:
            read()
        except ImproperlyConfigured as problem:
            found.append(Error(str(problem), hint=f"See docs/customers.md, {setting}.", id=f"customers.E{number:03d}"))
    return found

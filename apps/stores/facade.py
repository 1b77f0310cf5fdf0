"""What the other apps may use of stores."""

from apps.stores.admin_base import BOOKS, EVERYBODY, MANAGERS, OWNERS, HistoryAdmin, StoreAdmin, staff_of
from apps.stores.authentication import (
    actor_of,
    asked_kind,
    caller,
    device_from_cookie,
    device_from_header,
    enforce_csrf,
)
from apps.stores.permissions import may
from apps.stores.queries import (
    StoreFacts,
    actor_names,
    every_store,
    every_store_id,
    kiosks_of,
    remembered_store,
    store_by_id,
)

__all__ = [
    "BOOKS",
    "EVERYBODY",
    "MANAGERS",
    "OWNERS",
    "HistoryAdmin",
    "StoreAdmin",
    "StoreFacts",
    "actor_names",
    "actor_of",
    "asked_kind",
    "caller",
    "device_from_cookie",
    "device_from_header",
    "enforce_csrf",
    "every_store",
    "every_store_id",
    "kiosks_of",
    "may",
    "remembered_store",
    "staff_of",
    "store_by_id",
]

"""What the other apps may use of stores."""

from apps.stores.admin_base import (
    BOOKS,
    COUNTER,
    EVERYBODY,
    MANAGERS,
    OWNERS,
    HistoryAdmin,
    StoreAdmin,
    TrainingFilter,
    staff_of,
)
from apps.stores.authentication import (
    actor_of,
    asked_kind,
    caller,
    device_from_cookie,
    device_from_header,
    enforce_csrf,
    staff_signed_in,
)
from apps.stores.opening import Opening
from apps.stores.pages import page_version
from apps.stores.permissions import may, may_everywhere
from apps.stores.queries import (
    INTEGRATOR,
    StoreFacts,
    actor_names,
    every_store,
    every_store_id,
    is_training,
    kiosks_of,
    opening_of,
    packaging_fee_of,
    remembered_store,
    store_by_id,
    stores_among,
)
from apps.stores.tokens import Pair, also_sign_in

__all__ = [
    "BOOKS",
    "COUNTER",
    "EVERYBODY",
    "INTEGRATOR",
    "MANAGERS",
    "OWNERS",
    "HistoryAdmin",
    "Opening",
    "Pair",
    "StoreAdmin",
    "StoreFacts",
    "TrainingFilter",
    "actor_names",
    "actor_of",
    "also_sign_in",
    "asked_kind",
    "caller",
    "device_from_cookie",
    "device_from_header",
    "enforce_csrf",
    "every_store",
    "every_store_id",
    "is_training",
    "kiosks_of",
    "may",
    "may_everywhere",
    "opening_of",
    "packaging_fee_of",
    "page_version",
    "remembered_store",
    "staff_of",
    "staff_signed_in",
    "store_by_id",
    "stores_among",
]

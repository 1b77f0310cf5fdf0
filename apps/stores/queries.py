"""Reading credentials and stores."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from django.db import connection

from apps.core.facade import Actor, Grant, Memory, Role, User
from apps.stores.models import Device, IntegratorKey, OpeningException, OpeningHours, StaffRole, Store
from apps.stores.opening import Opening, Span
from apps.stores.services import USED_AT_MOST_EVERY, hashed, note_key_use

INTEGRATOR = "integrator"

DEVICE_SECONDS = 5.0
STORE_SECONDS = 5.0
MOST_SPANS = 100
MOST_EXCEPTIONS = 400
FIELDS = ("id", "code", "name", "timezone", "day_starts_at", "training")  # of ``StoreFacts``, in its order
FACTS = f"SELECT {', '.join(FIELDS)} FROM stores_store WHERE id = %s"  # noqa: S608 - nothing of it is told from outside


def device_actor(token: str) -> Actor | None:
    """Return the device that holds this token, or None. From memory, at most five seconds old, else one query."""
    return devices.get(hashed(token))


def _device_actor(token_hash: bytes) -> Actor | None:
    with connection.cursor() as cursor:  # not the ORM: a kiosk is asked for with almost each of its orders
        cursor.execute("SELECT id, kind, store_id FROM stores_device WHERE token_hash = %s", [token_hash])
        row = cursor.fetchone()
    if row is None:
        return None
    device_id, kind, store_id = row
    return Actor(kind="device", id=device_id, grants=frozenset({Grant(Role(kind), store_id)}))


def integrator_actor(secret: str, at: datetime) -> Actor | None:
    """Return the system that holds this key, with its scopes as roles; None when the key does not hold.

    One query, and one more every five minutes to remember the use.
    """
    key = IntegratorKey.objects.filter(secret_hash=hashed(secret), revoked_at=None, expires_at__gt=at).first()
    if key is None:
        return None
    if key.last_used_at is None or key.last_used_at <= at - USED_AT_MOST_EVERY:
        note_key_use(key_id=key.id, at=at)
    grants = frozenset(Grant(Role(scope), key.store_id) for scope in key.scopes)
    return Actor(kind=INTEGRATOR, id=key.id, grants=grants)


def active_user(user_id: UUID | None) -> User | None:
    """Return an account that may still sign in, or None. One query."""
    return User.objects.filter(pk=user_id, is_active=True).first() if user_id else None


def staff_actor(user_id: UUID) -> Actor | None:
    """Return a person with all their roles, or None when they have none. One query."""
    rows = StaffRole.objects.filter(user_id=user_id).values_list("role", "store_id")
    grants = frozenset(Grant(Role(role), store_id) for role, store_id in rows)
    return Actor(kind="staff", id=user_id, grants=grants) if grants else None


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What other apps need to know of a store."""

    id: UUID
    code: str
    name: str
    timezone: str
    day_starts_at: time
    training: bool


def store_by_id(store_id: UUID) -> StoreFacts | None:
    """Return one store, or None. One query."""
    with connection.cursor() as cursor:
        cursor.execute(FACTS, [store_id])
        row = cursor.fetchone()
    return StoreFacts(*row) if row else None


def opening_of(store_id: UUID) -> Opening:
    """Return when a store takes orders; one that does not exist is always open. Three queries."""
    return openings_of([store_id]).get(store_id) or Opening()


def openings_of(ids: Collection[UUID]) -> dict[UUID, Opening]:
    """Return when stores take orders, by id; unknown ids are left out. Three queries."""
    week: dict[UUID, dict[int, tuple[Span, ...]]] = defaultdict(lambda: defaultdict(tuple))
    hours = OpeningHours.objects.filter(store__in=ids).order_by("weekday", "opens_at")
    for row in hours[: MOST_SPANS * len(ids)]:
        week[row.store_id][row.weekday] += ((row.opens_at, row.closes_at),)
    days: dict[UUID, dict[date, tuple[Span, ...]]] = defaultdict(dict)
    exceptions = OpeningException.objects.filter(store__in=ids).order_by("-on")
    for day in exceptions[: MOST_EXCEPTIONS * len(ids)]:
        days[day.store_id][day.on] = ((day.opens_at, day.closes_at),) if day.opens_at and day.closes_at else ()
    stores = Store.objects.filter(id__in=ids).values_list("id", "timezone", "orders_paused_until")
    return {
        store_id: Opening(timezone=timezone, week=dict(week[store_id]), days=days[store_id], paused_until=paused_until)
        for store_id, timezone, paused_until in stores
    }


def packaging_fee_of(store_id: UUID) -> Decimal:
    """Return what a store adds to an order to take away, BRL; 0 for one that does not exist. One query."""
    found = Store.objects.filter(id=store_id).values_list("packaging_fee", flat=True).first()
    return found if found is not None else Decimal("0.00")


def every_store() -> list[StoreFacts]:
    """Return all stores of the chain, by their code. One query."""
    return [StoreFacts(**row) for row in Store.objects.order_by("code").values(*FIELDS)]


def kiosks_of(store_id: UUID) -> dict[UUID, str]:
    """Return a store's kiosks that are in service, by id, with their names. One query."""
    kiosks = Device.objects.filter(store_id=store_id, kind=Role.KIOSK, revoked_at=None)
    return dict(kiosks.order_by("name").values_list("id", "name"))


def remembered_store(store_id: UUID) -> StoreFacts | None:
    """Return one store, or None. From memory, at most five seconds old, else one query."""
    return stores.get(store_id)


def is_training(store_id: UUID) -> bool:
    """Tell whether nothing in a store is real. From memory, else one query; how old does not matter, for it never changes."""
    store = remembered_store(store_id)
    return store is not None and store.training


def stores_among(ids: frozenset[UUID] | None) -> list[StoreFacts]:
    """Return stores by name; None means all of the chain. One query."""
    rows = Store.objects.order_by("name", "id").values(*FIELDS)
    return [StoreFacts(**row) for row in (rows if ids is None else rows.filter(id__in=ids))]


def actor_names(*, staff: set[UUID], devices: set[UUID]) -> dict[UUID, str]:
    """Return how people and devices are called, by id; unknown ids are left out. Two queries."""
    names = {device.id: device.name for device in Device.objects.filter(id__in=devices)}
    roles = StaffRole.objects.filter(user_id__in=staff).select_related("user")
    return names | {role.user.id: role.user.name for role in roles}


def every_store_id() -> list[UUID]:
    """Return the ids of all stores of the chain."""
    return list(Store.objects.values_list("id", flat=True))


devices = Memory(_device_actor, seconds=DEVICE_SECONDS)
stores = Memory(store_by_id, seconds=STORE_SECONDS)

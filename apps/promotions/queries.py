"""Which offers hold at a store now."""

from collections.abc import Iterable
from datetime import datetime, time
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from apps.core.facade import Memory
from apps.promotions.errors import CouponRefusedError, used_up
from apps.promotions.models import Coupon, Promotion
from apps.promotions.rules import Kind, Offer, within_hours

MOST_OFFERS = 200
MOST_REMEMBERED = 1000
REMEMBERED_SECONDS = 1.0


NOT_OVER = """
    SELECT id, name, kind, value, product_id, category_id, from_time, to_time, starts_at, ends_at
    FROM promotions_promotion
    WHERE (store_id IS NULL OR store_id = %s) AND (ends_at IS NULL OR ends_at > now()) AND active
    ORDER BY id LIMIT %s
"""


class _Row(NamedTuple):
    """What of a promotion is remembered. Read without the ORM: each checkout of a quiet store asks."""

    id: UUID
    name: str
    kind: str
    value: Decimal
    product_id: UUID | None
    category_id: UUID | None
    from_time: time | None
    to_time: time | None
    starts_at: datetime | None
    ends_at: datetime | None


def _at_store(store_id: UUID) -> Q:
    return Q(store=None) | Q(store_id=store_id)


def _by_date(at: datetime) -> Q:
    return (Q(starts_at=None) | Q(starts_at__lte=at)) & (Q(ends_at=None) | Q(ends_at__gt=at))


def offers_at(store_id: UUID, timezone: str, at: datetime) -> list[Offer]:
    """Return the promotions that hold at a store at a moment, at most ``MOST_OFFERS``. One query."""
    rows = Promotion.objects.filter(_at_store(store_id), _by_date(at), active=True).order_by("id")[:MOST_OFFERS]
    return _offers(rows, timezone, at)


def remembered_offers(store_id: UUID, timezone: str, at: datetime) -> list[Offer]:
    """Return what ``offers_at`` does, from rows that this process read at most a second ago."""
    rows = promotions.get(store_id) or ()
    begun = [row for row in rows if (row.starts_at is None or row.starts_at <= at)]
    return _offers([row for row in begun if row.ends_at is None or row.ends_at > at][:MOST_OFFERS], timezone, at)


def _promotions(store_id: UUID) -> tuple["_Row", ...]:
    """Return the promotions a store has that are not over, whether they have begun or not."""
    with connection.cursor() as cursor:
        cursor.execute(NOT_OVER, [store_id, MOST_REMEMBERED])
        return tuple(_Row(*row) for row in cursor.fetchall())


def _offers(rows: "Iterable[Promotion | _Row]", timezone: str, at: datetime) -> list[Offer]:
    local = at.astimezone(ZoneInfo(timezone))
    return [
        Offer(
            id=row.id,
            name=row.name,
            kind=Kind(row.kind),
            value=row.value,
            product=row.product_id,
            category=row.category_id,
        )
        for row in rows
        if within_hours(row.from_time, row.to_time, local)
    ]


def coupon_offer(code: str, store_id: UUID, at: datetime) -> Offer:
    """Return what a typed code takes off. Two queries; whether a use is left is decided again by the checkout.

    Raises:
        CouponRefusedError: no such code here, not at this time, or used up.
    """
    coupon = Coupon.objects.filter(_at_store(store_id), code=code.strip().upper(), active=True).first()
    if coupon is None:
        raise CouponRefusedError("unknown", "Este cupom não existe nesta loja.")
    if not Coupon.objects.filter(_by_date(at), pk=coupon.pk).exists():
        raise CouponRefusedError("not_now", "Este cupom não vale hoje.")
    if coupon.use_limit is not None and coupon.used >= coupon.use_limit:
        raise used_up()
    return Offer(id=coupon.id, name=coupon.name, kind=Kind(coupon.kind), value=coupon.value)


promotions = Memory(_promotions, seconds=REMEMBERED_SECONDS)

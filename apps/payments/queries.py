"""Reading charges."""

from collections.abc import Collection
from uuid import UUID

from apps.payments.models import Charge
from apps.payments.rules import OPEN, Method


def count_at_counter(charge_ids: Collection[UUID]) -> int:
    """Return how many of these charges wait to be paid at the counter. One query."""
    return Charge.objects.filter(id__in=charge_ids, method=Method.COUNTER, state__in=OPEN).count()

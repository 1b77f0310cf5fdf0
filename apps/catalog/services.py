"""Changing the menu."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.catalog.models import MenuVersion
from apps.contracts.events import MenuChanged
from apps.core.facade import publish


@transaction.atomic
def menu_changed(*, store_ids: Iterable[UUID], at: datetime) -> None:
    """Raise the menu version of these stores, in the transaction of the change itself.

    Locks: the version rows in the order of their stores, until commit. Emits: ``MenuChanged`` for each.
    """
    for store_id in sorted(set(store_ids)):
        row, is_new = MenuVersion.objects.get_or_create(store_id=store_id)
        if not is_new:
            MenuVersion.objects.filter(store_id=store_id).update(value=F("value") + 1)
            row.refresh_from_db()
        publish(MenuChanged(subject=store_id, store=store_id, seq=row.value, at=at))

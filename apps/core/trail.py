"""The audit trail: what staff write, written down in the same transaction. Devices, guests and clocks leave their own tracks."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, models

from apps.core import request_ids
from apps.core.actors import Actor
from apps.core.events import OutsideTransactionError
from apps.core.models import AuditEntry

LONGEST_VALUE = 300
Change = dict[str, Any]


def record(
    *,
    by: Actor,
    action: str,
    at: datetime,
    subject: models.Model | None = None,
    store_id: UUID | None = None,
    changes: Iterable[Change] = (),
) -> None:
    """Write down what a member of staff did; what anybody else does leaves nothing here.

    Args:
        action: ``app.verb``; the page of the trail has a sentence for each.
        store_id: the store it concerns; None for what all stores share.

    Raises:
        OutsideTransactionError: there is no open transaction that the write and its entry could share.
    """
    if by.kind != "staff":
        return
    if not connection.in_atomic_block:
        raise OutsideTransactionError(action)
    AuditEntry.objects.create(
        at=at,
        actor_id=by.id,
        store_id=store_id,
        action=action,
        subject_type=subject._meta.label_lower if subject is not None else "",  # noqa: SLF001 - Django's public API
        subject_id=subject.pk if subject is not None else None,
        changes=list(changes),
        request_id=request_ids.current.get(),
    )


def change(model: type[models.Model], field: str, was: Any, now: Any) -> Change:
    """Say how one column changed, without a word of what is personal in it."""
    if _is_personal(model, field):
        return {"field": field, "changed": True}
    return {"field": field, "from": _plain(was), "to": _plain(now)}


def values_of(row: models.Model, fields: Iterable[str]) -> dict[str, Any]:
    """Take down columns before they change, for ``differences``."""
    return {field: getattr(row, field) for field in fields}


def differences(row: models.Model, before: Mapping[str, Any]) -> list[Change]:
    """Say which of the columns taken down have another value now."""
    now = values_of(row, before)
    return [change(type(row), field, was, now[field]) for field, was in before.items() if was != now[field]]


def _is_personal(model: type[models.Model], field: str) -> bool:
    """Tell whether a column says something of a person, or points at one."""
    if field in getattr(model, "PERSONAL", frozenset()):
        return True
    related = {column.name: column.related_model for column in model._meta.get_fields()}.get(field)  # noqa: SLF001 - Django's public API
    return bool(getattr(related, "PERSONAL", frozenset()))


def _plain(value: Any) -> Any:
    """Make a value JSON can hold; rows are called by their names."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset | models.QuerySet):
        return [_plain(each) for each in value]
    return str(value)[:LONGEST_VALUE]

"""Lists in pages that stay right while rows come and go: a page begins after the last row of the one before (keyset)."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.request import Request

from apps.core.errors import InvalidError

M = TypeVar("M", bound=Model)

MOST_A_PAGE = 200
USUAL_A_PAGE = 50
NEXT, PREVIOUS = "n", "p"
NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of rows in order, and the addresses of its neighbours."""

    rows: list[M]
    next: str | None
    previous: str | None


def page(request: Request, rows: "QuerySet[M]", *columns: str, newest_first: bool = False) -> Page[M]:
    """Return the page asked for by ``cursor`` and ``page_size``. One query.

    Args:
        columns: the order of the list; together they are unique.
        newest_first: every column falls instead of rising.

    Raises:
        InvalidError: the cursor is not one of ours, or the size is not a number.
    """
    size = _size(request.query_params.get("page_size"))
    direction, edge = _read(request.query_params.get("cursor"), rows.model, columns)
    back = direction == PREVIOUS
    if edge is not None:
        rows = rows.filter(_beyond(columns, edge, "lt" if back != newest_first else "gt"))
    found = list(rows.order_by(*(f"-{name}" if back != newest_first else name for name in columns))[: size + 1])
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    has_next = bool(found) and (more or back)
    has_previous = bool(found) and (more if back else edge is not None)
    return Page(
        rows=found,
        next=_address(request, NEXT, found[-1], columns) if has_next and (not back or edge is not None) else None,
        previous=_address(request, PREVIOUS, found[0], columns) if has_previous else None,
    )


def _size(asked: str | None) -> int:
    if asked is None:
        return USUAL_A_PAGE
    if not NUMBER.fullmatch(asked):
        raise _refused("page_size", "Informe um número a partir de 1.")
    return min(int(asked), MOST_A_PAGE)


def _beyond(columns: tuple[str, ...], edge: list[Any], compare: str) -> Q:
    """Say "after this row" column by column: a > x, or a = x and b > y."""
    beyond, same = Q(), Q()
    for name, value in zip(columns, edge, strict=True):
        beyond |= same & Q(**{f"{name}__{compare}": value})
        same &= Q(**{name: value})
    return beyond


def _read(cursor: str | None, model: type[Model], columns: tuple[str, ...]) -> tuple[str, list[Any] | None]:
    if cursor is None:
        return NEXT, None
    try:
        direction, *told = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        fields: list[Field[Any, Any]] = [model._meta.get_field(name) for name in columns]  # type: ignore[misc]  # noqa: SLF001 - plain columns; Django's documented API
        edge = [field.clean(value, None) for field, value in zip(fields, told, strict=True)]
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error, ValidationError):
        direction, edge = "", None
    if edge is None or direction not in (NEXT, PREVIOUS):
        raise _refused("cursor", "Comece a lista do início.")
    return direction, edge


def _address(request: Request, direction: str, row: Model, columns: tuple[str, ...]) -> str:
    told = [direction, *(str(row.serializable_value(name)) for name in columns)]
    asked = request.query_params.copy()
    asked["cursor"] = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
    return request.build_absolute_uri(f"{request.path}?{asked.urlencode()}")


def _refused(field: str, detail: str) -> InvalidError:
    return InvalidError("Confira os campos indicados.", errors=[{"field": field, "code": "invalid", "detail": detail}])

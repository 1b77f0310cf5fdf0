# ruff: noqa: SLF001 - a model's own account of its table, ``_meta``, is Django's documented API in spite of its name
"""Whole rows read and written by statements of our own, for the paths that every order takes.

The ORM needs four times as long to write such a statement as Postgres to answer it. The text is the same each time, so that
a connection plans it once. Nothing here is for rows whose changes somebody listens to by Django's signals.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, LiteralString, TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.models import Field, Model
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a model lies in its table."""

    select: str
    insert: str
    places: str
    names: tuple[str, ...]
    fields: "tuple[Field[Any, Any], ...]"
    converted: "tuple[tuple[int, Any], ...]"  # places of fields that read what the driver gives in their own way


@cache
def _shape(model: type[Model]) -> _Shape:
    fields = tuple(model._meta.concrete_fields)
    columns = ", ".join(f'"{field.column}"' for field in fields)
    table = f'"{model._meta.db_table}"'
    return _Shape(
        select=f"SELECT {columns} FROM {table} ",  # noqa: S608 - names of our own models
        insert=f"INSERT INTO {table} ({columns}) VALUES ",  # noqa: S608 - names of our own models
        places=f"({', '.join(['%s'] * len(fields))})",
        names=tuple(field.attname for field in fields),
        fields=fields,
        converted=tuple((at, field) for at, field in enumerate(fields) if hasattr(field, "from_db_value")),
    )


@cache
def _update(model: type[Model], names: tuple[str, ...]) -> "tuple[str, tuple[Field[Any, Any], ...]]":
    key: Any = model._meta.pk
    others = [field for field in model._meta.concrete_fields if field is not key]
    wanted = tuple(field for field in others if not names or field.attname in names)
    if names and len(wanted) != len(names):
        raise ValueError(f"{model.__name__} has no fields {sorted(set(names) - {field.attname for field in wanted})}")
    written = ", ".join(f'"{field.column}" = %s' for field in wanted)
    return f'UPDATE "{model._meta.db_table}" SET {written} WHERE "{key.column}" = %s', wanted  # noqa: S608 - our own names


def read(model: type[M], rest: LiteralString, params: Sequence[Any]) -> list[M]:
    """Return the rows of a model that ``rest`` names, which is all after ``FROM`` and its table: ``WHERE id = %s FOR UPDATE``.

    Several values go in as one: ``= ANY(%s)`` with a list, so that the text does not depend on how many.

    Raises:
        TransactionManagementError: a lock is asked for where no transaction would hold it.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if "FOR UPDATE" in rest and not connection.in_atomic_block:
        raise TransactionManagementError(f"{model.__name__} would be locked outside a transaction")
    shape = _shape(model)
    with connection.cursor() as cursor:
        cursor.execute(shape.select + rest, params)
        rows = cursor.fetchall()
    if shape.converted:
        rows = [_converted(row, shape) for row in rows]
    return [model.from_db(DEFAULT_DB_ALIAS, shape.names, row) for row in rows]


def read_one(model: type[M], rest: LiteralString, params: Sequence[Any]) -> M | None:
    """Return the first row that ``read`` finds, or None."""
    rows = read(model, rest, params)
    return rows[0] if rows else None


def insert(*rows: Model) -> None:
    """Write new rows of one model in one statement; whatever the database decides by itself is not read back.

    Few at once: there is a text for every number of them.

    Raises:
        IntegrityError: as ``save`` would.
    """
    if not rows:
        return
    shape, connection = _shape(type(rows[0])), connections[DEFAULT_DB_ALIAS]
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection) for row in rows for field in shape.fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(shape.insert + ", ".join([shape.places] * len(rows)), values)
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # as ``save`` does


def update(row: Model, names: Collection[str] = ()) -> None:
    """Write some fields, by their ``attname``, of a row that is there; all of them when none is named.

    Raises:
        DatabaseError: it is not there.
        ValueError: it has no such fields.
    """
    text, fields = _update(type(row), tuple(names))
    connection = connections[DEFAULT_DB_ALIAS]
    values = [field.get_db_prep_save(field.pre_save(row, add=False), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(text, [*values, row.pk])
        if not cursor.rowcount:
            raise DatabaseError(f"{type(row).__name__} {row.pk} is not there")


def _converted(row: tuple[Any, ...], shape: _Shape) -> tuple[Any, ...]:
    told = list(row)
    for at, field in shape.converted:
        told[at] = field.from_db_value(told[at], None, connections[DEFAULT_DB_ALIAS])
    return tuple(told)

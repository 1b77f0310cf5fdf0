"""A table is written by its own app, in SQL too; the one exception is listed in ADR-0010."""

import re
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = ROOT / "apps" / "orders" / "sql" / "checkout.sql"
DECISION = ROOT / "docs" / "adr" / "0010-checkout-in-sql.md"
WRITES = re.compile(r"\b(?:INSERT\s+INTO|UPDATE(?!\s+SET)|DELETE\s+FROM|TRUNCATE)\s+(?:ONLY\s+)?([a-z]+_[a-z_]+)")
OWNER = {
    model._meta.db_table: model._meta.app_label
    for model in apps.get_models(include_auto_created=True)
    if model.__module__.startswith("apps.")
}


def written(text: str) -> set[str]:
    return set(WRITES.findall(text)) & OWNER.keys()


def foreign_writes(file: Path, text: str) -> set[str]:
    app = file.relative_to(ROOT / "apps").parts[0]
    return {table for table in written(text) if OWNER[table] != app}


FILES = sorted(
    file
    for ending in ("*.py", "*.sql")
    for file in (ROOT / "apps").rglob(ending)
    if file != CHECKOUT and "migrations" not in file.parts
)


def test_no_app_writes_anothers_table_by_sql() -> None:
    assert {file.name: found for file in FILES if (found := foreign_writes(file, file.read_text()))} == {}


def test_checkout_writes_exactly_the_tables_its_decision_lists() -> None:
    rows = [line.split("|")[1] for line in DECISION.read_text().splitlines() if line.startswith("| `")]

    assert {table for row in rows for table in re.findall(r"`(\w+)`", row)} == written(CHECKOUT.read_text())


@pytest.mark.parametrize(
    "statement",
    ["UPDATE inventory_stocklevel level SET", "INSERT INTO core_storedevent\n (id", "DELETE FROM customers_customer c"],
)
def test_the_check_sees_a_foreign_write(statement: str) -> None:
    assert len(foreign_writes(ROOT / "apps" / "orders" / "queries.py", f'"{statement}"')) == 1

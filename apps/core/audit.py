"""Rules that must hold over the whole database, each checkable at any moment (``manage.py audit_invariants``)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection
from django.utils.module_loading import autodiscover_modules

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule: its id, what it says, and a query that returns the rows breaking it."""

    id: str
    rule: str
    check: Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one rule stands; at most ``MOST_SHOWN`` violations are listed."""

    id: str
    rule: str
    violations: list[str]


_registered: dict[str, Invariant] = {}


def sql_invariant(id_: str, rule: str, query: str) -> None:
    """Register a rule as a query over the breaking rows; its first column names the row."""

    def check() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return [" ".join(str(value) for value in row) for row in cursor.fetchmany(MOST_SHOWN)]

    if id_ in _registered and _registered[id_].rule != rule:
        raise ValueError(id_)
    _registered[id_] = Invariant(id=id_, rule=rule, check=check)


def audit() -> Iterator[Verdict]:
    """Check every registered rule, in the order of their ids."""
    autodiscover_modules("invariants")
    for _, invariant in sorted(_registered.items()):
        yield Verdict(id=invariant.id, rule=invariant.rule, violations=invariant.check())

"""Documents made from the code, so that they cannot disagree with it; a test compares the files."""

from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TypeVar

import apps
from apps.contracts import events
from apps.core.errors import DomainError
from apps.orders.rules import MOVES, Status

T = TypeVar("T")

DOCS = Path(__file__).resolve().parent.parent / "docs"


def order_life() -> str:
    """Draw the life of an order from its table of moves."""
    arrows = [
        f"    {source.code} --> {target.code}: {kind.value}"
        for kind, steps in MOVES.items()
        for source, targets in steps.items()
        for target in targets
    ]
    labels = [f"| `{status.code}` | {status.label} |" for status in Status]
    return "\n".join(
        [
            "# The life of an order",
            "",
            "Made from `apps/orders/rules.py` by `manage.py write_docs`.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> awaiting_payment",
            *arrows,
            "```",
            "",
            "| status | what guests and cooks read |",
            "|---|---|",
            *labels,
            "",
        ]
    )


def event_list() -> str:
    """List the events with what each carries beside its envelope."""
    own = {field.name for field in fields(events.Event)}
    rows = []
    for cls in vars(events).values():
        if not (isinstance(cls, type) and issubclass(cls, events.Event) and cls.type):
            continue
        carried = ", ".join(f"`{field.name}`" for field in fields(cls) if field.name not in own) or "nothing"
        summary = (cls.__doc__ or "").strip().splitlines()[0]
        rows.append(f"| `{cls.type}` | {carried} | {summary} |")
    head = [
        "# Events",
        "",
        "Made from `apps/contracts/events.py` by `manage.py write_docs`. Every event also carries id, type, version,",
        "occurred_at, store, subject, seq and correlation_id; `seq` is the subject's version after the change.",
        "",
        "| type | carries | when |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *sorted(rows), ""])


def error_list() -> str:
    """List every refusal with its code and status."""
    for module in walk_packages(apps.__path__, "apps."):
        if ".migrations" not in module.name:
            import_module(module.name)  # a refusal is known once its module is
    rows = {
        f"| `{cls.code}` | {cls.status} | {cls.title} | {(cls.__doc__ or '').strip().splitlines()[0]} |"
        for cls in subclasses(DomainError)
        if cls.__module__.startswith("apps.")
    }
    head = [
        "# Errors",
        "",
        "Made from the code by `manage.py write_docs`. Every refusal is `application/problem+json` with these codes;",
        "`title` and `detail` are for people, in Brazilian Portuguese.",
        "",
        "| code | status | title | when |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *sorted(rows), ""])


def subclasses(cls: type[T]) -> Iterator[type[T]]:
    """Yield every class below one, each once."""
    for below in cls.__subclasses__():
        yield below
        yield from subclasses(below)


MADE = {"order-life.md": order_life, "events.md": event_list, "errors.md": error_list}

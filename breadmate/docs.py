"""Documents made from the code, so that they cannot disagree with it; a test compares the files."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TypeVar

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

import apps
from apps.contracts import events
from apps.core.errors import DomainError
from apps.orders.rules import MOVES, Status
from apps.payments.rules import RANK, REFUND_MOVES, Cause, RefundState, State

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


WHERE_IT_IS = {
    State.CREATING: "with the guest; the provider is being asked for a code",
    State.QUEUED: "with the guest; the provider was away and is asked again",
    State.PENDING: "with the guest, who sees a code or stands at the counter",
    State.CLOSING: "with the guest; the code is being closed at the provider, and what is paid on it nevertheless goes back",
    State.EXPIRED: "with the guest; the code has run out",
    State.CANCELLED: "with the guest; the code was closed",
    State.FAILED: "with the guest; the provider refused the charge",
    State.MISMATCH: "with the shop, but not as asked: the order is flagged, and staff decide",
    State.APPROVED: "with the shop; the order was made for it",
    State.LATE: "with the shop, owed to the guest: a refund is on its way",
    State.PARTIALLY_REFUNDED: "part with the shop, part back with the guest",
    State.REFUNDED: "back with the guest, all of it",
    State.CHARGED_BACK: "taken back by the guest's bank: the order is flagged",
}


def money() -> str:
    """Say where each real can be, from the ranks of charges and the moves of refunds."""
    charges = [f"| {rank} | `{state.value}` | {state.label} | {WHERE_IT_IS[state]} |" for state, rank in RANK.items()]
    arrows = [f"    {source} --> {target}" for source, targets in REFUND_MOVES.items() for target in targets]
    refunds = [f"| `{state.value}` | {state.label} |" for state in RefundState]
    causes = [f"| `{cause.value}` | {cause.label} |" for cause in Cause]
    return "\n".join(
        [
            "# Where each real can be",
            "",
            "Made from `apps/payments/rules.py` by `manage.py write_docs`.",
            "",
            "## Charges",
            "",
            "One charge is one attempt to be paid for one order. Its rank only rises, so late, doubled or reordered news",
            "change nothing. At most one charge pays an order (`pays_order`); every other real that comes in goes back.",
            "",
            "| rank | state | what staff read | where the money is |",
            "|---|---|---|---|",
            *charges,
            "",
            "## Refunds",
            "",
            "A refund is owed in the transaction that owes it and sent by the engine with its own key and always the same",
            "bytes. What the provider gave back without us is a row too: the done rows add up to the charge's",
            "`refunded_amount`. Money taken at the counter is handed back by whoever asks, so it is done at once.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> queued",
            *arrows,
            "```",
            "",
            "| state | what staff read |",
            "|---|---|",
            *refunds,
            "",
            "| cause | what staff read |",
            "|---|---|",
            *causes,
            "",
            "A refused refund flags its order and waits in the back office under *Devoluções*; it can be tried again with its",
            "own key. A voided item gives back what it cost after its share of all discounts, in proportion to what each item",
            "cost; the shares of an order add up to its total less its packaging, to the cent. Packaging goes back",
            "only with the whole order.",
            "",
        ]
    )


def requirements() -> str:
    """Lay out ``requirements.toml``: what was asked for, what became of it, and the test or decision that says so."""
    parts = tomllib.loads((DOCS / "requirements.toml").read_text())["part"]
    states = Counter(line["state"] for part in parts for line in part["line"])
    counted = ", ".join(f"{states[state]} {state}" for state in ("built", "replaced", "later", "declined"))
    rows = [
        "# What was asked for",
        "",
        "Made from `docs/requirements.toml` by `manage.py write_docs`. Every test named here exists and runs in `./test`, a few",
        "long ones in `make test-faults`.",
        "",
        f"Of the lines of the documents BreadMate came from: {counted}.",
    ]
    for part in parts:
        rows += ["", f"## {part['title']}", "", "| asked | became | where, and what shows it |", "|---|---|---|"]
        for line in part["line"]:
            shown = [line["where"]] if "where" in line else []
            shown += [f"`{test.rpartition('::')[2]}`" for test in line.get("tests", ())]
            if "adr" in line:
                page = next((DOCS / "adr").glob(f"{line['adr']}-*"))
                shown.append(f"[decision {line['adr']}](adr/{page.name})")
            if "note" in line:
                shown.append(line["note"])
            rows.append(f"| {line['asked']} | {line['state']} | {'; '.join(shown)} |")
    return "\n".join([*rows, ""])


def schema() -> str:
    """Write the API's schema, from which clients are made."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    return bytes(OpenApiYamlRenderer().render(document, renderer_context={})).decode()


MADE = {
    "money.md": money,
    "order-life.md": order_life,
    "events.md": event_list,
    "errors.md": error_list,
    "requirements.md": requirements,
    "schema.yml": schema,
}

"""How long a request has waited for a thread; told by the server's worker, read by ``shedding``. Needs no Django."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wait:
    """How it stood with a request when a thread took it: seconds it had waited, how many still do, threads there are."""

    seconds: float = 0.0
    behind: int = 0
    threads: int = 1


wait: ContextVar[Wait] = ContextVar("wait", default=Wait())  # noqa: B039 - it is frozen
"""Of the present request."""

"""What requests are worth, in which order they get a thread, and how long each has waited for one. Needs no Django.

The server's worker (``gunicorn``) keeps the order and tells the wait; ``shedding`` refuses by it.
"""

import enum
import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

API = "/api/v1/"
READING = ("GET", "HEAD", "OPTIONS")
ALWAYS = ("/health", "/static/", "/favicon")
SPARE = ("/admin", f"{API}schema", f"{API}docs", f"{API}users/me/export", f"{API}inventory")
ASKED_BEFORE_BUYING = (f"{API}orders/quote", f"{API}users", f"{API}auth", f"{API}devices/pair", "/demo/")
CHEAP = f"{API}menu"  # memory holds it nearly always
HEAD_START_SECONDS = 0.6


class Kind(enum.Enum):
    """What a request is worth, and which share of the longest wait it may have had. Declared from first to last refused."""

    SPARE = 0.25  # reports, exports, the back office's pages
    READ = 0.5  # polls, pages, menus that memory does not hold
    QUOTE = 0.75  # what comes before an order
    WORK = 1.0  # orders, payments, notifications of payments, the kitchen's and the counter's taps


def kind_of(method: str, path: str) -> Kind | None:
    """Tell what a request is worth; None for what is always answered."""
    if path.startswith(ALWAYS):
        return None
    if method in READING:
        return Kind.SPARE if path.startswith(SPARE) else Kind.READ
    return Kind.QUOTE if path.startswith(ASKED_BEFORE_BUYING) else Kind.WORK


def kind_told(head: bytes) -> Kind | None:
    """Tell by its first bytes what a request is worth; None also for what memory answers, and for what says nothing yet."""
    method, _, rest = head.decode("latin-1").partition(" ")
    return kind_of(method, rest) if rest and not rest.startswith(CHEAP) else None


def gives_way_seconds(kind: Kind | None) -> float:
    """Tell how much later than an order a request could have come and still have its turn with it.

    So what is worth less waits longer when there is much to do, and never for ever.
    """
    return HEAD_START_SECONDS * (1.0 - kind.value) if kind else 0.0


@dataclass(frozen=True, slots=True)
class Wait:
    """How it stood with a request when a thread took it: seconds it had waited, how many still do, threads there are."""

    seconds: float = 0.0
    behind: int = 0
    threads: int = 1


wait: ContextVar[Wait] = ContextVar("wait", default=Wait())  # noqa: B039 - it is frozen
"""Of the present request."""


def is_refused(kind: Kind, wait: Wait, *, longest_seconds: float) -> bool:
    """Decide on one request.

    A wait alone says nothing: a machine that stood still for a moment has kept few waiting. Only while more wait than there
    are threads is the process behind.
    """
    return wait.behind >= wait.threads and wait.seconds > kind.value * longest_seconds


@dataclass(order=True, slots=True)
class _Turn:
    """Work that waits; the number keeps what is due at the same time in the order it came."""

    due: float
    number: int
    work: Callable[[], Any] | None = field(compare=False)
    done: "Future[Any]" = field(compare=False)


class Turns:
    """Threads that do first what is due first; for a worker what an executor is."""

    def __init__(self, threads: int) -> None:
        self._turns: queue.PriorityQueue[_Turn] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._threads = [threading.Thread(target=self._run, name=f"turn-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], Any], due: float) -> "Future[Any]":
        """Do something when its turn has come; ``due`` is on any clock, as long as it is always the same."""
        turn = _Turn(due, next(self._numbers), work, Future())
        self._turns.put(turn)
        return turn.done

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002 - as an executor's
        """Let the threads end when nothing waits any more."""
        for _ in self._threads:
            self._turns.put(_Turn(float("inf"), next(self._numbers), None, Future()))
        if wait:
            for thread in self._threads:
                thread.join()

    def _run(self) -> None:
        while (turn := self._turns.get()).work is not None:
            if not turn.done.set_running_or_notify_cancel():
                continue
            try:
                turn.done.set_result(turn.work())
            except BaseException as problem:  # noqa: BLE001 - it is told to whoever waits for it
                turn.done.set_exception(problem)

"""The parts put together: one seller world behind one lock."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from ops.mpsim.agenda import Agenda
from ops.mpsim.clock import CHANCE, Clock
from ops.mpsim.errors import ApiError, bad_value
from ops.mpsim.faults import Faults, RateLimit
from ops.mpsim.idempotency import Keys
from ops.mpsim.journal import Journal
from ops.mpsim.state import Book, NewOrder, Order, Refund
from ops.mpsim.webhooks import Courier, Policy, is_span

FIRST_USER_ID = 1403498245

Place = dict[str, object]
"""A store or a point of sale, as it is answered."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Switches of the emulated API; ``POST /_sim/settings`` changes them while it runs."""

    refund_mode: str = "sync"
    refund_delay_s: float = 5
    partial_refunds: bool = True
    lenient_amounts: bool = False
    latency_ms: tuple[int, int] = (0, 0)
    rate_limit_rps: float = 0
    auto_pay_s: tuple[float, ...] = ()
    get_max_age_days: float = 90

    def __post_init__(self) -> None:
        if self.refund_mode not in ("sync", "async"):
            raise bad_value("refund_mode is sync or async", "refund_mode")
        if not is_span(self.latency_ms):
            raise bad_value("latency_ms is [shortest, longest]", "latency_ms")
        if self.auto_pay_s and not is_span(self.auto_pay_s):
            raise bad_value("auto_pay_s is [] or [shortest, longest]", "auto_pay_s")


@dataclass(frozen=True, slots=True)
class Setup:
    """What the simulator starts with, and returns to on reset."""

    tokens: tuple[str, ...] = ("APP_USR-SIM-1",)
    pos: tuple[str, ...] = ()
    secret: str = "breadmate-test-secret"  # noqa: S105 - public, for tests only
    policy: Policy = field(default_factory=Policy)
    settings: Settings = field(default_factory=Settings)


class Simulator:
    """Orders, places, keys, faults and webhooks of all the simulator's sellers."""

    def __init__(self, setup: Setup, clock: Clock | None = None) -> None:
        self.setup = setup
        self.settings = setup.settings
        self.clock = clock or Clock()
        self.agenda = Agenda(self.clock)
        self.journal = Journal(self.clock)
        self.keys = Keys(self.clock.now)
        self.faults = Faults()
        self.rate_limit = RateLimit()
        self.courier = Courier(self.clock, self.agenda, self.journal, secret=setup.secret, policy=setup.policy)
        self.users = {token: FIRST_USER_ID + index for index, token in enumerate(setup.tokens)}
        self.stopping = threading.Event()
        self._lock = threading.RLock()
        self._woken_for: datetime | None = None
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._woken_for = None
        self.book = Book(self.clock.now, self.courier.publish)
        self.stores: dict[tuple[int, str], Place] = {}
        self.pos: dict[tuple[int, str], Place] = {}
        for user_id in self.users.values():
            for number, external_id in enumerate(self.setup.pos):
                self.pos[user_id, external_id] = {
                    "id": 2711382 + number,
                    "status": "active",
                    "external_id": external_id,
                }

    def start(self) -> None:
        """Start the threads that make time pass and send webhooks."""
        self.agenda.start()
        self.courier.start()
        with self.orders():
            pass  # sets the alarm for orders that came from a snapshot

    def stop(self) -> None:
        """End them; what waits on the simulator gives up."""
        self.stopping.set()
        self.agenda.stop()
        self.courier.stop()

    def reset(self) -> None:
        """Return to the start: no orders, no keys, no faults, first policy and settings, real time."""
        with self._lock:
            self.agenda.clear()
            self.courier.reset(self.setup.policy)
            self.keys.clear()
            self.faults.clear()
            self.journal.clear()
            self.settings = self.setup.settings
            self.clock.offset_seconds = 0.0
            changes = self.book.changes
            self._start_afresh()
            self.book.changes = changes + 1

    def advance(self, seconds: float) -> None:
        """Move the clock and apply what falls due."""
        self.clock.advance(seconds)
        with self.orders():
            pass
        self.agenda.wake()

    @contextmanager
    def orders(self) -> Iterator[Book]:
        """Hold the book, settled up to now; on leaving, an alarm is set for the next thing that falls due."""
        with self._lock:
            self.book.settle()
            try:
                yield self.book
            finally:
                due = self.book.next_due()
                if due is not None and (self._woken_for is None or due < self._woken_for):
                    self._woken_for = due
                    self.agenda.at(due, lambda: self._alarm(due))

    def _alarm(self, due: datetime) -> None:
        with self._lock:
            if self._woken_for != due:
                return  # an earlier alarm took its place
            self._woken_for = None
            with self.orders():
                pass

    def create(self, user_id: int, wish: NewOrder) -> Order:
        """Create an order; with auto-pay on, its buyer is on the way."""
        with self.orders() as book:
            if wish.kind == "qr" and book.has_reference(user_id, wish.external_reference):
                raise bad_value("The external reference was used already.", "external_reference")
            if wish.kind == "qr" and (user_id, wish.pos) not in self.pos:
                raise ApiError(404, "pos_not_found", f"No point of sale has the external id {wish.pos}.")
            order = book.create(user_id, wish)
            if self.settings.auto_pay_s:
                book.pay(order, delay=timedelta(seconds=CHANCE.uniform(*self.settings.auto_pay_s)))
            return order

    def refund(self, book: Book, order: Order, amount: Decimal | None) -> Refund:
        """Refund a part, or all that is left, in the way that the settings say."""
        settings = self.settings
        delay = timedelta(seconds=settings.refund_delay_s if settings.refund_mode == "async" else 0)
        return book.refund(order, amount, partial=settings.partial_refunds, delay=delay)

    def change_settings(self, changes: dict[str, object]) -> None:
        """Put changed switches in force."""
        with self._lock:
            self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]  # checked by the caller

"""What the rush has seen so far: latencies by kind, orders by second, and how long money takes to reach the board."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from breadmate.rush.plan import Word

KINDS = ("menu", "quote", "checkout", "payment", "check", "status", "cancel", "cook")
LONGEST_WITHOUT_ORDER_S = 60.0  # from the money to the kitchen, whatever was lost on the way
SHOWN_SECONDS = 90
RECENT = 100
MOST_PROBLEMS = 50


@dataclass(slots=True)
class Placed:
    """One order as its guest was told of it; moments are seconds after the beginning."""

    order: str
    number: str
    store: str
    total: Decimal
    word: Word
    placed_s: float
    payment: str = ""
    reference: str = ""  # the order at the provider
    paid_s: float | None = None
    received_s: float | None = None
    on_board_s: float | None = None
    served_s: float | None = None

    @property
    def board_delay_s(self) -> float | None:
        """Return how long it took from the money to the kitchen's screen; the screen may be quicker than the bank's answer."""
        if self.paid_s is None or self.on_board_s is None:
            return None
        return max(self.on_board_s - self.paid_s, 0.0)


@dataclass(slots=True)
class Tally:
    """Everything that was counted."""

    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    orders: dict[str, Placed] = field(default_factory=dict)
    placed_at: Counter[int] = field(default_factory=Counter)  # by second
    requests_at: Counter[int] = field(default_factory=Counter)
    waiting_at: dict[int, int] = field(default_factory=dict)  # paid and not yet on the board
    queue_at: dict[int, int] = field(default_factory=dict)  # on the boards
    delays: list[float] = field(default_factory=list)
    arrived: int = 0
    left: Counter[str] = field(default_factory=Counter)
    sold_out: int = 0
    asked_to_wait: Counter[str] = field(default_factory=Counter)  # by status: told to come again, and came again
    cut: int = 0  # calls that did not get out of a kiosk whose network was cut on purpose
    behind_s: float = 0.0  # how late the rush itself was at worst
    problems: list[str] = field(default_factory=list)
    problem_count: int = 0

    def answered(self, kind: str, seconds: float, at_s: float) -> None:
        """Count one answer."""
        self.latencies[kind].append(seconds)
        self.requests_at[int(at_s)] += 1

    def problem(self, told: str) -> None:
        """Note something that must not happen."""
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(told)

    def place(self, placed: Placed) -> None:
        """Count an order."""
        if placed.order in self.orders:
            self.problem(f"o pedido {placed.number} foi confirmado duas vezes")
        self.orders[placed.order] = placed
        self.placed_at[int(placed.placed_s)] += 1

    def paid(self, placed: Placed, at_s: float) -> None:
        """Note that the provider has the money."""
        placed.paid_s = at_s
        self._note_delay(placed)

    def on_board(self, placed: Placed, at_s: float) -> None:
        """Note that a kitchen's screen shows it."""
        if placed.on_board_s is None:
            placed.on_board_s = at_s
            self._note_delay(placed)

    def _note_delay(self, placed: Placed) -> None:
        if placed.board_delay_s is not None:
            self.delays.append(placed.board_delay_s)

    def without_order(self, at_s: float) -> list[Placed]:
        """Return whose money the provider has had for too long without the kitchen knowing of the order."""
        return [
            placed
            for placed in self.orders.values()
            if placed.paid_s is not None
            and placed.received_s is None
            and placed.on_board_s is None
            and at_s - placed.paid_s > LONGEST_WITHOUT_ORDER_S
        ]

    def look(self, at_s: float) -> dict[str, Any]:
        """Return the figures of this moment, as the screens show them."""
        rows = self.orders.values()
        paid = [placed for placed in rows if placed.paid_s is not None]
        waiting = [placed for placed in paid if placed.on_board_s is None and placed.received_s is None]
        queue = sum(1 for placed in rows if placed.on_board_s is not None and placed.served_s is None)
        second = int(at_s)
        self.waiting_at[second], self.queue_at[second] = len(waiting), queue
        answers = [took for kind in KINDS for took in self.latencies[kind][-RECENT:]]
        return {
            "arrived": self.arrived,
            "placed": len(self.orders),
            "paid": len(paid),
            "served": sum(1 for placed in rows if placed.served_s is not None),
            "waiting": len(waiting),
            "longest_wait_s": round(max((at_s - (placed.paid_s or at_s) for placed in waiting), default=0.0), 1),
            "without_order": len(self.without_order(at_s)),
            "queue": queue,
            "board_p50_s": rounded(percentile(self.delays[-RECENT:], 50)),
            "board_p95_s": rounded(percentile(self.delays[-RECENT:], 95)),
            "answer_p95_ms": rounded(percentile(answers, 95), 1000),
            "left": sum(self.left.values()),
            "sold_out": self.sold_out,
            "asked_to_wait": sum(self.asked_to_wait.values()),
            "cut": self.cut,
            "problems": self.problem_count,
            "per_second": [self.placed_at[each] for each in range(max(second - SHOWN_SECONDS, 0), second)],
            "requests_per_second": round(sum(self.requests_at[each] for each in range(second - 5, second)) / 5),
            "money": str(sum((placed.total for placed in paid), Decimal("0.00"))),
        }


def percentile(values: Sequence[float], of_100: float) -> float | None:
    """Return the value that ``of_100`` percent do not exceed (nearest rank), or None of nothing."""
    if not values:
        return None
    return sorted(values)[max(math.ceil(len(values) * of_100 / 100) - 1, 0)]


def rounded(value: float | None, factor: float = 1) -> float | None:
    """Return a figure for people, three digits after the point at most."""
    return None if value is None else round(value * factor, 1 if factor > 1 else 2)

"""Kiosks that sell while something is broken, and the book of everything that was acknowledged to them."""

import http.client
import random
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.payments import Shop
from tests.blackbox.client import Caller, Reply, new_key, wait_for
from tests.blackbox.flow import audit
from tests.faults.postgres import Postgres

AGAIN_SECONDS = 0.2
PATIENCE_SECONDS = 60.0
QUIET_SECONDS = 90.0
EACH_SECONDS = 1.0
LOOK_SECONDS = 0.25
CUT_OFF = (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException)
RUNNING = "idempotency_conflict"


@dataclass
class Sale:
    """One guest. ``reference`` is the provider's order, once the guest has paid it."""

    order: str
    acknowledged_at: float
    reference: str = ""


@dataclass
class Book:
    """What the kiosks were told; moments are on the monotonic clock."""

    sales: list[Sale] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    cut: int = 0
    hung: int = 0  # calls nobody answered for as long as the client waits; a busy machine has some, too
    wrong: list[str] = field(default_factory=list)  # answers no fault excuses
    slowest_refusal: float = 0.0
    menus: Counter[int] = field(default_factory=Counter)

    def back_after(self, moment: float) -> float:
        """Return the seconds from a moment to the next order that was acknowledged."""
        return min((sale.acknowledged_at - moment for sale in self.sales if sale.acknowledged_at > moment), default=-1)


@dataclass(frozen=True)
class Counts:
    """What came of a load: each is of orders, payments and kitchen tickets together."""

    lost: list[str]
    doubled: list[str]


class Load:
    """So many kiosks, one guest a second each, every second guest pays; one more kiosk only looks at the menu."""

    def __init__(self, shop: Shop, postgres: Postgres) -> None:
        self.shop = shop
        self.postgres = postgres
        self.book = Book()
        self._end = 0.0
        self._known = {row[0] for row in postgres.run("SELECT id::text FROM orders_order")}

    @contextmanager
    def running(self, seconds: float) -> Iterator[Book]:
        """Sell for so long beside the ``with`` block; at its end every sale begun has been acknowledged."""
        self._end = time.monotonic() + seconds
        looker, *sellers = self.shop.kiosks
        with ThreadPoolExecutor(len(self.shop.kiosks)) as pool:
            selling: list[Future[None]] = [
                pool.submit(self._sell, number, kiosk) for number, kiosk in enumerate(sellers)
            ]
            selling.append(pool.submit(self._look, looker))
            try:
                yield self.book
            except BaseException:
                self._end = 0.0
                raise
            for each in selling:
                each.result()

    def _sell(self, number: int, kiosk: Caller) -> None:
        time.sleep(EACH_SECONDS * number / len(self.shop.kiosks))
        pays = number % 2 == 0
        while (begun := time.monotonic()) < self._end:
            placed = self._insist(kiosk, "/api/v1/orders/checkout", self.shop.cart, 201)
            sale = Sale(placed["id"], time.monotonic())
            self.book.sales.append(sale)
            if pays:
                asked = {"order": placed["id"], "method": "mercado_pago_qr"}
                payment = self._insist(kiosk, "/api/v1/payments", asked, 200, 201, 202)
                sale.reference = self._pay(kiosk, payment)
            pays = not pays
            time.sleep(max(begun + EACH_SECONDS * random.uniform(0.5, 1.0) - time.monotonic(), 0.0))

    def _look(self, kiosk: Caller) -> None:
        """Read the menu again and again: it is to be there whatever else is not."""
        while time.monotonic() < self._end:
            with self._counted():
                self.book.menus[kiosk.get("/api/v1/menu").status] += 1
            time.sleep(LOOK_SECONDS)

    def _insist(self, kiosk: Caller, path: str, body: Any, *wanted: int) -> dict[str, Any]:
        """Do what a kiosk does: the same key again until there is an answer."""
        key, until = new_key(), time.monotonic() + PATIENCE_SECONDS
        while True:
            with self._counted():
                begun = time.monotonic()
                reply = kiosk.post(path, body, key=key)
                self._note(reply, time.monotonic() - begun, path, *wanted)
                if reply.status in wanted:
                    return dict(reply.body)
            assert time.monotonic() < until, f"{path} was not acknowledged in {PATIENCE_SECONDS:.0f} s: {self.book}"
            time.sleep(AGAIN_SECONDS)

    def _note(self, reply: Reply, seconds: float, path: str, *wanted: int) -> None:
        self.book.answers[reply.status] += 1
        if reply.status in wanted or (reply.status == 409 and reply.body["code"] == RUNNING):
            return
        self.book.slowest_refusal = max(self.book.slowest_refusal, seconds)
        is_problem = reply.headers.get("Content-Type") == "application/problem+json"
        if reply.status != 503 or not is_problem or "Retry-After" not in reply.headers:
            self.book.wrong.append(f"{path} {reply.status} {reply.headers} {reply.raw[:300]!r}")

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except CUT_OFF as problem:
            if isinstance(problem, TimeoutError) or isinstance(getattr(problem, "reason", None), TimeoutError):
                self.book.hung += 1
            self.book.cut += 1

    def _pay(self, kiosk: Caller, payment: dict[str, Any]) -> str:
        """Wait for the code, if it is still to come, and pay it; return the provider's order."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not payment["provider_reference"]:
            assert time.monotonic() < until, f"no code to pay: {payment}"
            time.sleep(AGAIN_SECONDS)
            with self._counted():
                told = kiosk.get(f"/api/v1/payments/{payment['id']}")
                payment = told.body if told.status == 200 else payment
        paid = self.shop.simulator.post(f"/_sim/orders/{payment['provider_reference']}/pay")
        assert paid.status == 200, paid.raw
        return str(payment["provider_reference"])

    def wait_until_quiet(self) -> None:
        """Wait until every payment has arrived and every event is delivered."""
        paid = [sale.order for sale in self.book.sales if sale.reference]

        def at_rest() -> bool:
            waiting = self.postgres.run(
                "SELECT count(*) FROM orders_order WHERE id = ANY(%s::uuid[]) AND paid_at IS NULL", paid
            )
            undelivered = self.postgres.run("SELECT count(*) FROM core_storedevent WHERE dispatched_at IS NULL")
            return (waiting, undelivered) == ([(0,)], [(0,)])

        wait_for(at_rest, "every payment to arrive and every event to be delivered", seconds=QUIET_SECONDS)

    def counts(self) -> Counts:
        """Compare the book with the database and with the simulator's ledger."""
        sales = {sale.order: sale for sale in self.book.sales}
        lost, doubled = list[str](), list[str]()
        placed = {row[0] for row in self.postgres.run("SELECT id::text FROM orders_order")} - self._known
        lost += [f"order {order}" for order in sales.keys() - placed]
        doubled += [f"order {order}" for order in placed - sales.keys()]

        charges = self.postgres.run(
            """SELECT order_id::text, reference, provider_order_id, pays_order, paid_amount - refunded_amount
               FROM payments_charge WHERE order_id = ANY(%s::uuid[])""",
            list(placed),
        )
        paying = Counter(order for order, _, _, pays, _ in charges if pays)
        kept = {provider: amount for _, _, provider, _, amount in charges}
        there = self.shop.simulator.get("/_sim/orders").body["orders"]
        ours = {reference for _, reference, _, _, _ in charges}
        made = Counter(row["external_reference"] for row in there if row["external_reference"] in ours)
        owed = {row["id"]: (row["paid"], row["refunded"]) for row in there}
        paid = [sale for sale in sales.values() if sale.reference]
        lost += [f"payment of {sale.order}" for sale in paid if not paying[sale.order]]
        for sale in paid:
            taken, back = owed[sale.reference]
            if float(taken) - float(back) != float(kept.get(sale.reference, 0)):
                lost.append(f"money of {sale.order}: {taken} - {back} there, {kept.get(sale.reference)} here")
        doubled += [f"payment of {order}" for order, number in paying.items() if number > 1]
        doubled += [f"code {reference}" for reference, number in made.items() if number > 1]

        tickets = dict(
            self.postgres.run(
                """SELECT line.order_id::text, count(*) FROM orders_preparation made
                   JOIN orders_orderline line ON line.id = made.line_id
                   WHERE line.order_id = ANY(%s::uuid[]) GROUP BY 1""",
                list(placed),
            )
        )
        each = len(self.shop.cart["items"])
        lost += [f"ticket of {sale.order}" for sale in paid if tickets.get(sale.order, 0) < each]
        doubled += [
            f"ticket of {order}"
            for order, number in tickets.items()
            if number > (each if order in sales and sales[order].reference else 0)
        ]
        return Counts(lost, doubled)


def judge(
    fault: str, load: Load, over_at: float, *, refused: bool = True, menus: frozenset[int] = frozenset({200})
) -> str:
    """Wait until all is quiet, check everything, and return the line that says how it went.

    Args:
        over_at: when the fault was mended, on the monotonic clock.
        refused: kiosks may have been refused or cut off meanwhile.
        menus: what may have been answered to whoever looked at the menu.
    """
    load.wait_until_quiet()
    quiet_after, book = time.monotonic() - over_at, load.book
    counts = load.counts()
    verdict = audit(load.shop.stack)
    refusals = book.cut + sum(number for status, number in book.answers.items() if status >= 500)
    line = (
        f"{fault}: lost {len(counts.lost)}, doubled {len(counts.doubled)}, back after {book.back_after(over_at):.1f} s"
        f" ({len(book.sales)} orders, all delivered after {quiet_after:.1f} s, {refusals} calls refused or cut, {book.hung} hung,"
        f" slowest refusal {book.slowest_refusal:.1f} s, menus {dict(book.menus)})"
    )
    assert verdict["ok"], [check for check in verdict["checks"] if not check["ok"]]
    assert (counts.lost, counts.doubled) == ([], []), line
    assert book.wrong == [], f"{line}: {book.wrong}"
    assert set(book.menus) <= menus, line
    assert book.back_after(over_at) >= 0 or not refusals, line
    assert refused or refusals == 0, f"{line}: {book.answers}"
    return line

"""Many kiosks paying at once on a whole running shop, with notifications lost, doubled, or never sent.

    .venv/bin/python -m bench.payments [--kiosks 50] [--orders 4]

What is timed: from the moment the simulator has the money until the order is received by the kitchen. Whatever happens to
the notifications, every payment is to be one received order, and the sums are to be the same here and there.
"""

import argparse
import json
import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bench.report import RESULTS, command, say
from tests.blackbox.client import Caller, new_key, product
from tests.blackbox.flow import audit
from tests.stack import Stack

LIMITS = {"LIMIT_CHECKOUT_PER_MINUTE": "100000", "LIMIT_OPEN_UNPAID": "1000", "LIMIT_MENU_PER_MINUTE": "100000"}
LIMITS |= {"LIMIT_WAITING_SECONDS": "60"}  # nobody is refused for waiting: what is measured is the way, not the crowd
RATE = {"MP_RATE": "50"}
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.5
UNTIL_PAID_SECONDS = 1.0
SLOW_GUESTS_SECONDS = 30.0
PLENTY = 100_000
STORM = {"drop": 0.05, "duplicates": 0.1, "delay_ms": [0, 300]}
SILENCE = {"drop": 1.0}
NO_ADDRESS = {"url": ""}
FLOOD_SECONDS = 10.0
SEARCH = "/v1/orders"
FLOOD_RATE = 200
NEW_KIOSKS = """
import json, secrets
from django.utils import timezone
from apps.stores.models import Device, Store
from apps.stores.services import hashed
store, tokens = Store.objects.get(code="{code}"), [secrets.token_urlsafe(32) for _ in range({number})]
Device.objects.bulk_create(
    Device(store=store, kind="kiosk", name="Totem " + token[:8], token_hash=hashed(token), paired_at=timezone.now())
    for token in tokens
)
print(json.dumps(tokens))
"""


@dataclass(frozen=True)
class Sale:
    """An order that was paid at the simulator."""

    kiosk: Caller
    order: str
    payment: str
    reference: str
    total: Decimal
    paid_at: float


@dataclass(frozen=True)
class Outcome:
    """What became of many payments."""

    orders: int
    paid: int
    lost: int
    doubled: int
    p50_s: float
    p95_s: float
    slowest_s: float
    sum_here: str
    sum_there: str
    audit_ok: bool

    @property
    def is_right(self) -> bool:
        """Tell whether nothing was lost, doubled or miscounted."""
        whole = self.orders == self.paid and not self.lost and not self.doubled
        return whole and self.sum_here == self.sum_there and self.audit_ok


class Shop:
    """A running stack with many kiosks and stock that does not end."""

    def __init__(self, stack: Stack, kiosks: int) -> None:
        self.stack = stack
        store = stack.demo["stores"][0]
        made = stack.manage("shell", "-v0", "-c", NEW_KIOSKS.format(code=store["code"], number=kiosks))
        self.kiosks = [Caller(stack.base_url, token) for token in json.loads(made.stdout.splitlines()[-1])]
        self.simulator = Caller(stack.simulator_url)
        self.webhook_url = self.simulator.get("/_sim/webhooks/policy").body["url"]
        signed_in = Caller(stack.base_url).post("/api/v1/auth/token", stack.demo["staff"]["manager"])
        manager = Caller(stack.base_url, signed_in.body["access"], "Bearer")
        for item in manager.get("/api/v1/inventory/items?page_size=200").body["results"]:
            manager.patch("/api/v1/inventory/items", {"item": item["id"], "on_hand": PLENTY})
        coffee = product(self.kiosks[0].get("/api/v1/menu").body, "cafe-coado")["id"]
        self.cart = {"dining_option": "eat_in", "items": [{"product": coffee, "quantity": 1}]}

    def policy(self, **changes: Any) -> None:
        """Change what the simulator does with its notifications."""
        done = self.simulator.post(
            "/_sim/webhooks/policy", {"drop": 0.0, "duplicates": 0, "delay_ms": [0, 0], **changes}
        )
        _expect(done, 200)

    def rush(self, orders_each: int, *, kiosks: int | None = None, until_paid: float = UNTIL_PAID_SECONDS) -> Outcome:
        """Let every kiosk sell and be paid, all at once; wait until the kitchen has everything, a minute at most.

        Args:
            until_paid: a guest takes so many seconds at most to pay the code on the screen.
        """
        callers = self.kiosks[:kiosks]
        with ThreadPoolExecutor(len(callers)) as pool:
            rows = pool.map(lambda caller: [self._sell(caller, until_paid) for _ in range(orders_each)], callers)
            sales = [sale for row in rows for sale in row]
        received = self._received(sales)
        return self._outcome(sales, received)

    def _sell(self, kiosk: Caller, until_paid: float) -> Sale:
        placed = _expect(kiosk.post("/api/v1/orders/checkout", self.cart, key=new_key()), 201)
        asked = {"order": placed["id"], "method": "mercado_pago_qr"}
        payment = _expect(kiosk.post("/api/v1/payments", asked, key=new_key()), 201, 202)
        until = time.monotonic() + PATIENCE_SECONDS
        while not payment["provider_reference"]:  # the code is still to come: the way was busy
            _in_time(until, "a code to pay")
            time.sleep(LOOK_SECONDS)
            payment = _expect(kiosk.get(f"/api/v1/payments/{payment['id']}"), 200)
        time.sleep(random.random() * until_paid)  # noqa: S311 - a guest, no secret
        _expect(self.simulator.post(f"/_sim/orders/{payment['provider_reference']}/pay"), 200)
        return Sale(
            kiosk, placed["id"], payment["id"], payment["provider_reference"], Decimal(placed["total"]), time.time()
        )

    def _received(self, sales: Sequence[Sale]) -> dict[str, list[float]]:
        """Return when each order was received, by order; more than one moment is one too many."""
        until, found = time.monotonic() + PATIENCE_SECONDS, dict[str, list[float]]()
        waiting = list(sales)
        while waiting and time.monotonic() < until:
            still = []
            for sale in waiting:
                told = _expect(sale.kiosk.get(f"/api/v1/orders/{sale.order}/history"), 200)["results"]
                moments = [datetime.fromisoformat(step["at"]).timestamp() for step in told if step["to"] == "received"]
                if moments:
                    found[sale.order] = moments
                else:
                    still.append(sale)
            waiting = still
            time.sleep(LOOK_SECONDS)
        return found

    def _outcome(self, sales: Sequence[Sale], received: dict[str, list[float]]) -> Outcome:
        there = {row["id"]: row for row in self.simulator.get("/_sim/orders").body["orders"]}
        payments = [_expect(sale.kiosk.get(f"/api/v1/payments/{sale.payment}"), 200) for sale in sales]
        paid = [payment for payment in payments if payment["status"] == "approved"]
        waits = sorted(received[sale.order][0] - sale.paid_at for sale in sales if sale.order in received)
        return Outcome(
            orders=len(sales),
            paid=len(paid),
            lost=len(sales) - len(received),
            doubled=sum(len(moments) > 1 for moments in received.values()),
            p50_s=round(statistics.median(waits), 2) if waits else 0.0,
            p95_s=round(waits[int(len(waits) * 0.95)], 2) if waits else 0.0,
            slowest_s=round(waits[-1], 2) if waits else 0.0,
            sum_here=str(sum((Decimal(payment["amount"]) for payment in paid), Decimal("0.00"))),
            sum_there=str(
                sum(
                    (Decimal(there[s.reference]["paid"]) - Decimal(there[s.reference]["refunded"]) for s in sales),
                    Decimal("0.00"),
                )
            ),
            audit_ok=bool(audit(self.stack)["ok"]),
        )


@dataclass(frozen=True)
class Flooded:
    """What a flood of notifications of nothing of ours did."""

    sent: int
    refused: int
    calls_out: int
    rate: float
    slowest_checkout_s: float


def flood(shop: Shop, *, seconds: float = FLOOD_SECONDS, rate: int = FLOOD_RATE) -> Flooded:
    """Send notifications of unknown ids at a pace, with a checkout each second beside them."""
    senders, begun = 16, time.monotonic()
    before = shop.simulator.get("/_sim/journal").body["last"]
    stranger, over = Caller(shop.stack.base_url), threading.Event()
    number_of = iter(range(int(seconds * rate)))
    turn = threading.Lock()

    def send() -> list[int]:
        answers = []
        while True:
            with turn:
                number = next(number_of, None)
            if number is None:
                return answers
            time.sleep(max(begun + number / rate - time.monotonic(), 0.0))
            path = f"/api/v1/payments/webhook?data.id=ORD01{number:024d}&type=order"
            answers.append(stranger.post(path, {"type": "order"}).status)

    def order() -> list[float]:
        took = []
        while not over.wait(1.0):
            asked = time.monotonic()
            _expect(shop.kiosks[0].post("/api/v1/orders/checkout", shop.cart, key=new_key()), 201)
            took.append(time.monotonic() - asked)
        return took

    with ThreadPoolExecutor(senders + 1) as pool:
        ordering = pool.submit(order)
        answers = [status for sender in [pool.submit(send) for _ in range(senders)] for status in sender.result()]
        took = time.monotonic() - begun
        over.set()
        checkouts = ordering.result()
    entries = shop.simulator.get(f"/_sim/journal?since={before}").body["entries"]
    # Searches are the nightly closings', which may fall into these seconds.
    paths = [entry["path"] for entry in entries if entry.get("path", SEARCH) != SEARCH]
    asked = [path.removeprefix(f"{SEARCH}/").partition("/")[0] for path in paths]
    ours = {row["id"] for row in shop.simulator.get("/_sim/orders").body["orders"]}
    calls = sum(resource not in ours for resource in asked)
    refused = sum(status != 200 for status in answers)
    return Flooded(len(answers), refused, calls, round(len(answers) / took, 1), round(max(checkouts, default=0.0), 3))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kiosks", type=int, default=50)
    parser.add_argument("--orders", type=int, default=4)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    say(f"load before: {_load()}")
    with Stack(settings=LIMITS | RATE) as stack:
        shop = Shop(stack, options.kiosks)
        shop.policy(**STORM)
        found["5 % lost, 10 % doubled"] = _told("5 % lost, 10 % doubled", lambda: shop.rush(options.orders))
        shop.policy(**SILENCE)
        found["all lost"] = _told("all lost", lambda: shop.rush(1))
        shop.policy()
        found["flood"] = _told("flood", lambda: flood(shop))
    with Stack(settings=LIMITS) as stack:
        deaf = Shop(stack, 20)
        deaf.policy(**NO_ADDRESS)
        found["never one, 20 open codes"] = _told(
            "never one, 20 open codes", lambda: deaf.rush(1, until_paid=SLOW_GUESTS_SECONDS)
        )
    at = datetime.now(UTC)
    document = {"bench": "payments", "at": at.isoformat(timespec="seconds"), "command": command(), "load": _load()}
    path = RESULTS / f"{at:%Y-%m-%d}-payments.json"
    path.write_text(json.dumps(document | {"cores": os.cpu_count(), "figures": found}, indent=2) + "\n")
    say(f"written to {path.relative_to(RESULTS.parent.parent)}")


def _told(name: str, work: Callable[[], Any]) -> dict[str, Any]:
    outcome: dict[str, Any] = asdict(work())
    say(f"{name}  (load {_load()})")
    for figure, value in outcome.items():
        say(f"    {figure:<20}{value}")
    return outcome


def _load() -> float:
    return round(os.getloadavg()[0], 1)


def _expect(reply: Any, *statuses: int) -> Any:
    if reply.status not in statuses:
        raise AssertionError(f"{reply.status}: {reply.raw[:500]!r}")
    return reply.body


def _in_time(until: float, what: str) -> None:
    if time.monotonic() > until:
        raise AssertionError(f"waited {PATIENCE_SECONDS:.0f} s for {what}")


if __name__ == "__main__":
    main()

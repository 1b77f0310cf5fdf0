"""Keeps orders, places, keys and the clock in a JSON file, so that a restart loses no payment."""

import json
import threading
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ops.mpsim.idempotency import Kept
from ops.mpsim.simulator import Simulator
from ops.mpsim.state import Order, PendingPayment, Refund

EVERY_SECONDS = 1.0


def save(sim: Simulator, path: Path) -> None:
    """Write the whole world; the old file stays until the new one is complete."""
    with sim.orders() as book:
        world = {
            "clock_offset_seconds": sim.clock.offset_seconds,
            "orders": [asdict(order) for order in book.orders.values()],
            "stores": [[*key, place] for key, place in sim.stores.items()],
            "pos": [[*key, place] for key, place in sim.pos.items()],
            "keys": [
                [*scope, kept.fingerprint, kept.status, kept.body.decode(), kept.at]
                for scope, kept in list(sim.keys.kept.items())
            ],
        }
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(world, default=str, ensure_ascii=False))
    new.replace(path)


def load(sim: Simulator, path: Path) -> None:
    """Fill a fresh simulator from a file; nothing happens when there is none."""
    if not path.exists():
        return
    world = json.loads(path.read_text())
    sim.clock.offset_seconds = world["clock_offset_seconds"]
    for user_id, external_id, place in world["stores"]:
        sim.stores[user_id, external_id] = place
    for user_id, external_id, place in world["pos"]:
        sim.pos[user_id, external_id] = place
    for token, method, target, key, fingerprint, status, body, at in world["keys"]:
        sim.keys.kept[token, method, target, key] = Kept(fingerprint, status, body.encode(), moment(at))
    for facts in world["orders"]:
        sim.book.add(order_of(facts))


def order_of(facts: dict[str, Any]) -> Order:
    """Rebuild an order from its JSON."""
    pending = facts["pending"]
    times = {name: moment(facts[name]) for name in ("created_at", "expires_at", "updated_at")}
    sums = {name: Decimal(facts[name]) for name in ("total", "paid")}
    refunds = [
        Refund(**refund | {"amount": Decimal(refund["amount"]), "final_at": moment(refund["final_at"])})
        for refund in facts["refunds"]
    ]
    return Order(**facts | times | sums | {"refunds": refunds, "pending": pending_of(pending) if pending else None})


def pending_of(facts: dict[str, Any]) -> PendingPayment:
    """Rebuild a payment under way from its JSON."""
    times = {name: moment(facts[name]) for name in ("starts_at", "completes_at")}
    return PendingPayment(**facts | times | {"amount": Decimal(facts["amount"])})


def moment(text: str) -> datetime:
    """Read a moment as it was saved."""
    return datetime.fromisoformat(text)


class Saver:
    """Saves once a second while something changes, and once more at the end."""

    def __init__(self, sim: Simulator, path: Path) -> None:
        self._sim = sim
        self._path = path
        self._saved: tuple[int, ...] = ()
        self._thread = threading.Thread(target=self._run, name="mpsim-snapshot", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def finish(self) -> None:
        """Wait for the last save; the simulator has been stopped."""
        self._thread.join()
        save(self._sim, self._path)

    def _run(self) -> None:
        while not self._sim.stopping.wait(EVERY_SECONDS):
            sim = self._sim
            present = (sim.book.changes, len(sim.keys.kept), len(sim.stores), len(sim.pos))
            if present != self._saved:
                save(sim, self._path)
                self._saved = present

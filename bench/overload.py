"""Three times as many orders as a shop can take: how many it takes, and how long those wait.

    .venv/bin/python -m bench.overload [--seconds 10]

The most it can take is measured first, with as many kiosks as it likes, each sending its next order when it has its answer.
Then orders are sent on a schedule, whatever becomes of those before, at one, two and three times that rate, with four
polls for each; a time is from when the request was due until the answer was there.
"""

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bench.load import wire
from bench.payments import LIMITS, Shop
from bench.report import RESULTS, command, say
from tests.blackbox.client import new_key
from tests.blackbox.flow import audit
from tests.stack import PROJECT, Stack

SHEDDING = {"LIMIT_WAITING_SECONDS": "0.6", "LIMIT_OPEN_UNPAID": "1000000"}  # as a shop has it; without end
CLIENTS = 32
LINES = 2500
POLLS_EACH = 4
FACTORS = (1.0, 2.0, 3.0)
NO_ANSWER_SECONDS = 20.0


@dataclass
class Seen:
    """The answers to one kind of request."""

    statuses: dict[str, int] = field(default_factory=dict)
    good: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def note(self, status: str, seconds: float) -> None:
        """Count one."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        (self.good if status.startswith("2") else self.refused).append(seconds)

    def told(self, seconds: float) -> dict[str, Any]:
        """Sum up, with times in ms."""
        return {
            "good_per_s": round(len(self.good) / seconds, 1),
            "p50_ms": _rank(self.good, 0.5),
            "p99_ms": _rank(self.good, 0.99),
            "refused_p99_ms": _rank(self.refused, 0.99),
            "statuses": dict(sorted(self.statuses.items())),
        }


def _rank(values: list[float], share: float) -> float:
    return round(1000 * sorted(values)[int(len(values) * share)], 1) if values else 0.0


class Line:
    """One kept-alive connection."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: dict[str, Any]) -> str:
        """Send one request and return the status, or what went wrong."""
        try:
            async with asyncio.timeout(NO_ANSWER_SECONDS):
                if self.streams is None:
                    self.streams = await asyncio.open_connection(self.plan["host"], self.plan["port"])
                reader, writer = self.streams
                writer.write(wire(request))
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.find(b"content-length:")
                if length >= 0:
                    await reader.readexactly(int(head[length + 15 : head.index(b"\r", length)]))
        except (OSError, asyncio.IncompleteReadError, ValueError) as problem:
            self.close()
            return "no answer" if isinstance(problem, TimeoutError) else "cut"
        if b"connection: close" in head:
            self.close()
        return head[9:12].decode()

    def close(self) -> None:
        """Let go of it; the next request opens another."""
        if self.streams is not None:
            self.streams[1].close()
        self.streams = None


async def on_schedule(plan: dict[str, Any]) -> dict[str, Any]:
    """Send orders and polls at their times, each on a line nobody uses at the moment."""
    seen = {"order": Seen(), "poll": Seen()}
    idle = [Line(plan) for _ in range(LINES)]
    running: set[asyncio.Task[None]] = set()
    begun = time.perf_counter()

    async def send(kind: str, line: Line, due: float) -> None:
        status = await line.ask(plan[kind])
        seen[kind].note(status, time.perf_counter() - due)
        idle.append(line)

    for number in itertools.count():
        due = begun + number / (plan["rate"] * (1 + POLLS_EACH))
        if due > begun + plan["seconds"]:
            break
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        kind = "poll" if number % (1 + POLLS_EACH) else "order"
        if not idle:
            seen[kind].note("no line free", 0.0)
            continue
        task = asyncio.create_task(send(kind, idle.pop(), due))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    for line in idle:
        line.close()
    return {kind: each.told(plan["seconds"]) for kind, each in seen.items()}


def main() -> None:
    """Measure."""
    if sys.argv[1:] == ["send"]:
        json.dump(asyncio.run(on_schedule(json.load(sys.stdin))), sys.stdout)
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    seconds = parser.parse_args().seconds
    with Stack(settings=LIMITS | SHEDDING) as stack:
        shop = Shop(stack, 1)
        address, token = urlsplit(stack.base_url), shop.kiosks[0].token
        lines = f"Host: {address.netloc}\r\nAuthorization: Device {token}\r\n"
        order = {
            "head": f"POST /api/v1/orders/checkout HTTP/1.1\r\n{lines}",
            "body": json.dumps(shop.cart),
            "keyed": True,
        }
        placed = shop.kiosks[0].post("/api/v1/orders/checkout", shop.cart, key=new_key()).body["id"]
        poll = {"head": f"GET /api/v1/orders/{placed}/status HTTP/1.1\r\n{lines}", "body": "", "keyed": False}
        at = {"host": address.hostname, "port": address.port, "seconds": seconds}
        closed = {**at, "clients": CLIENTS, "requests": [order, poll, poll, poll, poll]}
        _run("bench.load", closed | {"seconds": 3.0})  # warm
        most = _run("bench.load", closed)["rate"] / (1 + POLLS_EACH)
        say(f"load {os.getloadavg()[0]:.1f}, the most: {most:.1f} orders a second with {POLLS_EACH} polls each")
        found: dict[str, Any] = {"most_orders_per_s": round(most, 1)}
        for factor in FACTORS:
            told = _run("bench.overload", {**at, "rate": most * factor, "order": order, "poll": poll}, "send")
            found[f"{factor:g} x"] = told
            for kind in ("order", "poll"):
                say(f"{factor:g} x  {kind:<6}{told[kind]}")
        found["audit_ok"] = audit(stack)["ok"]
    day = datetime.now(UTC)
    document = {"bench": "overload", "at": day.isoformat(timespec="seconds"), "command": command()}
    path = RESULTS / f"{day:%Y-%m-%d}-overload.json"
    document |= {"load": round(os.getloadavg()[0], 1), "cores": os.cpu_count(), "figures": found}
    path.write_text(json.dumps(document, indent=2) + "\n")
    say(f"audit {'ok' if found['audit_ok'] else 'NOT OK'}; written to {path.relative_to(RESULTS.parent.parent)}")


def _run(module: str, plan: dict[str, Any], *words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(command, cwd=PROJECT, input=json.dumps(plan), stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    main()

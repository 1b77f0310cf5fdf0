"""The load generator, a process of its own: N keep-alive connections, each sends the next request when it has its answer.

Reads ``{"host", "port", "clients", "seconds", "requests": [{"head", "body", "keyed"}]}`` from stdin and prints what came of
it as JSON. ``keyed`` requests get a new Idempotency-Key each time.
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

PROCESS = os.urandom(6).hex()
_numbers = count()


@dataclass
class Tally:
    """What one run saw."""

    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    errors: int = 0


def wire(request: dict[str, Any]) -> bytes:
    """Return the bytes of one request."""
    key = f"Idempotency-Key: {PROCESS}-{next(_numbers)}\r\n" if request["keyed"] else ""
    body = request["body"].encode()
    length = f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\n" if body else ""
    return f"{request['head']}{key}{length}\r\n".encode() + body


async def client(plan: dict[str, Any], place: int, end: float, tally: Tally) -> None:
    """Be one client until the end."""
    requests = plan["requests"]
    reader, writer = await asyncio.open_connection(plan["host"], plan["port"])
    at = place * 7919
    while (begun := time.perf_counter()) < end:
        writer.write(wire(requests[at % len(requests)]))
        at += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            lowered = head.lower()
            length = lowered.find(b"content-length:")
            if length >= 0:
                await reader.readexactly(int(lowered[length + 15 : lowered.index(b"\r", length)]))
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            tally.errors += 1
            reader, writer = await asyncio.open_connection(plan["host"], plan["port"])
            continue
        tally.latencies.append(time.perf_counter() - begun)
        tally.statuses[status] = tally.statuses.get(status, 0) + 1
        if b"connection: close" in lowered:
            reader, writer = await asyncio.open_connection(plan["host"], plan["port"])
    writer.close()


async def run(plan: dict[str, Any]) -> dict[str, Any]:
    """Send until the time is over."""
    tally, begun = Tally(), time.perf_counter()
    end = begun + plan["seconds"]
    await asyncio.gather(*(client(plan, place, end, tally) for place in range(plan["clients"])))
    took, ranked = time.perf_counter() - begun, sorted(tally.latencies)
    good = sum(number for status, number in tally.statuses.items() if 200 <= status < 300)
    return {
        "rate": good / took,
        "good": good,
        "bad": len(ranked) - good + tally.errors,
        "statuses": {str(status): number for status, number in sorted(tally.statuses.items())},
        "p50_ms": 1000 * ranked[len(ranked) // 2] if ranked else 0.0,
        "p99_ms": 1000 * ranked[int(len(ranked) * 0.99)] if ranked else 0.0,
    }


if __name__ == "__main__":
    json.dump(asyncio.run(run(json.load(sys.stdin))), sys.stdout)

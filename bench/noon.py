"""The traffic of noon on one, two and four workers, beside a plain Django hello.

.venv/bin/python -m bench.noon [--rounds 3] [--seconds 4]
"""

import argparse
import json
import random
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

from bench.carts import carts
from bench.checkout import CLIENTS, measured
from bench.report import interleaved, publish, say, summary
from bench.stack import PROJECT, Bench, Program, bench

PORT, HELLO_PORT = 8318, 8326
STORES, KIOSKS = 4, 4
WORKERS = (1, 2, 4)
SHARES = {"menu": 60, "poll": 20, "quote": 15, "checkout": 5}
ROUNDS_OF_SHARES = 8  # requests that differ, in hundreds
SEED = 12


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    with bench() as run:
        say("filling …")
        world = run.fill(PROJECT, "ours", str(STORES), str(KIOSKS))
        variants: dict[str, Any] = {}
        for place, workers in enumerate(WORKERS):
            port = PORT + 2 * place
            web = run.web(PROJECT, "ours", port, WEB_WORKERS=str(workers))
            name = f"{workers} workers" if workers > 1 else "1 worker"
            variants[name] = _over(run, web, port, _requests(world, port), options.seconds)
        hello = run.hello(HELLO_PORT)
        greeting = {"head": "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n", "body": "", "keyed": False}
        variants["hello, 2 workers"] = _over(run, hello, HELLO_PORT, [greeting], options.seconds)
        for variant in variants.values():
            variant()  # caches and plans are warm from here on
        facts = {"clients": CLIENTS, "seconds": options.seconds, "shares": SHARES}
        publish("noon", run, summary(interleaved(variants, options.rounds)), facts)


def _over(run: Bench, web: Program, port: int, requests: list[dict[str, Any]], seconds: float) -> Any:
    plan = {"host": "127.0.0.1", "port": port, "clients": CLIENTS, "seconds": seconds, "requests": requests}
    return lambda: measured(run, web, json.dumps(plan))


def _requests(world: dict[str, Any], port: int) -> list[dict[str, Any]]:
    """Return requests in their shares, shuffled; each kiosk polls an order of its own."""
    chance = random.Random(SEED)  # noqa: S311 - traffic, not secrets
    wanted = [(token, json.dumps(body)) for _, token, body in carts(world, "spread")]
    orders = {token: _order(port, token, body) for token, body in dict(wanted).items()}
    found = []
    for kind, share in SHARES.items():
        for _ in range(share * ROUNDS_OF_SHARES):
            token, body = chance.choice(wanted)
            line, said = {
                "menu": ("GET /api/v1/menu", ""),
                "poll": (f"GET /api/v1/orders/{orders[token]}/status", ""),
                "quote": ("POST /api/v1/orders/quote", body),
                "checkout": ("POST /api/v1/orders/checkout", body),
            }[kind]
            head = f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Device {token}\r\n"
            found.append({"head": head, "body": said, "keyed": kind == "checkout"})
    chance.shuffle(found)
    return found


def _order(port: int, token: str, body: str) -> str:
    headers = {"Authorization": f"Device {token}", "Content-Type": "application/json"}
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as line:
        line.request("POST", "/api/v1/orders/checkout", body, headers | {"Idempotency-Key": f"{port}-{token[:9]}"})
        return str(json.load(line.getresponse())["id"])


if __name__ == "__main__":
    main()

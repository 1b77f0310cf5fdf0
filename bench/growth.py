"""What a shop's past costs: the same calls on a shop with some orders behind it and on one with ten times as many.

.venv/bin/python -m bench.growth [--rounds 5] [--seconds 2] [--orders 100000]
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from bench.carts import carts
from bench.checkout import CLIENTS, measured
from bench.report import interleaved, publish, say, summary
from bench.stack import PROJECT, Bench, bench

PORT = 8330
STORES, KIOSKS = 4, 4
TIMES = 10
PAGES = {
    "board": "/kitchen/orders/",
    "dashboard": "/admin/",
    "list of orders": "/admin/orders/order/",
    "money desk": "/admin/payments/closing/dinheiro/",
}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--orders", type=int, default=100_000)
    options = parser.parse_args()
    with bench() as run:
        sizes = {"young": options.orders, "old": options.orders * TIMES}
        calls = {}
        for place, (name, orders) in enumerate(sizes.items()):
            say(f"filling {orders:,} orders …")
            calls[name] = _shop(run, name, PORT + 2 * place, orders, options.seconds)
        variants = {f"{kind}, {name}": calls[name][kind] for kind in calls["young"] for name in sizes}
        for variant in variants.values():
            variant()  # caches and plans are warm from here on
        facts = {"clients": CLIENTS, "seconds": options.seconds, "orders": sizes}
        publish("growth", run, summary(interleaved(variants, options.rounds)), facts)


def _shop(run: Bench, name: str, port: int, orders: int, seconds: float) -> dict[str, Any]:
    """Open a shop with a past and return what can be asked of it."""
    world = run.fill(PROJECT, name, str(STORES), str(KIOSKS))
    environ = run.environ(name, port) | {"DB_POOL": "0"}
    past = [sys.executable, str(PROJECT / "bench" / "history.py"), str(orders)]
    told = subprocess.run(past, cwd=PROJECT, env=environ, check=True, stdout=subprocess.PIPE, text=True)
    eyes = json.loads(told.stdout)
    run.postgres.run(name, "VACUUM ANALYZE", "CHECKPOINT")
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    subprocess.run(collect, cwd=PROJECT, env=environ, check=True)
    web = run.web(PROJECT, name, port)
    sold = [(token, json.dumps(body)) for _, token, body in carts(world, "spread")]
    requests = {
        "checkout": [
            _request(f"POST /api/v1/orders/checkout HTTP/1.1\r\nAuthorization: Device {token}", body)
            for token, body in sold
        ],
        "poll": [
            _request(f"GET /api/v1/orders/{eyes['order']}/status HTTP/1.1\r\nAuthorization: Device {eyes['board']}")
        ],
    }
    cookies = f"Cookie: bm_device={eyes['board']}; sessionid={eyes['session']}"
    requests |= {kind: [_request(f"GET {path} HTTP/1.1\r\n{cookies}")] for kind, path in PAGES.items()}

    def over(asked: list[dict[str, Any]]) -> Any:
        plan = {"host": "127.0.0.1", "port": port, "clients": CLIENTS, "seconds": seconds, "requests": asked}
        return lambda: measured(run, web, json.dumps(plan))

    return {kind: over(asked) for kind, asked in requests.items()}


def _request(head: str, body: str = "") -> dict[str, Any]:
    return {"head": f"{head}\r\nHost: 127.0.0.1\r\n", "body": body, "keyed": bool(body)}


if __name__ == "__main__":
    main()

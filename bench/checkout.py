"""Checkout over HTTP, spread over many stores and all on one hot product, beside pgbench with the same statements.

    .venv/bin/python -m bench.checkout [--rounds 5] [--seconds 4] [--against FOLDER]

``--against`` takes the folder of another version of this project and measures it in the same rounds.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.carts import carts
from bench.report import interleaved, publish, say, summary
from bench.stack import PROJECT, Bench, Program, bench

CLIENTS = 16
STORES = 50
KIOSKS = 4
PORT = 8310
TRANSACTIONS = 100  # of each client of pgbench, each with parameters made before
FLUSH_MORE = "2000"  # microseconds
CLEAR = (
    "TRUNCATE orders_order CASCADE",
    "TRUNCATE core_idempotencykey, core_storedevent, inventory_reservation, core_ratewindow, orders_numbercounter",
    "UPDATE inventory_stocklevel SET reserved = 0",
    "VACUUM inventory_stocklevel",
    "CHECKPOINT",
)
# What apps/orders/numbers.py and apps/orders/checkout.py send.
PGBENCH = r"""
\set n :n + 1
\set place :client_id * {each} + :n
WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO orders_numbercounter AS counter (store_id, business_day, value)
SELECT store, (now() AT TIME ZONE 'America/Sao_Paulo' - '0 hours 0 minutes'::interval)::date, 1
FROM relaxed, bench_payload WHERE kind = '{kind}' AND place = :place
ON CONFLICT (store_id, business_day) DO UPDATE SET value = counter.value + 1
RETURNING business_day, value, now();
BEGIN;
SELECT orders_checkout(asked, hash, answer) FROM bench_payload WHERE kind = '{kind}' AND place = :place;
COMMIT;
"""


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    with bench() as run:
        say("filling …")
        world = run.fill(PROJECT, "ours", str(STORES), str(KIOSKS))
        (run.folder / "world.json").write_text(json.dumps(world))
        number = CLIENTS * TRANSACTIONS
        words = [sys.executable, "-m", "bench.payloads", str(run.folder / "world.json"), str(number)]
        subprocess.run(words, cwd=PROJECT, env=run.environ("ours", 1) | {"DB_POOL": "0"}, check=True)
        web = run.web(PROJECT, "ours", PORT)
        variants: dict[str, Any] = {}
        for kind in ("spread", "hot"):
            for slow in (False, True):
                name = f"{kind}, +2 ms a flush" if slow else kind
                variants[name] = _over_http(run, web, "ours", PORT, world, kind, options.seconds, slow=slow)
            variants[f"{kind}, pgbench"] = _over_pgbench(run, kind, TRANSACTIONS)
        if options.against:
            other = run.fill(options.against, "other", str(STORES), str(KIOSKS))
            before = run.web(options.against, "other", PORT + 4)
            for kind in ("spread", "hot"):
                variants[f"{kind}, before"] = _over_http(run, before, "other", PORT + 4, other, kind, options.seconds)
        for variant in variants.values():
            variant()  # caches and plans are warm from here on
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'ours'"
        seen = interleaved(variants, options.rounds)
        facts = {"clients": CLIENTS, "stores": STORES, "seconds": options.seconds}
        facts["deadlocks"] = run.postgres.run("ours", deadlocks)
        publish("checkout", run, summary(seen), facts)


def _over_http(
    run: Bench,
    web: Program,
    database: str,
    port: int,
    world: dict[str, Any],
    kind: str,
    seconds: float,
    *,
    slow: bool = False,
) -> Any:
    head = "POST /api/v1/orders/checkout HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Device {token}\r\n"
    requests = [
        {"head": head.format(token=token), "body": json.dumps(body), "keyed": True}
        for _, token, body in carts(world, kind)
    ]
    plan = json.dumps({"host": "127.0.0.1", "port": port, "clients": CLIENTS, "seconds": seconds, "requests": requests})

    def once() -> dict[str, Any]:
        _prepare(run, database, slow=slow)
        return measured(run, web, plan)

    return once


def measured(run: Bench, web: Program, plan: str) -> dict[str, Any]:
    """Let the generator do a plan; return its figures with the CPU each answer took."""
    app, pg = web.cpu_seconds(), run.postgres.program.cpu_seconds()
    load = subprocess.run(
        [sys.executable, "-m", "bench.load"], cwd=PROJECT, input=plan, capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(load.stdout)
    answered = max(sum(told["statuses"].values()), 1)
    told["app_ms"] = 1000 * (web.cpu_seconds() - app) / answered
    told["pg_ms"] = 1000 * (run.postgres.program.cpu_seconds() - pg) / answered
    return told


def _over_pgbench(run: Bench, kind: str, each: int) -> Any:
    script = run.folder / f"{kind}.sql"
    script.write_text(PGBENCH.format(kind=kind, each=each))
    command = [
        str(run.postgres.programs / "pgbench"),
        "-n",
        "-M",
        "prepared",
        "-c",
        str(CLIENTS),
        "-j",
        "2",
        "-t",
        str(each),
        "-D",
        "n=0",
    ]
    command += ["-f", str(script), "-h", str(run.postgres.sockets), "-U", "breadmate", "ours"]

    def once() -> dict[str, Any]:
        _prepare(run, "ours", slow=False)
        before = run.postgres.program.cpu_seconds()
        told = subprocess.run(command, cwd="/", stdout=subprocess.PIPE, text=True, check=True).stdout
        rate = re.search(r"tps = ([\d.]+) \(without", told)
        latency = re.search(r"latency average = ([\d.]+) ms", told)
        failed = re.search(r"number of failed transactions: (\d+)", told)
        if rate is None or latency is None:
            raise ValueError(told)
        return {
            "rate": float(rate[1]),
            "pg_ms": 1000 * (run.postgres.program.cpu_seconds() - before) / (each * CLIENTS),
            "p50_ms": float(latency[1]),
            "bad": int(failed[1]) if failed else 0,
        }

    return once


def _prepare(run: Bench, database: str, *, slow: bool) -> None:
    """Begin every run with the same empty tables."""
    delay, siblings = (FLUSH_MORE, "0") if slow else ("0", "5")
    run.postgres.run(
        database,
        *CLEAR,
        f"ALTER SYSTEM SET commit_delay = {delay}",
        f"ALTER SYSTEM SET commit_siblings = {siblings}",
        "SELECT pg_reload_conf()",
    )


if __name__ == "__main__":
    main()

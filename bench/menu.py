"""The warm menu of 40 products with options, beside a plain Django hello on the same workers.

.venv/bin/python -m bench.menu [--rounds 5] [--seconds 3]
"""

import argparse
import json
from typing import Any

from bench.checkout import CLIENTS, measured
from bench.report import interleaved, publish, say, summary
from bench.stack import PROJECT, Program, bench

PORT = 8314


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    with bench() as run:
        say("filling …")
        world = run.fill(PROJECT, "ours", "2", "8")
        web, hello = run.web(PROJECT, "ours", PORT), run.hello(PORT + 2)
        tokens = world["stores"][1]["tokens"]
        heads = [
            f"GET /api/v1/menu HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Device {token}\r\n" for token in tokens
        ]

        def asks(program: Program, port: int, heads: list[str]) -> Any:
            requests = [{"head": head, "body": "", "keyed": False} for head in heads]
            plan = {"host": "127.0.0.1", "port": port, "clients": CLIENTS, "seconds": options.seconds}
            return lambda: measured(run, program, json.dumps(plan | {"requests": requests}))

        gzipped = [f"{head}Accept-Encoding: gzip\r\n" for head in heads]
        variants = {
            "menu": asks(web, PORT, heads),
            "menu, gzip": asks(web, PORT, gzipped),
            "hello": asks(hello, PORT + 2, ["GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n"]),
        }
        for variant in variants.values():
            variant()
        publish(
            "menu",
            run,
            summary(interleaved(variants, options.rounds)),
            {"clients": CLIENTS, "seconds": options.seconds},
        )


if __name__ == "__main__":
    main()

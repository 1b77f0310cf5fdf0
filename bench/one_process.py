"""Calls the WSGI application of a version in this very process; run by its path in that version's folder.

Reads lines ``KIND CALLS`` (menu, checkout, poll) and answers each with the CPU milliseconds one call took. With ``--profile``
as its last word, tells what took them instead.
"""

import cProfile
import io
import json
import os
import pstats
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

EACH_PLACED = 64


def environ(method: str, path: str, token: str, body: bytes = b"", **more: str) -> dict[str, Any]:
    """Return what gunicorn would hand over."""
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "4000",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Device {token}",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "CONTENT_TYPE": "application/json" if body else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **more,
    }


def main(world: dict[str, Any], *, profile: bool) -> None:
    """Answer until there are no more lines."""
    sys.path.insert(0, str(Path.cwd()))
    os.environ["DJANGO_SETTINGS_MODULE"] = "breadmate.settings"
    from breadmate.wsgi import application

    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from bench.carts import carts

    placed: list[tuple[str, str]] = []
    ordered = [(token, json.dumps(body).encode()) for _, token, body in carts(world, "spread")[:EACH_PLACED]]
    tokens = world["stores"][1]["tokens"]

    def ask(told: dict[str, Any]) -> tuple[int, bytes]:
        seen: list[str] = []
        answer = application(told, lambda status, _: seen.append(status))
        body = b"".join(answer)
        answer.close()
        return int(seen[0][:3]), body

    def menu(number: int) -> tuple[int, bytes]:
        return ask(environ("GET", "/api/v1/menu", tokens[number % len(tokens)]))

    def checkout(number: int) -> tuple[int, bytes]:
        token, body = ordered[number % len(ordered)]
        status, answer = ask(environ("POST", "/api/v1/orders/checkout", token, body, HTTP_IDEMPOTENCY_KEY=uuid4().hex))
        placed[:] = [*placed[-EACH_PLACED:], (token, json.loads(answer)["id"])] if number < EACH_PLACED else placed
        return status, answer

    def poll(number: int) -> tuple[int, bytes]:
        token, order = placed[number % len(placed)]
        return ask(environ("GET", f"/api/v1/orders/{order}/status", token))

    kinds = {"menu": menu, "checkout": checkout, "poll": poll}
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        kind, calls = line.split()
        watch = cProfile.Profile(time.process_time) if profile else None
        begun = time.process_time()
        if watch:
            watch.enable()
        bad = sum(kinds[kind](number)[0] not in (200, 201) for number in range(int(calls)))
        if watch:
            watch.disable()
            pstats.Stats(watch, stream=sys.stderr).sort_stats("tottime").print_stats(60)
            pstats.Stats(watch, stream=sys.stderr).sort_stats("cumulative").print_stats(110)
        taken = 1000 * (time.process_time() - begun) / int(calls)
        print(json.dumps({"app_ms": taken, "bad": bad}), flush=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()), profile=sys.argv[-1] == "--profile")

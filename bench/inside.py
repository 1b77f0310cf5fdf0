"""CPU of one menu, checkout and poll inside one process, without server and network, beside another version's.

    .venv/bin/python -m bench.inside [--rounds 5] [--against FOLDER]

For a machine with other work on it: rates mean nothing there, CPU a call does.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.report import say
from bench.stack import PROJECT, Bench, bench

CALLS = {"menu": 1500, "checkout": 250, "poll": 500}
STORES, KIOSKS = "50", "4"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    with bench() as run:
        versions = {"ours": PROJECT} | ({"other": options.against} if options.against else {})
        callers = {name: _caller(run, name, folder) for name, folder in versions.items()}
        for kind in ("checkout", "menu", "poll"):
            for caller in callers.values():
                _measured(run, caller, kind)
        seen: dict[tuple[str, str], list[dict[str, float]]] = {}
        for number in range(options.rounds):
            for kind in CALLS:
                for name in list(callers) if number % 2 else list(reversed(callers)):
                    seen.setdefault((kind, name), []).append(_measured(run, callers[name], kind))
        for caller in callers.values():
            caller.communicate()
        say(f"{'':<20}{'app ms':>8}{'least':>8}{'pg ms':>8}{'least':>8}{'sum':>8}{'bad':>5}")
        for (kind, name), found in seen.items():
            app, pg = [each["app_ms"] for each in found], [each["pg_ms"] for each in found]
            median = statistics.median
            say(
                f"{kind + ', ' + name:<20}{median(app):>8.2f}{min(app):>8.2f}{median(pg):>8.2f}{min(pg):>8.2f}"
                f"{median(app) + median(pg):>8.2f}{sum(each['bad'] for each in found):>5.0f}"
            )


def _caller(run: Bench, name: str, folder: Path) -> "subprocess.Popen[str]":
    world = run.folder / f"{name}.json"
    world.write_text(json.dumps(run.fill(folder, name, STORES, KIOSKS)))
    command = [sys.executable, str(PROJECT / "bench" / "one_process.py"), str(world)]
    with (run.folder / f"{name}.log").open("wb") as log:
        caller = subprocess.Popen(
            command,
            cwd=folder,
            env=run.environ(name, 1) | {"BREADMATE_ROLE": "web"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    _told(caller)
    return caller


def _measured(run: Bench, caller: "subprocess.Popen[str]", kind: str) -> dict[str, float]:
    before = run.postgres.program.cpu_seconds()
    if caller.stdin is None:
        raise ValueError(kind)
    caller.stdin.write(f"{kind} {CALLS[kind]}\n")
    caller.stdin.flush()
    told = _told(caller)
    return told | {"pg_ms": 1000 * (run.postgres.program.cpu_seconds() - before) / CALLS[kind]}


def _told(caller: "subprocess.Popen[str]") -> dict[str, Any]:
    if caller.stdout is None:
        raise ValueError
    told: dict[str, Any] = json.loads(caller.stdout.readline())
    return told


if __name__ == "__main__":
    main()

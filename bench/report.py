"""Rounds, medians, the table on the screen and the file in ``bench/results``."""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.stack import Bench

RESULTS = Path(__file__).resolve().parent / "results"
SHOWN = ("rate", "app_ms", "pg_ms", "p50_ms", "p99_ms")


def interleaved(variants: Mapping[str, Callable[[], dict[str, Any]]], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Run every variant once a round, forwards and backwards in turn, so that a drift of the machine hits all alike."""
    seen: dict[str, list[dict[str, Any]]] = {name: [] for name in variants}
    for number in range(rounds):
        names = list(variants) if number % 2 == 0 else list(reversed(variants))
        for name in names:
            seen[name].append(variants[name]())
            told = seen[name][-1]
            say(f"round {number + 1}/{rounds}  {name:<28} {told['rate']:8.0f}/s  bad {told.get('bad', 0)}")
    return seen


def summary(seen: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return median, least and most of each figure, and the sum of what went wrong."""
    return {
        name: {
            figure: {
                "median": round(statistics.median(values), 3),
                "least": round(min(values), 3),
                "most": round(max(values), 3),
            }
            for figure in SHOWN
            if (values := [run[figure] for run in runs if figure in run])
        }
        | {"bad": sum(run.get("bad", 0) for run in runs), "rounds": len(runs)}
        for name, runs in seen.items()
    }


def publish(name: str, bench: Bench, found: dict[str, dict[str, Any]], facts: dict[str, Any]) -> Path:
    """Print the table and write the file."""
    say(f"\n{'':<28}{'per s':>8}  {'range':>13}{'app ms':>9}{'pg ms':>8}{'p50':>8}{'p99':>8}{'bad':>6}")
    for variant, figures in found.items():
        rate = figures["rate"]
        cells = "".join(
            f"{figures[figure]['median']:>{width}.2f}" if figure in figures else " " * width
            for figure, width in (("app_ms", 9), ("pg_ms", 8), ("p50_ms", 8), ("p99_ms", 8))
        )
        span = f"{rate['least']:.0f} to {rate['most']:.0f}"
        say(f"{variant:<28}{rate['median']:>8.0f}  {span:>13}{cells}{figures['bad']:>6}")
    at = datetime.now(UTC)
    document = {"bench": name, "at": at.isoformat(timespec="seconds"), "command": command(), **facts}
    document |= {"machine": machine(bench), "figures": found}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{at:%Y-%m-%d}-{name}.json"
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    say(f"\nwritten to {path.relative_to(RESULTS.parent.parent)}")
    return path


def command() -> str:
    """Return how this bench was called, without the places of this machine."""
    words = [word if "/" not in word else Path(word).name for word in sys.argv[1:]]
    module = Path(sys.argv[0]).stem
    return " ".join([".venv/bin/python -m", f"bench.{module}", *words])


def machine(bench: Bench) -> dict[str, Any]:
    """Say on what this was measured."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "load_before": [round(load, 1) for load in os.getloadavg()],
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("django", "djangorestframework", "gunicorn", "psycopg")},
        "postgres": bench.postgres.run("postgres", "SHOW server_version"),
        "fdatasync_us": flush_microseconds(bench),
    }


def flush_microseconds(bench: Bench) -> float | None:
    """Ask ``pg_test_fsync`` how long one flush of this disk takes."""
    file = bench.postgres.sockets / "flush"
    program = [str(bench.postgres.programs / "pg_test_fsync"), "-s", "1", "-f", str(file)]
    told = subprocess.run(
        program, cwd="/", capture_output=True, text=True, check=False, **bench.postgres.account.switch
    )
    found = re.search(r"fdatasync\s+[\d.]+ ops/sec\s+([\d.]+) usecs/op", told.stdout)
    return float(found[1]) if found else None


def say(line: str) -> None:
    """Print a line now."""
    print(line, flush=True)

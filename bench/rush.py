"""One rush on a whole shop of its own, in one command: started with the limits raised, filled, busy, audited, gone.

    .venv/bin/python -m bench.rush [--kiosks 50] [--minutes 10] [--rate 20] [--seed 7]

Writes ``docs/rush/<date>.html``. What a rush is and what its figures mean: docs/rush.md.
"""

import argparse
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.report import say
from tests.stack import Stack

REPORTS = Path(__file__).resolve().parents[1] / "docs" / "rush"
# The provider's pace is the account's, not the machine's; a totem of the rush serves many guests at once.
SETTINGS = {"MP_RATE": "500", "LIMIT_CHECKOUT_PER_MINUTE": "100000", "LIMIT_OPEN_UNPAID": "1000"}


def main() -> int:
    """Run it; the exit code is the rush's own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kiosks", default="50")
    parser.add_argument("--minutes", default="10")
    parser.add_argument("--rate", default="20")
    parser.add_argument("--seed", default="7")
    options = vars(parser.parse_args())
    report = REPORTS / f"{datetime.now(UTC):%Y-%m-%d}.html"
    say(f"load before: {os.getloadavg()[0]:.1f}")
    with Stack(settings=SETTINGS) as stack:
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        command = [sys.executable, "manage.py", "simulate_rush", *words, "--report", str(report)]
        return subprocess.run(command, cwd=stack.project, env=stack.environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

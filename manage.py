#!/usr/bin/env python
"""Django's command line, joined to the running stack.

``./run`` writes ``.run/env`` while it is up; without a ``DATABASE_URL`` of its own every command takes its settings from
there, so that ``manage.py shell`` or ``audit_invariants`` sees the same shop as the browser.
"""

import os
import sys
from pathlib import Path

LASTING = {"engine"}  # others use one connection and end
WITHOUT_DATABASE = {
    "check",
    "collectstatic",
    "compilemessages",
    "help",
    "makemessages",
    "makemigrations",
    "spectacular",
    "write_docs",
}


def join_running_stack(command: str) -> None:
    """Read ``.run/env`` unless the caller brought a database; end with one clear line when there is neither."""
    if "DATABASE_URL" in os.environ:
        return
    run_dir = Path(os.environ.get("RUN_DIR") or Path(__file__).resolve().parent / ".run")
    try:
        lines = (run_dir / "env").read_text().splitlines()
    except FileNotFoundError:
        if command in WITHOUT_DATABASE or command.startswith("-"):
            return
        sys.exit("not running: ./run")
    for line in lines:
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)


def main() -> None:
    """Run one management command."""
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    join_running_stack(command)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breadmate.settings")
    if command not in LASTING:
        os.environ.setdefault("DB_POOL", "0")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings must be known first

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

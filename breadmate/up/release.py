"""Another release for a shop that stays where it is: fetched by git, started in place, and back again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from breadmate.up import plan
from breadmate.up.errors import StartError
from breadmate.up.plan import PROJECT, Plan

RESTART_SECONDS = 300.0
Say = Callable[[str], None]


def update(wanted: Plan, given: Mapping[str, str], source: str, say: Say) -> None:
    """Back up, fetch the next release, start it in place of the running one.

    Args:
        source: what ``git pull`` takes: a remote, a folder or a bundle; empty for where the clone came from.

    Raises:
        StartError: something failed; says how it stands and how to go back.
    """
    if wanted.backup_dir is None:
        raise StartError("No update without a backup: set BACKUP_DIR in shop.env first.")
    before = _git("rev-parse", "HEAD")
    say(f"This is release {before[:12]}; making a backup first.")
    made = subprocess.run([sys.executable, "-m", "breadmate.backup", "now"], cwd=PROJECT, env=dict(given), check=False)
    if made.returncode:
        raise StartError("The backup failed: nothing was changed.")
    _git("pull", "--quiet", "--ff-only", *([source] if source else []))
    after = _git("rev-parse", "HEAD")
    if after == before:
        say("There is nothing newer: nothing was changed.")
        return
    plan.write_private(_before(wanted), before + "\n")
    say(f"Release {after[:12]} is here, starting it. Back to the one before: ./run --rollback")
    restart(wanted, say)


def rollback(wanted: Plan, say: Say) -> None:
    """Start the release before the last update in place of the running one. The database stays as it is.

    Raises:
        StartError: there was none, or it does not start.
    """
    try:
        before = _before(wanted).read_text().strip()
    except FileNotFoundError:
        raise StartError("There was no update to go back from.") from None
    _git("reset", "--quiet", "--keep", before)
    _before(wanted).unlink()
    say(f"Release {before[:12]} is back, starting it.")
    restart(wanted, say)


def restart(wanted: Plan, say: Say) -> None:
    """Have the running supervisor stop everything and begin again with what is in the folder now; wait until it is open.

    Raises:
        StartError: it does not open.
    """
    try:
        supervisor = int(json.loads((wanted.run_dir / "pids.json").read_text())["supervisor"])
        os.kill(supervisor, signal.SIGUSR1)
    except (OSError, ValueError, KeyError):
        say("The shop is not open: it begins with this release at the next ./run --shop.")
        return
    state = wanted.run_dir / "lock"
    begun, said_stopping = time.monotonic(), False
    while time.monotonic() - begun < RESTART_SECONDS:
        told = state.read_text().split()
        said_stopping = said_stopping or told[-1:] != ["running"]
        if said_stopping and told[-1:] == ["running"]:
            say(f"Open again after {time.monotonic() - begun:.0f} s.")
            return
        if not _is_there(supervisor):
            break
        time.sleep(0.1)
    raise StartError(f"The shop did not open: see {wanted.run_dir / 'log'}. The release before: ./run --rollback")


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _before(wanted: Plan) -> Path:
    return wanted.run_dir / "release.before"


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S607
    except FileNotFoundError:
        raise StartError("git is missing. Type:  sudo apt-get install -y git") from None
    if done.returncode:
        raise StartError(f"git {words[0]} failed, nothing was started: {done.stderr.strip()}")
    return done.stdout.strip()

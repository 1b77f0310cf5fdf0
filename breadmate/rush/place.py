"""The folder in RUN_DIR through which a rush and whoever watches it speak: one rush at a time, its figures, its troubles."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from breadmate.rush.guests import Trouble


class BusyError(Exception):
    """Another rush is running."""


class Place:
    """``RUN_DIR/rush``. Its lock is the lease of the one rush that runs; the kernel gives it back however that ends."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.folder = run_dir / "rush"
        self.report = self.folder / "relatorio.html"
        self._figures = self.folder / "figures.json"
        # A file for each kind: two buttons may be pressed at once and be answered by two processes.
        self._troubles = {kind: self.folder / f"trouble-{kind}.json" for kind in ("silence", "lost", "cut")}

    @contextlib.contextmanager
    def lease(self) -> Iterator[None]:
        """Be the one rush.

        Raises:
            BusyError: there is one.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with (self.folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError from None
            for file in self._troubles.values():
                file.unlink(missing_ok=True)
            yield

    def is_taken(self) -> bool:
        """Tell whether a rush runs."""
        try:
            with (self.folder / "lock").open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def tell(self, figures: dict[str, Any]) -> None:
        """Leave the figures of this moment."""
        _replace(self._figures, figures)

    def told(self) -> dict[str, Any]:
        """Return the last figures, nothing before the first rush."""
        return _read(self._figures)

    def make_trouble(self, kind: str, *, until: float, **more: Any) -> None:
        """Ask for ``silence``, ``lost`` or ``cut`` (with its ``cut_kiosk``) until a moment of the wall's clock."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        _replace(self._troubles[kind], {kind: until, **more})

    def asked(self) -> dict[str, Any]:
        """Return the trouble that was asked for."""
        return {name: value for file in self._troubles.values() for name, value in _read(file).items()}

    def trouble(self, now_s: float) -> Trouble:
        """Return the trouble asked for, on the rush's own clock, where it is ``now_s`` now."""
        asked, offset = self.asked(), now_s - time.time()
        return Trouble(
            lost_until_s=asked.get("lost", 0.0) + offset,
            cut_kiosk=asked.get("cut_kiosk"),
            cut_until_s=asked.get("cut", 0.0) + offset,
        )

    def pids(self) -> dict[str, int]:
        """Name the processes of the stack."""
        return _read(self.run_dir / "pids.json")

    def stack_is_up(self) -> bool:
        """Tell whether the stack that this rush runs on is there: its supervisor takes this file along."""
        return (self.run_dir / "env").exists()


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


def _replace(path: Path, told: dict[str, Any]) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(json.dumps(told))
    new.replace(path)

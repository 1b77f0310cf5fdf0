"""The folder backups are kept in: what its files are called, which of them belong together, which are too old.

::

    about.json                                                 whose backups these are: the cluster, the key
    status.json, drill.json                                    what the keeper and the last drill found
    base/20261122T070003Z-000000010000000000000005.tar.gz.age  a copy of the whole server, and the first log file it needs
    files/20261122T070003Z.tar.gz.age                          photos and settings
    wal/000000010000000000000005.gz.age                        all that was written since, in pieces of 16 MB
    wal/000000010000000000000006.partial.gz.age                the piece that is being written

Every file appears whole or not at all, so the folder can be copied elsewhere at any moment.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BASE = re.compile(r"(\d{8}T\d{6}Z)-([0-9A-F]{24})\.tar\.gz\.age")
SEGMENT = re.compile(r"([0-9A-F]{24})(\.partial)?\.gz\.age")
SEGMENTS_A_FILE_NUMBER = 0x100  # of 16 MB each, as our servers write them
STAMP = "%Y%m%dT%H%M%SZ"
LEAST_KEPT = 2


class BackupError(Exception):
    """It cannot be done; the message is what its operator reads, and says what to do."""


@dataclass(frozen=True, slots=True)
class Base:
    """One copy of the whole server."""

    path: Path
    made_at: datetime
    first_segment: str


@dataclass(frozen=True, slots=True)
class Log:
    """The write-ahead log that a base needs: its files in order, and whether one is missing before the last."""

    files: dict[str, Path]  # name of the segment → where it is
    gap: bool


class Vault:
    """One folder of backups."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Make the folders inside; the folder itself must be there, for an unplugged disk must not go unnoticed.

        Raises:
            BackupError: it is not, or cannot be written.
        """
        if not self.folder.is_dir():
            raise BackupError(
                f"A pasta de backup {self.folder} não existe: ligue o disco ou crie a pasta (mkdir -p {self.folder})."
            )
        try:
            for name in ("base", "files", "wal"):
                (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise BackupError(f"Não dá para escrever em {self.folder}: {error.strerror}.") from None

    def about(self) -> dict[str, str]:
        """Say whose backups these are; empty when it holds none."""
        return {str(name): str(value) for name, value in self.read("about.json").items()}

    def read(self, name: str) -> dict[str, Any]:
        """Read one of the small files; empty when it is missing or broken."""
        try:
            told = json.loads((self.folder / name).read_text())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def write(self, name: str, told: dict[str, Any]) -> None:
        """Replace one of the small files."""
        with replacing(self.folder / name) as new:
            new.write_text(json.dumps(told, ensure_ascii=False) + "\n")

    def bases(self) -> list[Base]:
        """Return all copies, the oldest first."""
        named = ((path, BASE.fullmatch(path.name)) for path in sorted((self.folder / "base").glob("*.age")))
        return [Base(path, moment(name[1]), name[2]) for path, name in named if name]

    def log_since(self, base: Base) -> Log:
        """Return the log that brings a copy up to the last moment there is.

        A segment's place counts, not its timeline: after a restore a new one goes on at the same place.
        """
        files: dict[str, Path] = {}
        for path in sorted((self.folder / "wal").glob("*.gz.age")):  # a whole piece sorts before its partial
            named = SEGMENT.fullmatch(path.name)
            if named and place_of(named[1]) >= place_of(base.first_segment):
                files.setdefault(named[1], path)
        places = {place_of(name) for name in files}
        return Log(files, gap=bool(places) and places != set(range(place_of(base.first_segment), max(places) + 1)))

    def histories(self) -> list[Path]:
        """Return the files that say where a timeline left another."""
        return sorted((self.folder / "wal").glob("*.history.age"))

    def newest_write(self) -> datetime | None:
        """Say when the log was last added to."""
        times = [path.stat().st_mtime for path in (self.folder / "wal").glob("*.gz.age")]
        return datetime.fromtimestamp(max(times), UTC) if times else None

    def forget_old(self, *, days: int, now: datetime) -> None:
        """Remove copies older than ``days``, never the newest two, and the log that no copy needs any more."""
        bases = self.bases()
        kept = [base for base in bases if base in bases[-LEAST_KEPT:] or now - base.made_at < timedelta(days=days)]
        for base in bases:
            if base not in kept:
                base.path.unlink(missing_ok=True)
                (self.folder / "files" / f"{base.made_at:{STAMP}}.tar.gz.age").unlink(missing_ok=True)
        for path in (self.folder / "wal").glob("*.gz.age"):
            named = SEGMENT.fullmatch(path.name)
            if named and kept and place_of(named[1]) < min(place_of(base.first_segment) for base in kept):
                path.unlink(missing_ok=True)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a path to write to; it takes the place of ``target`` in one step when all went well."""
    new = target.with_name(target.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    try:
        yield new
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def place_of(segment: str) -> int:
    """Return the place of a segment in the log, whatever its timeline."""
    return int(segment[8:16], 16) * SEGMENTS_A_FILE_NUMBER + int(segment[16:], 16)


def moment(stamp: str) -> datetime:
    """Read the moment in a file's name."""
    return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)


def last_night(now: datetime, hour: int) -> datetime:
    """Return the last time this machine's clock showed ``hour`` o'clock."""
    local = now.astimezone()
    night = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return night if night <= local else night - timedelta(days=1)

"""The process that keeps the backups: the log sealed and put away every few seconds, a copy of everything each night.

It dies of whatever it cannot mend, loudly; the supervisor starts it again. It writes ``status.json`` last in every round,
so an old one says that something is wrong, whatever it is.
"""

import contextlib
import fcntl
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from pyrage import x25519

from breadmate.backup import age
from breadmate.backup.place import Place
from breadmate.backup.vault import SEGMENT, STAMP, BackupError, Base, Vault, last_night
from breadmate.up import leash
from breadmate.up.plan import PROJECT

ROUND_SECONDS = 10.0
AFTER_FAILURE_SECONDS = 600.0
HOOK_SECONDS = 600.0
NIGHT_HOUR = 4
NO_LONGER_THERE = "has already been removed"  # what Postgres says of a log file it was asked for too late
START_POINT = re.compile(r"write-ahead log start point: ([0-9A-F]+)/([0-9A-F]+) on timeline (\d+)")
SEGMENT_BITS = 24  # 16 MB
PRIVATE_FILES = ("shop.env", "secret_key")


class Keeper:
    """One keeper; there is one for a shop."""

    def __init__(self, place: Place, key: x25519.Identity) -> None:
        self.place, self.key = place, key
        self.stopping = threading.Event()
        self.shipped: dict[str, tuple[int, int]] = {}  # name in the spool → its size and time when it was put away
        self.nightly: subprocess.Popen[bytes] | None = None
        self.nightly_failed_at: float | None = None
        self.hook: subprocess.Popen[bytes] | None = None
        self.hook_began = 0.0
        self.hook_failed = False
        self.hook_wanted = False

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then put away the last of the log.

        Raises:
            BackupError: the folder, the server or the log is not as it must be.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        claim(self.place, self.key)
        self.place.spool.mkdir(mode=0o700, exist_ok=True)
        receiver = self._start_receiver()
        try:
            while not self.stopping.is_set():
                if receiver.poll() is not None:
                    self._explain(receiver)
                self.round()
                self.stopping.wait(ROUND_SECONDS)
        finally:
            for program in (self.nightly, self.hook):
                if program is not None and program.poll() is None:
                    program.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                receiver.send_signal(signal.SIGINT)
                receiver.wait(2)
        self._ship()

    def round(self) -> None:
        """Put away what is new, see to the night's work, and say that all of it went well."""
        self._ship()
        self._look_after_nightly()
        self._look_after_hook()
        self.place.vault.write(
            "status.json", {"shipped_at": datetime.now(UTC).isoformat(), "hook_failed": self.hook_failed}
        )

    def _start_receiver(self) -> subprocess.Popen[bytes]:
        command = [
            str(self.place.programs() / "pg_receivewal"),
            "-D",
            str(self.place.spool),
            "-d",
            self.place.database_url,
        ]
        with (self.place.plan.run_dir / "log" / "pg_receivewal.log").open("wb") as log:
            return subprocess.Popen(
                [*command, "--no-loop", "--no-password"],
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=leash.on_parent_death(signal.SIGTERM),  # noqa: PLW1509 - no other thread runs
            )

    def _explain(self, receiver: subprocess.Popen[bytes]) -> None:
        said = (self.place.plan.run_dir / "log" / "pg_receivewal.log").read_text(errors="replace").strip()
        if NO_LONGER_THERE in said:
            shutil.rmtree(self.place.spool)  # the next start finds it empty, goes on from now and makes a new copy
        raise BackupError(f"pg_receivewal terminou ({receiver.returncode}): {said.splitlines()[-1] if said else ''}")

    def _ship(self) -> None:
        """Put away every piece of the log that is new or has grown; keep the last whole one, where the receiver goes on."""
        for path in sorted(self.place.spool.iterdir()):
            with contextlib.suppress(FileNotFoundError):  # the receiver has just finished this partial one
                self._put_away(path)
        whole = sorted(path for path in self.place.spool.iterdir() if not path.suffix and path.name in self.shipped)
        for path in whole[:-1]:
            path.unlink()

    def _put_away(self, path: Path) -> None:
        seen = (path.stat().st_size, path.stat().st_mtime_ns)
        if self.shipped.get(path.name) == seen:
            return
        folder = self.place.vault.folder / "wal"
        if path.suffix == ".history":
            age.seal(io.BytesIO(path.read_bytes()), folder / f"{path.name}.age", self.key)
        elif SEGMENT.fullmatch(f"{path.name}.gz.age"):
            age.seal_packed(path.read_bytes(), folder / f"{path.name}.gz.age", self.key)
            if not path.suffix:
                (folder / f"{path.name}.partial.gz.age").unlink(missing_ok=True)
        self.shipped[path.name] = seen
        self.hook_wanted = True

    def _look_after_nightly(self) -> None:
        """Start the night's work when it is due: a copy, the old ones thrown away, a drill."""
        if self.nightly is not None:
            if self.nightly.poll() is None:
                return
            if self.nightly.returncode:
                self.nightly_failed_at = time.monotonic()
            self.nightly = None
            self.hook_wanted = True
        rested = self.nightly_failed_at is None or time.monotonic() - self.nightly_failed_at > AFTER_FAILURE_SECONDS
        if rested and is_copy_due(self.place.vault, datetime.now(UTC)):
            self.nightly_failed_at = None
            self.nightly = self._start([sys.executable, "-m", "breadmate.backup", "nightly"])

    def _look_after_hook(self) -> None:
        """Run the owner's own command after something was put away, one at a time and not for ever."""
        if self.hook is not None and self.hook.poll() is None:
            if time.monotonic() - self.hook_began > HOOK_SECONDS:
                self.hook.kill()
            return
        if self.hook is not None:
            self.hook_failed = self.hook.returncode != 0
            self.hook = None
        if self.place.plan.backup_hook and self.hook_wanted:
            self.hook_wanted, self.hook_began = False, time.monotonic()
            self.hook = self._start(["/bin/sh", "-c", self.place.plan.backup_hook])

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, "BACKUP_DIR": str(self.place.vault.folder)},
            stdin=subprocess.DEVNULL,
            preexec_fn=leash.on_parent_death(signal.SIGTERM),  # noqa: PLW1509 - no other thread runs
        )


def claim(place: Place, key: x25519.Identity) -> None:
    """See that the folder is this shop's, or make it so when it is nobody's yet.

    Raises:
        BackupError: it holds the backups of another shop, or of this one under another key.
    """
    place.vault.make()
    wanted = {"system": _system(place), "key": age.public(key)}
    about = place.vault.about()
    if not about:
        place.vault.write("about.json", wanted)
    elif about["system"] != wanted["system"]:
        raise BackupError(
            f"{place.vault.folder} tem os backups de OUTRO banco: restaure-os, ou dê a esta loja uma pasta vazia."
        )
    elif about["key"] != wanted["key"]:
        raise BackupError(
            f"Os backups em {place.vault.folder} foram fechados com outra chave: traga-a de volta para "
            f"{place.plan.backup_key}, ou comece em uma pasta vazia."
        )


def is_copy_due(vault: Vault, now: datetime) -> bool:
    """Tell whether a copy of everything is to be made: none since the last night, or none that today's log continues."""
    bases = vault.bases()
    if not bases or bases[-1].made_at < last_night(now, NIGHT_HOUR):
        return True
    return vault.log_since(bases[-1]).gap


def make_copy(place: Place, key: x25519.Identity) -> Base:
    """Copy the whole server, settings and photos into the folder, then throw away what is too old.

    Raises:
        BackupError: the folder is another shop's, another copy is being made, or this one failed.
    """
    claim(place, key)
    (place.plan.run_dir / "log").mkdir(mode=0o700, exist_ok=True)
    with (place.plan.run_dir / "backup.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError("Outra cópia está sendo feita agora: espere ela terminar.") from None
        now = datetime.now(UTC)
        copy_files(place, key, now)
        base = _copy_server(place, key, now)
    place.vault.forget_old(days=place.plan.backup_days, now=now)
    return base


def _copy_server(place: Place, key: x25519.Identity, now: datetime) -> Base:
    folder = place.vault.folder / "base"
    for left in folder.glob("*.making*"):
        left.unlink()
    unnamed = folder / f"{now:{STAMP}}.making"
    command = [str(place.programs() / "pg_basebackup"), "-d", place.database_url, "--no-password", "--verbose"]
    # With the log that was written meanwhile, so that it stands by itself.
    command += ["-D", "-", "-F", "tar", "-X", "fetch", "--compress=gzip:1", "--checkpoint=fast", "--no-manifest"]
    said_in = place.plan.run_dir / "log" / "pg_basebackup.log"
    with said_in.open("wb") as log:
        copying = subprocess.Popen(
            command,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            preexec_fn=leash.on_parent_death(signal.SIGTERM),  # noqa: PLW1509 - no other thread runs
        )
    with copying as program:
        if program.stdout is not None:  # a pipe, so it is there
            age.seal(program.stdout, unnamed, key)
    said = said_in.read_text(errors="replace").strip()
    point = START_POINT.search(said)
    if copying.returncode or point is None:
        unnamed.unlink()
        raise BackupError(f"pg_basebackup não conseguiu: {said.splitlines()[-1] if said else ''} (veja {said_in})")
    high, low, timeline = int(point[1], 16), int(point[2], 16), int(point[3])
    segment = f"{timeline:08X}{high:08X}{low >> SEGMENT_BITS:08X}"
    path = unnamed.rename(folder / f"{now:{STAMP}}-{segment}.tar.gz.age")
    return Base(path, now, segment)


def copy_files(place: Place, key: x25519.Identity, now: datetime) -> None:
    """Copy what is not in the database and cannot be made again: keys, settings, photos."""
    run_dir, media = place.plan.run_dir, place.plan.media_root
    with tempfile.TemporaryFile(dir=run_dir) as packed:
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
            for name in PRIVATE_FILES:
                if (run_dir / name).exists():
                    tar.add(run_dir / name, name)
            if media.is_dir():
                tar.add(media, "media")
        packed.seek(0)
        age.seal(packed, place.vault.folder / "files" / f"{now:{STAMP}}.tar.gz.age", key)


def _system(place: Place) -> str:
    """Ask the server which cluster it is: a restored one answers the same, a new one never."""
    try:
        with psycopg.connect(place.database_url, connect_timeout=5) as connection:
            row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    except psycopg.Error as error:
        raise BackupError(f"O banco não responde: {error}") from None
    return str(row[0]) if row else ""

"""The way back: a backup opened, its log replayed by a Postgres of its own, looked over before anybody sells with it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pyrage import x25519

from breadmate.backup import age
from breadmate.backup.place import Place
from breadmate.backup.vault import STAMP, BackupError, Base, Log
from breadmate.up import leash, plan, servers
from breadmate.up.shop import with_shop_settings

RECOVERY_SECONDS = 3600.0
TAIL_LINES = 12
SEGMENT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back."""

    base: Base
    log: Log
    seconds: float
    facts: dict[str, Any]  # what `manage.py after_restore` says

    @property
    def ok(self) -> bool:
        """Tell whether every rule holds over it and nothing of the log is missing."""
        return bool(self.facts["ok"]) and not self.log.gap


def newest_base(place: Place) -> Base:
    """Return the copy to restore from.

    Raises:
        BackupError: there is none.
    """
    bases = place.vault.bases()
    if not bases:
        raise BackupError(f"Não há backup em {place.vault.folder}.")
    return bases[-1]


def restore(place: Place, key: x25519.Identity, data: Path) -> Restored:
    """Bring the newest backup back as the data directory ``data``; one that is there is kept beside it, under another name.

    Raises:
        BackupError: the key or the files are not the right ones, or Postgres does not come up with them; ``data`` is as before.
    """
    begun = time.monotonic()
    base = newest_base(place)
    fresh = data.with_name(data.name + ".restored")
    with recovered(place, base, key, fresh) as (log, url):
        facts = look_over(place, url)
    if data.exists():
        data.rename(data.with_name(f"{data.name}-{datetime.now(UTC):{STAMP}}"))
    fresh.rename(data)
    shutil.rmtree(place.spool, ignore_errors=True)  # of the life before; the next one begins with a new copy
    return Restored(base, log, time.monotonic() - begun, facts)


def drill(place: Place, key: x25519.Identity) -> Restored:
    """Bring the newest backup back beside the shop, look it over, and throw it away.

    Raises:
        BackupError: as ``restore``.
    """
    begun = time.monotonic()
    base = newest_base(place)
    with recovered(place, base, key, place.data.with_name("drill")) as (log, url):
        facts = look_over(place, url)
    shutil.rmtree(place.data.with_name("drill"), ignore_errors=True)
    return Restored(base, log, time.monotonic() - begun, facts)


@contextmanager
def recovered(place: Place, base: Base, key: x25519.Identity, data: Path) -> Iterator[tuple[Log, str]]:
    """Run a Postgres on a backup: its log and its ``DATABASE_URL``; stopped cleanly afterwards, ``data`` stays.

    Raises:
        BackupError: as ``restore``.
    """
    account = servers.postgres_account()
    if data.parent == place.data.parent:  # else a folder of somebody's own, which stays as it is
        servers.open_way_to(data, place.plan.run_dir)
    log_folder = data.with_name(data.name + ".wal")
    for folder in (data, log_folder):
        shutil.rmtree(folder, ignore_errors=True)
        servers.private_folder(folder, servers.myself())
    tag = servers.tag_of(data)
    sockets = servers.socket_folder(account, tag)
    try:
        unpack(base.path, data, key)
        log = place.vault.log_since(base)
        for name, path in log.files.items():
            (log_folder / name).write_bytes(age.unseal_packed(path, key).ljust(SEGMENT_BYTES, b"\0"))
        for path in place.vault.histories():
            age.unseal(path, log_folder / path.name.removesuffix(".age"), key)
        (data / "recovery.signal").touch()
        (log_folder / "hba").write_text("local all all trust\n")
        (log_folder / "conf").touch()
        for folder in (data, log_folder):
            _give(folder, account)
        programs = place.server_programs(data)
        servers.check_cluster(programs, data, account)
        settings = servers.POSTGRES_SETTINGS | {
            "restore_command": f'cp "{log_folder}/%f" "%p"',
            "hot_standby": "off",  # it lets us in when all of the log is replayed
            "hba_file": str(log_folder / "hba"),
            "archive_mode": "off",
            # Of a server of somebody's own neither its settings file counts here nor what ALTER SYSTEM wrote.
            "config_file": str(log_folder / "conf"),
            "port": "5432",
            "ssl": "off",
            "logging_collector": "off",
            "shared_preload_libraries": "",
            "synchronous_standby_names": "",
        }
        with _running(programs, data, sockets, settings, account):
            yield log, _url_there(place, sockets)
    finally:
        shutil.rmtree(log_folder, ignore_errors=True)
        servers.remove_socket_folders(account, tag=tag)


def look_over(place: Place, url: str) -> dict[str, Any]:
    """Have the restored shop migrated, its numbers moved on and every rule checked.

    Raises:
        BackupError: it cannot be looked at.
    """
    given = with_shop_settings(place.given)
    settings = place.plan.shared_settings(
        database_url=url, redis_url="", secret_key=plan.secret_key(place.plan.run_dir, given), given=given
    )
    done = subprocess.run(
        [sys.executable, "manage.py", "after_restore"],
        cwd=plan.PROJECT,
        env={**os.environ, **given, **settings, "DB_POOL": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"O backup abriu, mas não pôde ser conferido:\n{_tail(done.stdout + done.stderr)}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def unpack(archive: Path, folder: Path, key: x25519.Identity) -> None:
    """Open an archive into a folder.

    Raises:
        BackupError: it was sealed for another key, or is not whole.
    """
    opened = folder.with_name(folder.name + ".tar")
    opened.touch(mode=0o600)
    try:
        age.unseal(archive, opened, key)
        with tarfile.open(opened) as tar:
            tar.extraction_filter = lambda member, _: member  # _harmless has looked
            tar.extractall(folder, _harmless(tar))  # noqa: S202 - each member was looked at
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BackupError(f"{archive} não pôde ser aberto: {error}.") from None
    finally:
        opened.unlink(missing_ok=True)


def _harmless(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Let files and folders through that stay below, as ours: Debian 12's Python came without the filter that does so."""
    for member in tar:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or not (member.isreg() or member.isdir()):
            raise tarfile.ExtractError(f"{member.name} não pertence a um backup")
        member.uid, member.gid, member.uname, member.gname = os.geteuid(), os.getegid(), "", ""
        member.mode &= 0o755
        yield member


def bring_files_back(place: Place, key: x25519.Identity) -> None:
    """Put settings and photos back where there are none; what is there stays."""
    archives = sorted((place.vault.folder / "files").glob("*.tar.gz.age"))
    if not archives:
        return
    work = place.plan.run_dir / "files.restored"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        unpack(archives[-1], work, key)
        for found in sorted(path for path in work.rglob("*") if path.is_file()):
            inside = found.relative_to(work)
            target = (
                place.plan.media_root / inside.relative_to("media")
                if inside.parts[0] == "media"
                else place.plan.run_dir / inside
            )
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(found, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _running(
    programs: Path, data: Path, sockets: Path, settings: dict[str, str], account: servers.Account
) -> Iterator[None]:
    """Run Postgres until its recovery is over and as long as it is used."""
    output = data.with_name(data.name + ".log")
    command = servers.postgres_command(programs, data, sockets, settings)
    with output.open("wb") as log:
        program = subprocess.Popen(
            command,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=leash.on_parent_death(signal.SIGINT),  # noqa: PLW1509 - there is one thread
            **account.switch,
        )
    try:
        end = time.monotonic() + RECOVERY_SECONDS
        while not servers.postgres_answers(programs, sockets):
            if program.poll() is not None or time.monotonic() > end:
                raise BackupError(f"O Postgres não subiu com este backup:\n{_tail(output.read_text(errors='replace'))}")
            time.sleep(0.1)
        yield
    finally:
        if program.poll() is None:
            program.send_signal(signal.SIGINT)
        program.wait()
    output.unlink(missing_ok=True)


def _url_there(place: Place, sockets: Path) -> str:
    """Say where the shop's database is in the restored server, whatever it is called."""
    if place.ours:
        return servers.database_url(sockets)
    asked = urlsplit(place.database_url)
    return (
        f"postgres://{asked.username or servers.SUPERUSER}@/{asked.path.lstrip('/') or servers.DATABASE}?host={sockets}"
    )


def _give(folder: Path, account: servers.Account) -> None:
    """Hand a folder and all in it to an account, private as Postgres wants it."""
    for where, _, names in os.walk(folder):
        for path in (Path(where), *(Path(where, name) for name in names)):
            os.chown(path, account.uid, account.gid)
    folder.chmod(0o700)


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-TAIL_LINES:])

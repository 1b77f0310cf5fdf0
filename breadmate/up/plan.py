"""Reads the environment into one plan: addresses, folders, and what the children get to know."""

import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from breadmate.up.errors import StartError
from breadmate.up.servers import tag_of

PROJECT = Path(__file__).resolve().parents[2]
# What a command joining the stack must see as the stack's own processes do; all else in its environment is its own.
JOINING = re.compile(
    r"(MP|ORDER|COUNTER|CUSTOMER|PAYMENT|REFUND|STATION|LIMIT|NUM|BREADMATE|LOG|EMAIL|ALLOWED|BEHIND)_[A-Z0-9_]+"
)
HIGHEST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything the supervisor decides before it starts the first process."""

    bind: str
    port: int
    stream_port: int
    metrics_port: int
    simulator_port: int | None  # None: a real provider, or another simulator, is at MP_BASE_URL
    public_url: str
    stream_url: str
    tls: tuple[Path, Path] | None  # certificate, key
    workers: int
    database_url: str | None  # None: ours
    redis_url: str | None  # None: ours
    demo: bool
    run_dir: Path
    static_root: Path
    media_root: Path
    backup_dir: Path | None  # None: no backups
    backup_key: Path
    backup_days: int
    backup_hook: str | None
    tag: str  # names this stack's folders in /tmp and /var/tmp

    @property
    def web_url(self) -> str:
        """Where web answers from this machine, whatever the outside calls it."""
        return f"{'https' if self.tls else 'http'}://{_reachable(self.bind)}:{self.port}"

    @property
    def simulator_url(self) -> str | None:
        """Where the payment simulator answers, if it is ours."""
        return f"http://127.0.0.1:{self.simulator_port}" if self.simulator_port else None

    @property
    def metrics_dir(self) -> Path:
        """Where the processes that answer requests count them; emptied at every start."""
        return self.run_dir / "metrics"

    @property
    def ports(self) -> list[tuple[str, int, str]]:
        """Every TCP address the stack listens on: host, port, and the setting that moves it."""
        taken = [(self.bind, self.port, "PORT"), (self.bind, self.stream_port, "PORT (streams are served on PORT+1)")]
        taken.append(("127.0.0.1", self.metrics_port, "METRICS_PORT"))
        if self.simulator_port:
            taken.append(("127.0.0.1", self.simulator_port, "PORT (the payment simulator is on PORT+3)"))
        return taken

    def shared_settings(
        self, *, database_url: str, redis_url: str, secret_key: str, given: Mapping[str, str]
    ) -> dict[str, str]:
        """Name every setting that processes of this stack, and commands joining it, have in common."""
        settings = {name: value for name, value in given.items() if JOINING.fullmatch(name) and "\n" not in value}
        settings |= {
            "BREADMATE_ENV": given.get("BREADMATE_ENV") or "development",
            "SECRET_KEY": secret_key,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BIND": self.bind,
            "PORT": str(self.port),
            "METRICS_PORT": str(self.metrics_port),
            "PUBLIC_URL": self.public_url,
            "STREAM_URL": self.stream_url,
            "STATIC_ROOT": str(self.static_root),
            "MEDIA_ROOT": str(self.media_root),
            "WEB_WORKERS": str(self.workers),
            "DEMO": "1" if self.demo else "0",
            "BACKUP_DIR": str(self.backup_dir or ""),
        }
        if self.simulator_url:
            settings["MP_BASE_URL"] = self.simulator_url
            settings["MP_ACCESS_TOKEN"] = given.get("MP_ACCESS_TOKEN") or "APP_USR-SIM-1"
            settings["MP_WEBHOOK_SECRETS"] = given.get("MP_WEBHOOK_SECRETS") or "breadmate-test-secret"
        return settings


def read(given: Mapping[str, str] = os.environ) -> Plan:
    """Make the plan; an empty variable counts as not set.

    Raises:
        StartError: a value makes no sense.
    """
    bind = given.get("BIND") or "127.0.0.1"
    port = _port(given, "PORT", 8000)
    tls = _tls(given)
    here = f"{'https' if tls else 'http'}://{_reachable(bind)}"
    public_url = (given.get("PUBLIC_URL") or f"{here}:{port}").rstrip("/")
    run_dir = (PROJECT / (given.get("RUN_DIR") or ".run")).resolve()
    simulated = not given.get("MP_BASE_URL")
    if port + (3 if simulated else 1) > HIGHEST_PORT:
        raise StartError(f"PORT={port} leaves no room for the ports after it: set PORT to {HIGHEST_PORT - 3} or less.")
    return Plan(
        bind=bind,
        port=port,
        stream_port=port + 1,
        metrics_port=_port(given, "METRICS_PORT", port + 2),
        simulator_port=port + 3 if simulated else None,
        public_url=public_url,
        stream_url=(given.get("STREAM_URL") or _with_port(public_url, port + 1)).rstrip("/"),
        tls=tls,
        workers=_number(given, "WEB_WORKERS", 2, 1, 64),
        database_url=given.get("DATABASE_URL") or None,
        redis_url=given.get("REDIS_URL") or None,
        demo=(given.get("DEMO") or "1").lower() in {"1", "true", "yes", "on"},
        run_dir=run_dir,
        static_root=(PROJECT / (given.get("STATIC_ROOT") or ".run/static")).resolve(),
        media_root=(PROJECT / given["MEDIA_ROOT"]).resolve() if given.get("MEDIA_ROOT") else run_dir / "media",
        backup_dir=(PROJECT / given["BACKUP_DIR"]).resolve() if given.get("BACKUP_DIR") else None,
        backup_key=(PROJECT / given["BACKUP_KEY"]).resolve() if given.get("BACKUP_KEY") else run_dir / "backup.key",
        backup_days=_number(given, "BACKUP_DAYS", 14, 1, 3650),
        backup_hook=given.get("BACKUP_HOOK") or None,
        tag=tag_of(run_dir),
    )


def secret_key(run_dir: Path, given: Mapping[str, str] = os.environ) -> str:
    """Return this installation's secret key, made at its first start."""
    if given.get("SECRET_KEY"):
        return given["SECRET_KEY"]
    path = run_dir / "secret_key"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner may read, in one step: readers see the old or the new one."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def _reachable(bind: str) -> str:
    """Say how to call a listening address from here: a wildcard becomes loopback, IPv6 gets its brackets."""
    try:
        address = ipaddress.ip_address(bind)
    except ValueError:
        return bind
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"  # noqa: PLR2004 - the protocol's name
    return bind if address.version == 4 else f"[{bind}]"  # noqa: PLR2004


def _with_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise StartError(f"PUBLIC_URL={url} is not an address such as https://shop.example.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


def _number(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise StartError(f"{name}={text} is not a number from {least} to {most}.")
    return int(text)


def _port(given: Mapping[str, str], name: str, default: int) -> int:
    return _number(given, name, default, 1, HIGHEST_PORT)


def _tls(given: Mapping[str, str]) -> tuple[Path, Path] | None:
    files = [(name, given.get(name)) for name in ("TLS_CERT", "TLS_KEY")]
    if not any(value for _, value in files):
        return None
    for name, value in files:
        if not value:
            raise StartError(f"{name} is missing: TLS needs TLS_CERT and TLS_KEY, both files in PEM.")
        if not os.access(PROJECT / value, os.R_OK):
            raise StartError(f"{name}={value} is not a file that can be read.")
    return (PROJECT / str(files[0][1]), PROJECT / str(files[1][1]))

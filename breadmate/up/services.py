"""The processes of BreadMate and how each is started: as ``python -m``, for console scripts break on spaces in paths."""

import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from breadmate.up import leash, servers
from breadmate.up.children import Service
from breadmate.up.plan import Plan
from breadmate.up.servers import Account

POINTS_OF_SALE = ("BMCENTRO", "BMPRAIA")
REQUEST = re.compile(r"breadmate\.requests\b")  # who logs one line per request; the log file is enough for these
ACCESS = re.compile(r"\d\d/\w+/\d{4} ")  # how a line of the simulator's access log begins


def initdb(plan: Plan, env: Mapping[str, str], command: list[str], account: Account) -> Service:
    """Make the data directory of Postgres, once; of its many lines only complaints reach the screen."""
    return Service(
        name="initdb",
        command=command,
        env=_env(plan, env),
        cwd=Path("/"),
        account=account,
        lasting=False,
        shows=lambda line: line.startswith("initdb: error"),
    )


def postgres(
    plan: Plan, env: Mapping[str, str], *, programs: Path, data: Path, sockets: Path, account: Account
) -> Service:
    """Run Postgres; only what is wrong with the server itself reaches the screen, refused statements stay in the log."""
    settings = servers.POSTGRES_SETTINGS
    if plan.backup_dir:
        settings = settings | {"wal_keep_size": "2GB"}  # what a backup still needs: one under way, or one that was away
    return Service(
        name="postgres",
        command=servers.postgres_command(programs, data, sockets, settings),
        env=_env(plan, env),
        cwd=Path("/"),
        account=account,
        stop_signal=signal.SIGINT,  # fast; SIGTERM would wait for the last client
        death_signal=signal.SIGINT,
        shows=lambda line: "PANIC:" in line or "FATAL:  could not" in line or "No space left" in line,
    )


def valkey(plan: Plan, env: Mapping[str, str], *, socket: Path, data: Path) -> Service:
    """Run Valkey, which keeps its keys over a restart."""
    return Service(
        name="valkey",
        command=servers.valkey_command(socket, data, "--appendonly", "yes", "--save", ""),
        env=_env(plan, env),
        cwd=Path("/"),
        shows=lambda line: (
            "overcommit" not in line and any(word in line.lower() for word in ("fatal", "error", "fail", "bug"))
        ),
    )


def manage(plan: Plan, env: Mapping[str, str], name: str, *arguments: str) -> Service:
    """Run one management command that ends by itself."""
    command = [sys.executable, "manage.py", *arguments]
    return Service(name=name, command=command, env=_env(plan, env, DB_POOL="0"), lasting=False)


def web(plan: Plan, env: Mapping[str, str]) -> Service:
    """Answer API, admin and pages."""
    arguments = [
        "breadmate.wsgi:application",
        "-k",
        "breadmate.gunicorn.Worker",
        "-w",
        str(plan.workers),
        "--threads",
        "8",
    ]
    arguments += ["--graceful-timeout", "10", "--keep-alive", "30"]
    return _gunicorn(plan, env, "web", plan.port, arguments)


def stream(plan: Plan, env: Mapping[str, str]) -> Service:
    """Feed the live streams; open ones end with the process, browsers come back by themselves."""
    arguments = ["breadmate.asgi:application", "-k", "breadmate.streaming.Worker", "-w", "1", "--graceful-timeout", "2"]
    return _gunicorn(plan, env, "stream", plan.stream_port, arguments)


def engine(plan: Plan, env: Mapping[str, str]) -> Service:
    """Deliver events and run the timers."""
    return Service(
        name="engine",
        command=[sys.executable, "manage.py", "engine"],
        env=_env(plan, env, BREADMATE_ROLE="engine", PROMETHEUS_MULTIPROC_DIR=str(plan.metrics_dir)),
    )


def worker(plan: Plan, env: Mapping[str, str]) -> Service:
    """Call out: provider, messages."""
    celery = ["celery", "-A", "breadmate", "worker", "-P", "threads", "-c", "4", "-l", "WARNING"]
    return Service(
        name="worker",
        command=[sys.executable, "-m", *celery, "--without-gossip", "--without-mingle"],
        env=_env(plan, env, BREADMATE_ROLE="worker"),
        death_signal=signal.SIGQUIT,  # do not wait for running tasks: their leases bring them back
        shows=_NotTheBanner(),
    )


def backup(plan: Plan, env: Mapping[str, str]) -> Service:
    """Keep the backups."""
    return Service(name="backup", command=[sys.executable, "-m", "breadmate.backup", "keep"], env=_env(plan, env))


def simulator(plan: Plan, env: Mapping[str, str]) -> Service:
    """Play the payment provider for a shop that has none yet."""
    command = [sys.executable, "-m", "ops.mpsim", "--port", str(plan.simulator_port)]
    command += ["--webhook-url", f"{plan.web_url}/api/v1/payments/webhook"]
    for name in POINTS_OF_SALE:
        command += ["--pos", name]
    return Service(name="simulator", command=command, env=_env(plan, env), shows=lambda line: not ACCESS.match(line))


class _NotTheBanner:
    """Lets a worker's lines through once its start-up banner, which ends with the list of tasks, is over."""

    def __call__(self, line: str) -> bool:
        """Tell whether a line is worth the screen: it has a level, or belongs to a trace."""
        return any(word in line for word in ("WARNING", "ERROR", "CRITICAL", "Traceback", "Error:", "  File "))


def _gunicorn(plan: Plan, env: Mapping[str, str], name: str, port: int, arguments: list[str]) -> Service:
    host = f"[{plan.bind}]" if ":" in plan.bind else plan.bind
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        *arguments,
        "-c",
        "python:breadmate.gunicorn",
        "-b",
        f"{host}:{port}",
        "--no-control-socket",
        "--log-level",
        "warning",
    ]
    if plan.tls:
        command += ["--certfile", str(plan.tls[0]), "--keyfile", str(plan.tls[1])]
    return Service(
        name=name,
        command=command,
        env=_env(plan, env, BREADMATE_ROLE=name, PROMETHEUS_MULTIPROC_DIR=str(plan.metrics_dir)),
        death_signal=signal.SIGQUIT,
        shows=lambda line: not REQUEST.search(line),
    )


def _env(plan: Plan, env: Mapping[str, str], **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in env.items() if name != "PYTHONDONTWRITEBYTECODE"}  # halves a start
    marked = {"PYTHONUNBUFFERED": "1", "RUN_DIR": str(plan.run_dir), leash.MARKER: str(plan.run_dir)}
    return inherited | marked | more

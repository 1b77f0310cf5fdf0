"""The order of things: what starts after what, when the shop is open, and how it closes."""

import argparse
import errno
import fcntl
import http.client
import json
import os
import resource
import shutil
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from breadmate.up import leash, plan, release, report, servers, services, shop, static
from breadmate.up.children import Child, Family
from breadmate.up.errors import StartError, StopAskedError
from breadmate.up.plan import Plan
from breadmate.up.screen import Screen

LEFTOVERS_SECONDS = 10.0
SERVER_SECONDS = 90.0  # crash recovery after a power cut takes a while
WEB_SECONDS = 90.0
STEP_SECONDS = 600.0
DEATHS_BEFORE_GIVING_UP = 3
APPS_STOP_SECONDS = 8.0
BACKUP_STOP_SECONDS = 5.0  # it puts away what the others wrote last
VALKEY_STOP_SECONDS = 1.5
POSTGRES_STOP_SECONDS = 2.5
OPEN_FILES = 65_536
APPS = ("web", "stream", "engine", "worker", "simulator", "prepare", "static", "initdb")


def main() -> int:
    """Run the stack until somebody stops it, 0 after a stop that was asked for; or do what the words say with one."""
    options = _read_words()
    screen = Screen()
    try:
        if options.systemd:
            unit = shop.write_unit(os.environ)
            screen.say(unit.read_text())
            screen.say(f"# It is in {unit}. As root:")
            screen.say(f"#   cp '{unit}' /etc/systemd/system/ && systemctl enable --now breadmate")
            return 0
        changing = options.update is not None or options.rollback or options.restart
        given = shop.settings_of_running(os.environ) if changing else shop.settings_for(os.environ, shop=options.shop)
        wanted = plan.read(given)
        if options.update is not None:
            release.update(wanted, given, options.update, screen.say)
        elif options.rollback:
            release.rollback(wanted, screen.say)
        elif options.restart:
            release.restart(wanted, screen.say)
        if changing:
            return 0
    except StartError as error:
        screen.error(str(error))
        return 1
    supervisor = Supervisor(wanted, screen, given)
    exit_code = supervisor.run()
    if supervisor.family.begin_again and exit_code == 0:
        os.execv("/bin/sh", ["/bin/sh", str(plan.PROJECT / "run"), *sys.argv[1:]])  # noqa: S606 - ourselves, as we were started
    return exit_code


def _read_words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run", description="Without a word: the demo shop.")
    parser.add_argument("--shop", action="store_true", help="a real shop; its settings are in RUN_DIR/shop.env")
    parser.add_argument("--systemd", action="store_true", help="write and show the systemd unit of the shop")
    parser.add_argument(
        "--update", nargs="?", const="", metavar="FROM", help="back up, git pull, and start the new release in place"
    )
    parser.add_argument("--rollback", action="store_true", help="start the release before the last update")
    parser.add_argument(
        "--restart", action="store_true", help="start the running shop anew, with its settings read again"
    )
    return parser.parse_args()


class Supervisor:
    """One running stack, or the attempt at one."""

    def __init__(self, wanted: Plan, screen: Screen, given: Mapping[str, str]) -> None:
        self.plan = wanted
        self.given = given
        self.screen = screen
        self.account = servers.postgres_account()
        self.family = Family(screen, wanted.run_dir / "log", self._write_pids)
        self._lock: TextIO | None = None

    def run(self) -> int:
        """Start, stay, stop."""
        self.family.catch_signals()
        exit_code = 0
        try:
            self._make_folders()
            self._take_lock()
            self._start()
            while True:
                self.family.tick(60.0)
        except StopAskedError:
            pass
        except StartError as error:
            self.screen.error(str(error))
            exit_code = 1
        except OSError as error:
            self.screen.error(f"Cannot start: {error}")
            exit_code = 1
        finally:
            self._stop()
        return exit_code

    def _make_folders(self) -> None:
        """Make the RUN_DIR: others may pass through it (to the data of Postgres), not look into it."""
        run_dir = self.plan.run_dir
        try:
            if not run_dir.exists():
                run_dir.mkdir(parents=True)
                run_dir.chmod(0o711)
            (run_dir / "log").mkdir(mode=0o700, exist_ok=True)
        except PermissionError as error:
            raise StartError(f"{error.filename} belongs to another user: start as that user, or set RUN_DIR.") from None

    def _take_lock(self) -> None:
        """Be the only supervisor of this RUN_DIR; the kernel gives the lock back however the holder ends."""
        path = self.plan.run_dir / "lock"
        try:
            lock = path.open("a+")
        except PermissionError:
            raise StartError(f"{path} belongs to another user: start as that user, or set RUN_DIR.") from None
        end = time.monotonic() + LEFTOVERS_SECONDS
        while not _locked(lock):
            pid, url, state = ([*path.read_text().split(), "?", "?", "?"])[:3]
            if state == "stopping" and time.monotonic() < end:
                self.family.wait_for(lambda: False, f"waiting for pid {pid} to stop", seconds=0.3)
            else:
                lock.close()
                raise StartError(
                    f"BreadMate is already running: pid {pid}, {url} (another one beside it: set PORT and RUN_DIR)"
                )
        self._lock = lock
        self._write_lock("starting")

    def _write_lock(self, state: str) -> None:
        if self._lock is not None:
            self._lock.seek(0)
            self._lock.truncate()
            self._lock.write(f"{os.getpid()} {self.plan.public_url} {state}\n")
            self._lock.flush()

    def _start(self) -> None:
        self.data = servers.data_folder(self.plan.run_dir, self.account, self.plan.tag)
        self._clear_leftovers()
        self._check_ports()
        _allow_many_files()
        sockets = servers.socket_folder(self.account, self.plan.tag)
        valkey_socket = servers.socket_folder(servers.myself(), self.plan.tag) / "valkey.sock"
        shared = self.plan.shared_settings(
            database_url=self.plan.database_url or servers.database_url(sockets),
            redis_url=self.plan.redis_url or servers.redis_url(valkey_socket),
            secret_key=plan.secret_key(self.plan.run_dir, self.given),
            given=self.given,
        )
        env = {**self.given, **shared}
        collecting = self._begin_collecting(env)
        if not self.plan.database_url:
            self._start_postgres(env, sockets)
        if not self.plan.redis_url:
            self._start_valkey(env, valkey_socket)
        demo_path = self.plan.run_dir / "demo.json"
        preparing = services.manage(self.plan, env, "prepare", "prepare", "--demo-file", str(demo_path))
        self._finish(self.family.start(preparing), "preparing the database")
        self.screen.step("database is up to date")
        if collecting is not None:
            self._end_collecting(*collecting)
        self._open(env)
        plan.write_private(self.plan.run_dir / "env", "".join(f"{name}={shared[name]}\n" for name in sorted(shared)))
        demo = report.write_demo(self.plan, demo_path)
        self._write_lock("running")
        for line in report.ready(self.plan, demo, time.monotonic() - self.screen.started, self.screen):
            self.screen.say(line)

    def _open(self, env: dict[str, str]) -> None:
        """Start what guests wait for and, once that answers, what works behind it: together they slow each other."""
        self.screen.step("starting web, stream" + (", simulator" if self.plan.simulator_port else ""))
        shutil.rmtree(self.plan.metrics_dir, ignore_errors=True)
        self.plan.metrics_dir.mkdir()
        self.family.start(services.web(self.plan, env))
        self.family.start(services.stream(self.plan, env))
        if self.plan.simulator_port:
            self.family.start(services.simulator(self.plan, env))
        web = self.family.children["web"]

        def settled() -> bool:
            return web.deaths >= DEATHS_BEFORE_GIVING_UP or (web.process is not None and _answers(self.plan))

        if not self.family.wait_for(settled, "waiting for web", seconds=WEB_SECONDS, every=0.1) or web.process is None:
            raise StartError(f"web does not start: see {self._log('web')}")
        self.screen.step("web answers, starting engine, worker")
        self.family.start(services.engine(self.plan, env))
        self.family.start(services.worker(self.plan, env))
        if self.plan.backup_dir:
            self.family.start(services.backup(self.plan, env))

    def _clear_leftovers(self) -> None:
        """See the last of a stack whose supervisor was killed: its processes are ending, or are made to."""

        def find() -> dict[int, str]:
            return leash.survivors(self.plan.run_dir, self.data)

        (self.plan.run_dir / "env").unlink(missing_ok=True)
        if not find():
            return
        self.screen.step("waiting for the processes of the last start to end")
        if self.family.wait_for(
            lambda: not find(), "waiting for the processes of the last start to end", seconds=LEFTOVERS_SECONDS
        ):
            return
        for pid, command in find().items():
            self.screen.step(f"killing pid {pid} of the last start: {command[:80]}")
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue
            except PermissionError:
                raise StartError(f"Process {pid} of the last start still runs as another user: end it first.") from None
        self.family.wait_for(lambda: not find(), "waiting for the processes of the last start to end", seconds=2)

    def _check_ports(self) -> None:
        """Refuse to start beside something else on our ports; a second look forgives a socket just being closed."""
        for attempt in range(2):
            taken = [wanted for wanted in self.plan.ports if not _is_free(wanted[0], wanted[1])]
            if not taken:
                return
            if attempt == 0:
                self.family.wait_for(lambda: False, "waiting for a port", seconds=1.0)
        host, port, setting = taken[0]
        raise StartError(
            f"Port {port} on {host} is taken by another program: set {setting} to another one, or end that program."
        )

    def _begin_collecting(self, env: dict[str, str]) -> tuple[Child, str] | None:
        """Start ``collectstatic`` beside the database when its sources changed; one stack at a time."""
        wanted = static.fingerprint()
        if static.is_current(self.plan, wanted):
            return None
        self.screen.step("collecting static files")
        self.plan.static_root.parent.mkdir(parents=True, exist_ok=True)
        self._static_lock = static.stamp(self.plan).with_suffix(".lock").open("a")
        waited = self.family.wait_for(
            lambda: _locked(self._static_lock), "another stack collects static files", seconds=STEP_SECONDS
        )
        if not waited or static.is_current(self.plan, wanted):
            self._static_lock.close()
            return None
        static.stamp(self.plan).unlink(missing_ok=True)
        return self.family.start(
            services.manage(self.plan, env, "static", "collectstatic", "--noinput", "-v", "0")
        ), wanted

    def _end_collecting(self, child: Child, fingerprint: str) -> None:
        self._finish(child, "collecting static files")
        static.stamp(self.plan).write_text(fingerprint)
        self._static_lock.close()
        self.screen.step("static files are collected")

    def _start_postgres(self, env: dict[str, str], sockets: Path) -> None:
        programs = servers.postgres_programs(self.account)
        servers.open_way_to(self.data, self.plan.run_dir)
        if not self.data.exists():
            self._refuse_to_begin_anew()
            self.screen.step("making the data directory of Postgres")
            servers.create_cluster(programs, self.data, self.account, lambda command: self._run_initdb(env, command))
        servers.check_cluster(programs, self.data, self.account)
        self.family.start(
            services.postgres(self.plan, env, programs=programs, data=self.data, sockets=sockets, account=self.account)
        )
        self._wait_for_server("postgres", lambda: servers.postgres_answers(programs, sockets))
        servers.ensure_database(programs, sockets)
        self.screen.step("postgres answers")

    def _refuse_to_begin_anew(self) -> None:
        """Make no empty shop where one was lost: its backups are there, and a new one's would push them out."""
        folder = self.plan.backup_dir
        if folder is not None and (folder / "about.json").exists():
            raise StartError(
                f"{folder} holds the backups of a shop whose data is not in {self.data}: bring it back with `make restore`, "
                "or set BACKUP_DIR to an empty folder to begin a new one."
            )

    def _run_initdb(self, env: dict[str, str], command: list[str]) -> str | None:
        child = self.family.start(services.initdb(self.plan, env, command, self.account))
        self.family.wait_for(
            lambda: child.process is None, "making the data directory of Postgres", seconds=STEP_SECONDS
        )
        return f"see {self._log('initdb')}" if child.exit_code else None

    def _start_valkey(self, env: dict[str, str], valkey_socket: Path) -> None:
        data = servers.private_folder(self.plan.run_dir / "valkey", servers.myself())
        valkey_socket.unlink(missing_ok=True)
        self.family.start(services.valkey(self.plan, env, socket=valkey_socket, data=data))
        self._wait_for_server("valkey", lambda: servers.valkey_answers(valkey_socket))
        self.screen.step("valkey answers")

    def _wait_for_server(self, name: str, answers: Callable[[], bool]) -> None:
        child = self.family.children[name]

        def settled() -> bool:
            return child.deaths >= DEATHS_BEFORE_GIVING_UP or (child.process is not None and answers())

        if not self.family.wait_for(settled, f"waiting for {name}", seconds=SERVER_SECONDS) or child.process is None:
            raise StartError(f"{name} does not start: see {self._log(name)}")

    def _finish(self, child: Child, doing: str) -> None:
        """Wait for a command to end well."""
        ended = self.family.wait_for(lambda: child.process is None, doing, seconds=STEP_SECONDS)
        if not ended or child.exit_code:
            raise StartError(f"{child.service.name} failed ({doing}): see {self._log(child.service.name)}")

    def _log(self, name: str) -> Path:
        return self.plan.run_dir / "log" / f"{name}.log"

    def _write_pids(self) -> None:
        pids = {"supervisor": os.getpid(), **self.family.pids()}
        plan.write_private(self.plan.run_dir / "pids.json", json.dumps(pids, indent=1) + "\n")

    def _stop(self) -> None:
        """Close in order: nobody may write when Valkey and then Postgres go."""
        if self._lock is None:
            return
        begun = time.monotonic()
        self._write_lock("stopping")
        (self.plan.run_dir / "env").unlink(missing_ok=True)
        for names, seconds, hastened in (
            (APPS, APPS_STOP_SECONDS, signal.SIGKILL),
            (("backup",), BACKUP_STOP_SECONDS, signal.SIGKILL),
            (("valkey",), VALKEY_STOP_SECONDS, signal.SIGKILL),
            (("postgres",), POSTGRES_STOP_SECONDS, signal.SIGQUIT),
        ):
            running = [name for name in names if name in self.family.pids()]
            if running:
                self.screen.step(f"stopping {', '.join(running)}")
            self.family.stop(names, seconds=seconds, hastened=hastened)
        (self.plan.run_dir / "pids.json").unlink(missing_ok=True)
        servers.remove_socket_folders(self.account, servers.myself(), tag=self.plan.tag)
        if self.family.children:
            self.screen.step(f"stopped in {time.monotonic() - begun:.1f} s")
        self._lock.close()


def _allow_many_files() -> None:
    """Raise the limit of open files for all children: each live stream is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _locked(file: TextIO) -> bool:
    """Take the lock on an open file, unless somebody else has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_free(host: str, port: int) -> bool:
    """Tell whether we could listen there.

    Raises:
        StartError: the address is not one of this machine.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror:
        raise StartError(f"BIND={host} is not an address of this machine.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise StartError(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
    return True


def _answers(wanted: Plan) -> bool:
    """Tell whether web is ready, asked as the outside would ask."""
    address = urlsplit(wanted.web_url)
    if wanted.tls:
        trusting = ssl._create_unverified_context()  # noqa: S323, SLF001 - our own port, and the certificate names another host
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            address.netloc, timeout=1, context=trusting
        )
    else:
        connection = http.client.HTTPConnection(address.netloc, timeout=1)
    try:
        connection.request("GET", "/health/ready", headers={"Host": urlsplit(wanted.public_url).netloc})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

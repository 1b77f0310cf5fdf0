"""Child processes: started on a leash, listened to, started again when they die, stopped with patience.

One thread does it all. A second one would make ``preexec_fn`` unsafe, and the kernel's parent-death signal watches
threads, not processes (see ``leash``).
"""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from breadmate.up.errors import StopAskedError
from breadmate.up.leash import on_parent_death
from breadmate.up.plan import PROJECT
from breadmate.up.screen import Screen
from breadmate.up.servers import Account, myself

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 15.0
STABLE_AFTER_SECONDS = 30.0
LONGEST_SILENCE_SECONDS = 3.0
LOG_BYTES = 10_000_000
CHUNK_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class Service:
    """What to run, and how to treat it."""

    name: str
    command: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = PROJECT
    account: Account = field(default_factory=myself)
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM  # what the kernel sends when the supervisor is killed
    lasting: bool = True  # started again when it ends
    shows: Callable[[str], bool] = lambda _line: True  # which of its lines reach the screen; the log gets all


class Child:
    """One service and, while it runs, its process."""

    def __init__(self, service: Service, screen: Screen, log_path: Path) -> None:
        self.service = service
        self.process: subprocess.Popen[bytes] | None = None
        self.exit_code: int | None = None
        self.deaths = 0
        self.start_at: float | None = None  # on the monotonic clock, when a new try is due
        self._screen = screen
        self._log_path = log_path
        self._started_at = 0.0
        self._delay = FIRST_DELAY_SECONDS
        self._rest_of_line = b""
        self._rotate()
        self._log = log_path.open("ab", buffering=0)

    def start(self) -> int:
        """Start the process in a session of its own, so that the terminal's Ctrl-C reaches the supervisor only.

        Returns the descriptor its output arrives on, which never blocks.
        """
        service = self.service
        self.process = subprocess.Popen(
            service.command,
            cwd=service.cwd,
            env=dict(service.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=on_parent_death(service.death_signal),  # noqa: PLW1509 - there is one thread
            **service.account.switch,
        )
        self.start_at, self.exit_code = None, None
        self._started_at = time.monotonic()
        output = self.process.stdout.fileno() if self.process.stdout else -1  # a pipe, so there is one
        os.set_blocking(output, False)
        return output

    def listen(self) -> bool:
        """Take what the process wrote; False when nothing more can come."""
        if self.process is None or self.process.stdout is None:
            return False
        try:
            chunk = os.read(self.process.stdout.fileno(), CHUNK_BYTES)
        except BlockingIOError:
            return True
        with contextlib.suppress(OSError):  # a full disk must not take the shop down
            if self._log.tell() > LOG_BYTES:
                self._log.close()
                self._rotate()
                self._log = self._log_path.open("ab", buffering=0)
            self._log.write(chunk)
        *lines, self._rest_of_line = (self._rest_of_line + chunk).split(b"\n")
        if not chunk or len(self._rest_of_line) > CHUNK_BYTES:
            lines, self._rest_of_line = [*lines, self._rest_of_line], b""
        for raw in lines:
            line = raw.decode(errors="replace").rstrip()
            if line and self.service.shows(line):
                self._screen.child(self.service.name, line)
        return bool(chunk)

    def has_ended(self) -> bool:
        """Tell, once, that the process is no more; whatever it left in its process group goes with it."""
        if self.process is None or self.process.poll() is None:
            return False
        self.kill_group()
        while self.process.stdout is not None and self.listen() and _readable(self.process.stdout.fileno()):
            pass
        self.exit_code = self.process.returncode
        return True

    def forget(self) -> None:
        """Let go of the ended process."""
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def plan_restart(self) -> float:
        """Note when the next try is due and return the seconds until then: more after each short life."""
        if time.monotonic() - self._started_at >= STABLE_AFTER_SECONDS:
            self._delay = FIRST_DELAY_SECONDS
        delay, self._delay = self._delay, min(self._delay * 2, LONGEST_DELAY_SECONDS)
        self.start_at = time.monotonic() + delay
        self.deaths += 1
        return delay

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if there is anybody to get it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """Kill the process and the children it has in its process group (workers of gunicorn)."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def _rotate(self) -> None:
        """Keep one older file beside the log."""
        with contextlib.suppress(OSError):
            if self._log_path.exists() and self._log_path.stat().st_size > LOG_BYTES:
                self._log_path.replace(self._log_path.with_name(self._log_path.name + ".1"))


class Family:
    """All children, and the loop that serves them."""

    def __init__(self, screen: Screen, log_folder: Path, on_change: Callable[[], None]) -> None:
        self.children: dict[str, Child] = {}
        self.stop_requests = 0
        self.stopping = False
        self.begin_again = False
        self._screen = screen
        self._log_folder = log_folder
        self._on_change = on_change  # called whenever the set of pids is another
        self._selector = selectors.DefaultSelector()
        self._wake, waker = socket.socketpair()
        for end in (self._wake, waker):
            end.setblocking(False)
        self._waker = waker
        self._selector.register(self._wake, selectors.EVENT_READ)

    def catch_signals(self) -> None:
        """Turn signals into wake-ups of the loop; under nohup SIGHUP stays ignored."""
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda *_: self._count_stop())
        signal.signal(signal.SIGUSR1, lambda *_: self._begin_again())

    def start(self, service: Service) -> Child:
        """Start one service."""
        child = Child(service, self._screen, self._log_folder / f"{service.name}.log")
        self.children[service.name] = child
        self._launch(child)
        return child

    def pids(self) -> dict[str, int]:
        """Name the processes that run now."""
        return {name: child.process.pid for name, child in self.children.items() if child.process is not None}

    def tick(self, seconds: float) -> None:
        """Serve the children for at most ``seconds``, less when something happens.

        Raises:
            StopAskedError: a signal asked for the end and nobody has begun it yet.
        """
        if self.stop_requests and not self.stopping:
            raise StopAskedError
        due = [child.start_at - time.monotonic() for child in self.children.values() if child.start_at is not None]
        for key, _ in self._selector.select(max(0.0, min([seconds, *due]))):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self._wake.recv(CHUNK_BYTES)
            elif not key.data.listen():
                self._selector.unregister(key.fileobj)
        for child in list(self.children.values()):
            if child.has_ended():
                self._bury(child)
            elif child.start_at is not None and child.start_at <= time.monotonic() and not self.stopping:
                self._launch(child)

    def wait_for(self, condition: Callable[[], bool], doing: str, *, seconds: float, every: float = 0.05) -> bool:
        """Serve the children until ``condition`` holds; False when it does not within ``seconds``.

        A wait that takes long says ``doing`` every few seconds: silence looks like a hang.
        """
        begun = time.monotonic()
        while not condition():
            now = time.monotonic()
            if now - begun > seconds:
                return False
            if now - self._screen.last_line_at > LONGEST_SILENCE_SECONDS:
                self._screen.step(f"… {doing} ({now - begun:.0f} s)")
            self.tick(every)
        return True

    def stop(self, names: Iterable[str], *, seconds: float, hastened: signal.Signals = signal.SIGKILL) -> None:
        """Ask children to end and see that they do: killed after ``seconds``, sooner after a second Ctrl-C."""
        self.stopping = True
        mine = [self.children[name] for name in names if name in self.children]
        for child in mine:
            child.start_at = None
            child.send(child.service.stop_signal)
        patience, hasten = time.monotonic() + seconds, False
        while running := [child for child in mine if child.process is not None]:
            if time.monotonic() > patience:
                for child in running:
                    self._screen.step(f"{child.service.name} did not stop in {seconds:.0f} s: killed")
                    child.kill_group()
                patience += seconds
            elif self.stop_requests > 1 and not hasten:
                hasten = True
                for child in running:
                    child.send(hastened)
            self.tick(0.1)

    def _count_stop(self) -> None:
        self.stop_requests += 1
        self.begin_again = False

    def _begin_again(self) -> None:
        """Stop as if asked to, then start anew."""
        if not self.stop_requests:
            self.stop_requests, self.begin_again = 1, True

    def _launch(self, child: Child) -> None:
        self._selector.register(child.start(), selectors.EVENT_READ, child)
        self._on_change()

    def _bury(self, child: Child) -> None:
        if child.process is not None and child.process.stdout is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.process.stdout.fileno())
        child.forget()
        if child.service.lasting and not self.stopping:
            delay = child.plan_restart()
            self._screen.step(f"{child.service.name} {_how(child.exit_code)}: starting it again in {delay:g} s")
        self._on_change()


def _how(exit_code: int | None) -> str:
    """Put an exit code into words."""
    if exit_code is None or exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"


def _readable(descriptor: int) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(0))

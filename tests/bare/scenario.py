"""What an outside examiner does with a fresh clone: scenario.py FOLDER refused|no-tests|with-tests

Start, one order from menu to hand-over with the engine killed at the worst moment, audit, stop, start again, tests.
Standard library only, because the machine has nothing else. Every step prints its time and has an end.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

FIRST_START_SECONDS = 240
NEXT_START_SECONDS = 10
NEXT_START_LIMIT_SECONDS = 20
LONGEST_SILENCE_SECONDS = 5.0
SILENCE_LIMIT_SECONDS = 10.0
STOP_SECONDS = 12
PAID_SECONDS = 60
TEST_SECONDS = 2400
BEGUN = time.monotonic()
warnings: list[str] = []


def say(line: str) -> None:
    print(f"[{time.monotonic() - BEGUN:6.1f} s] {line}", flush=True)


def warn(line: str) -> None:
    warnings.append(line)
    say(f"WARNING: {line}")


def check(condition: object, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)


def free_ports() -> int:
    for first in range(18_000, 19_000, 10):
        try:
            for offset in range(4):
                with socket.create_server(("127.0.0.1", first + offset)):
                    pass
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


class Running:
    """One ``./run``: what it says, when it says it, and how it ends."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.begun = time.monotonic()
        self.lines: list[str] = []
        self.longest_silence = 0.0
        self.ready = threading.Event()
        environ = {**os.environ, "PORT": str(port)}
        self.process = subprocess.Popen(
            [str(folder / "run")],
            cwd="/",
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        last = self.begun
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if not self.ready.is_set():
                self.longest_silence = max(self.longest_silence, time.monotonic() - last)
            last = time.monotonic()
            self.lines.append(line.rstrip())
            print(f"    | {line.rstrip()}", flush=True)
            if "READY in" in line:
                self.ready.set()

    def wait_until_ready(self, limit: float) -> float:
        """Return the seconds it took."""
        while not self.ready.wait(0.1):
            check(self.process.poll() is None, f"./run ended with {self.process.returncode} before it was ready")
            check(time.monotonic() - self.begun < limit, f"./run was not ready after {limit:.0f} s")
        took = time.monotonic() - self.begun
        check(self.longest_silence < SILENCE_LIMIT_SECONDS, f"./run said nothing for {self.longest_silence:.1f} s")
        if self.longest_silence > LONGEST_SILENCE_SECONDS:
            warn(f"./run said nothing for {self.longest_silence:.1f} s")
        return took

    def pid(self, name: str) -> int:
        return int(json.loads((self.folder / ".run" / "pids.json").read_text())[name])

    def demo(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / ".run" / "demo.json").read_text()))

    def stop(self) -> float:
        """Press Ctrl-C and return the seconds until it is gone."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=30)
        took = time.monotonic() - begun
        check(code == 0, f"./run ended with {code} after Ctrl-C")
        check(took <= STOP_SECONDS, f"stopping took {took:.1f} s")
        check(not (self.folder / ".run" / "env").exists(), ".run/env outlived the stack")
        return took

    def end(self) -> None:
        """End it by force, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()


def call(method: str, url: str, body: object = None, *, token: str = "", key: bool = False) -> tuple[int, Any]:
    """Make one request; returns status and decoded body."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Device {token}"
    if key:
        headers["Idempotency-Key"] = str(uuid.uuid4())
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=content, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            status, raw = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, raw = error.code, error.read()
    return status, json.loads(raw) if raw.strip() else None


def wait_for(condition: Callable[[], object], what: str, seconds: float) -> float:
    begun = time.monotonic()
    while not condition():
        check(time.monotonic() - begun < seconds, f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)
    return time.monotonic() - begun


def pick_lines(menu: dict[str, Any]) -> list[dict[str, Any]]:
    """Choose the first single product that can be had, with as many options as it insists on."""
    for category in menu["categories"]:
        for product in category["products"]:
            if product["kind"] != "single" or not product["available"]:
                continue
            options = []
            for group in product["modifier_groups"]:
                offered = [option for option in group["options"] if option["available"]]
                options += [{"option": option["id"], "quantity": 1} for option in offered[: group["min"]]]
            return [{"product": product["id"], "quantity": 1, "options": options}]
    raise AssertionError("the menu has nothing to order")


def one_order(running: Running) -> None:
    """Buy something, kill the engine between payment and its processing, hand the order over."""
    demo = running.demo()
    api, store = demo["base_url"] + "/api/v1", demo["stores"][0]
    kiosk, board = store["devices"]["kiosk"], store["devices"]["board"]

    status, menu = call("GET", f"{api}/menu", token=kiosk)
    check(status == 200, f"menu: {status} {menu}")
    status, order = call(
        "POST", f"{api}/orders/checkout", {"dining_option": "eat_in", "items": pick_lines(menu)}, token=kiosk, key=True
    )
    check(status == 201, f"checkout: {status} {order}")
    say(f"order {order['number']} over {order['total']}: {order['status']}")

    status, payment = call(
        "POST", f"{api}/payments", {"order": order["id"], "method": "mercado_pago_qr"}, token=kiosk, key=True
    )
    check(status in {201, 202}, f"payment: {status} {payment}")

    def reference() -> Any:
        return call("GET", f"{api}/payments/{payment['id']}", token=kiosk)[1]["provider_reference"]

    wait_for(reference, "the provider's order", 30)
    engine = running.pid("engine")
    os.kill(engine, signal.SIGSTOP)  # so that it surely dies after the payment and before it could do anything about it
    status, paid = call("POST", f"{demo['simulator_url']}/_sim/orders/{reference()}/pay", {})
    check(status in {200, 201, 202, 204}, f"paying at the simulator: {status} {paid}")
    time.sleep(1)
    os.kill(engine, signal.SIGKILL)
    say("paid, and the engine was killed before it could process that")

    def state() -> Any:
        return call("GET", f"{api}/orders/{order['id']}/status", token=kiosk)[1]["status"]

    took = wait_for(lambda: state() == "received", "the paid order becomes received", PAID_SECONDS)
    check(running.pid("engine") != engine, "the engine was not started again")
    say(f"order is received {took:.1f} s after that")

    status, orders = call("GET", f"{api}/orders", token=board)
    check(
        status == 200 and order["id"] in {entry["id"] for entry in orders["results"]},
        f"the board does not show it: {orders}",
    )
    for step in ("in_preparation", "ready", "finished"):
        status, moved = call("PATCH", f"{api}/orders/{order['id']}/status", {"status": step}, token=board)
        check(status == 200 and state() == step, f"move to {step}: {status} {moved}")
    say("in_preparation, ready, finished")


def audit(folder: Path) -> None:
    command = [str(folder / ".venv" / "bin" / "python"), str(folder / "manage.py"), "audit_invariants", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    check(done.returncode == 0, f"audit_invariants: {done.stdout}{done.stderr}")
    found = json.loads(done.stdout)
    check(found["ok"] is True, f"audit_invariants: {found}")
    say(f"audit: {len(found['checks'])} checks, all ok")


def left_over(folder: Path) -> list[str]:
    """Find processes that have to do with the folder, by environment, command line or working directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            signs = [command, (entry / "environ").read_bytes(), os.fsencode((entry / "cwd").readlink())]
        except OSError:
            continue
        ours = any(os.fsencode(folder) in sign or b"BREADMATE_CHILD_OF=" in sign for sign in signs)
        if (ours or b"postgres" in command or b"valkey" in command) and b"scenario.py" not in command:
            found.append(f"{entry.name}: {command.replace(bytes(1), b' ').decode(errors='replace')[:120]}")
    return found


def stop(running: Running) -> None:
    took = running.stop()
    left = left_over(running.folder)
    check(not left, f"processes outlived Ctrl-C: {left}")
    say(f"Ctrl-C: gone in {took:.1f} s, nothing left")


def refused(folder: Path) -> None:
    """Where virtual environments cannot be made, ``./run`` says what to type, once, and ends."""
    for script in ("run", "test"):
        done = subprocess.run([str(folder / script)], cwd="/", capture_output=True, text=True, timeout=60, check=False)
        check(done.returncode == 1, f"./{script} ended with {done.returncode}")
        check(
            len(done.stderr.splitlines()) == 1 and "apt-get install -y python3-venv" in done.stderr,
            f"./{script} said: {done.stderr}",
        )
    say(f"told: {done.stderr.strip()}")


def everything(folder: Path, *, with_tests: bool) -> None:
    port = free_ports()
    running = Running(folder, port)
    try:
        took = running.wait_until_ready(FIRST_START_SECONDS * 2)
        say(
            f"first ./run: ready in {took:.1f} s (aim {FIRST_START_SECONDS} s), longest silence {running.longest_silence:.1f} s"
        )
        if took > FIRST_START_SECONDS:
            warn(f"the first start took {took:.0f} s")
        one_order(running)
        audit(folder)
        stop(running)
    finally:
        running.end()

    running = Running(folder, port)
    try:
        took = running.wait_until_ready(120)
        say(f"second ./run: ready in {took:.1f} s (aim {NEXT_START_SECONDS} s)")
        check(took <= NEXT_START_LIMIT_SECONDS, f"the second start took {took:.1f} s")
        if took > NEXT_START_SECONDS:
            warn(f"the second start took {took:.1f} s")
        stop(running)
    finally:
        running.end()

    if with_tests:
        begun = time.monotonic()
        tests = subprocess.run(
            [str(folder / "test")], cwd="/", stdin=subprocess.DEVNULL, timeout=TEST_SECONDS, check=False
        )
        check(tests.returncode == 0, f"./test ended with {tests.returncode}")
        left = left_over(folder)
        check(not left, f"processes outlived ./test: {left}")
        say(f"./test is green, {time.monotonic() - begun:.0f} s")


def main() -> int:
    folder, option = Path(sys.argv[1]), sys.argv[2]
    try:
        if option == "refused":
            refused(folder)
        else:
            everything(folder, with_tests=option == "with-tests")
    except (AssertionError, subprocess.TimeoutExpired) as error:
        say(f"FAILED: {error}")
        return 1
    for line in warnings:
        say(f"warned: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

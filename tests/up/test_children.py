"""The shop stays open while its processes die."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from tests.stack import Stack


def answer(stack: Stack) -> int:
    """Ask web whether it is ready; 0 when nobody answers."""
    connection = http.client.HTTPConnection(urlsplit(stack.base_url).netloc, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def wait_until_ready(stack: Stack, *, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while answer(stack) != 200:
        assert time.monotonic() < end, stack.tail()
        time.sleep(0.1)


@pytest.mark.parametrize("name", ["engine", "worker", "stream", "simulator", "valkey", "postgres", "web"])
def test_killed_child_is_started_again_and_said_so_once(stack: Stack, name: str) -> None:
    # kombu ends a worker that holds an unacknowledged message when its broker goes: that one may be new, too.
    others = {other: pid for other, pid in stack.pids.items() if other not in {name, "worker"}}
    told = f"{name} was killed by SIGKILL: starting it again"
    told_before = stack.log_path.read_text().count(told)

    old = stack.kill(name)

    assert stack.wait_for_new(name, old) != old
    wait_until_ready(stack)
    assert {other: pid for other, pid in stack.pids.items() if other in others} == others
    assert stack.log_path.read_text().count(told) == told_before + 1


def test_settings_of_the_stack_let_a_command_join_it(stack: Stack) -> None:
    assert stack.env["DATABASE_URL"].startswith("postgres://breadmate@/breadmate?host=/tmp/breadmate-")
    assert stack.env["MP_BASE_URL"] == stack.simulator_url
    assert (stack.run_dir / "env").stat().st_mode & 0o777 == 0o600
    assert (stack.run_dir / "demo.json").stat().st_mode & 0o777 == 0o600

    done = stack.manage("audit_invariants", "--json", check=False)

    assert '"ok"' in done.stdout, done.stderr


def test_doctor_finds_a_running_shop_well(stack: Stack) -> None:
    """Whoever was killed by the tests before has a minute to come back: a worker answers seconds after it was started."""
    end = time.monotonic() + 60
    while True:
        done = stack.manage("doctor", "--json", check=False)
        told = {line["id"]: (line["level"], line["text"]) for line in json.loads(done.stdout)["checks"]}
        bad = {id_: line for id_, line in told.items() if line[0] == "bad"}
        if not bad or time.monotonic() > end:
            break

    assert bad == {}
    assert told["engine"][0] == told["worker"][0] == told["web"][0] == "ok"
    assert done.returncode == 0

"""SIGTERM, as a cluster, systemd and an update send it: what was begun is finished, and everybody leaves well."""

import http.client
import os
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.blackbox.client import Caller, product, wait_for
from tests.blackbox.test_edge import connect, everything, head_for
from tests.stack import Stack


def tell(stack: Stack, name: str) -> Callable[[], bool]:
    """Send SIGTERM; what is returned says whether the process has ended with 0 and was started again."""
    told = f"{name} ended with exit code 0: starting it again"
    before = stack.log_path.read_text().count(told)
    old = stack.pid(name)
    os.kill(old, signal.SIGTERM)
    return lambda: stack.log_path.read_text().count(told) == before + 1 and stack.pids.get(name, old) != old


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_web_finishes_the_order_it_has_begun_to_read(stack: Stack, kiosk: Caller) -> None:
    coffee = product(kiosk.get("/api/v1/menu").body, "cafe-coado")
    cart = f'{{"dining_option": "take_out", "items": [{{"product": "{coffee["id"]}", "quantity": 1}}]}}'.encode()
    with connect(stack) as connection:
        connection.sendall(head_for(kiosk, f"Content-Length: {len(cart)}", "Expect: 100-continue"))
        assert b"100 Continue" in connection.recv(1000)  # a thread has it
        connection.sendall(cart[:20])

        master = stack.pid("web")
        assert len(children(master)) == 2
        is_back = tell(stack, "web")
        wait_for(lambda: len(children(master)) == 1, "the worker to go that has nothing to do")
        connection.sendall(cart[20:])
        answered = everything(connection)

    assert answered.startswith(b"HTTP/1.1 201 "), answered
    wait_for(is_back, "web to end well and come back")


def test_open_streams_end_and_are_not_cut(stack: Stack, board: Caller) -> None:
    connection = http.client.HTTPConnection(urlsplit(stack.stream_url).netloc, timeout=60)
    connection.request("GET", "/kitchen/stream", headers={"Authorization": f"Device {board.token}"})
    with closing(connection), connection.getresponse() as stream:
        assert stream.readline().startswith(b"retry: ")
        is_back = tell(stack, "stream")
        stream.read()  # to its end: of one that is cut off this raises IncompleteRead or ConnectionResetError

    wait_for(is_back, "streams to end well and come back")


@pytest.mark.parametrize("name", ["engine", "worker"])
def test_background_ends_well(stack: Stack, name: str) -> None:
    wait_for(tell(stack, name), f"{name} to end well and come back", 60)

"""The webhook as the web server itself takes it: framed in every way, and flooded."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from tests.blackbox.client import Caller, wait_for
from tests.blackbox.flow import audit, pay, place, status_of
from tests.stack import Stack

PATH = "/api/v1/payments/webhook"


def raw(stack: Stack, head: str, body: bytes) -> bytes:
    """Send what no proper client would, and return the beginning of the answer."""
    address = urlsplit(stack.base_url)
    with socket.create_connection((address.hostname or "", address.port or 0), 15) as line:
        line.sendall(f"{head}\r\nHost: 127.0.0.1\r\n".encode() + body)
        answer = line.recv(4096)
    return answer.split(b"\r\n")[0]


def chunks(*parts: bytes) -> bytes:
    framed = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)
    return b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (chunks(b'{"type":', b'"order"}'), b"200"),
        (chunks(), b"200"),
        (chunks(*[b"x" * 1024] * 65), b"413"),
        (b"Content-Length: 65537\r\n\r\n" + b"x" * 65537, b"413"),
        (b"Content-Length: 9999999999\r\n\r\n", b"413"),
        (b"Content-Length: 0\r\n\r\n", b"200"),
    ],
)
def test_body_is_bounded_however_it_is_framed(stack: Stack, body: bytes, status: bytes) -> None:
    assert raw(stack, f"POST {PATH}?data.id=ORD1 HTTP/1.1", body).split()[1] == status


def test_flood_of_unknown_ids_keeps_nobody_from_paying(stack: Stack, kiosk: Caller, simulator: Caller) -> None:
    """Two seconds of it, as fast as eight senders can: all are answered, nobody is asked, and an order goes through."""
    order = place(kiosk)
    stop = threading.Event()
    stranger = Caller(stack.base_url)
    before = simulator.get("/_sim/journal").body["last"]

    def send(sender: int) -> set[int]:
        answers, number = set(), 0
        while not stop.is_set():
            number += 1
            answers.add(stranger.post(f"{PATH}?data.id=ORD{sender}x{number}&type=order", {"type": "order"}).status)
        return answers

    with ThreadPoolExecutor(8) as pool:
        senders = [pool.submit(send, sender) for sender in range(8)]
        time.sleep(2)
        entries = simulator.get(f"/_sim/journal?since={before}").body["entries"]
        pay(kiosk, simulator, order)
        wait_for(lambda: status_of(kiosk, order) == "received", "the order to be paid amid the flood")
        stop.set()

    assert set().union(*(sender.result() for sender in senders)) == {200}
    assert [entry for entry in entries if entry["kind"] == "request"] == []
    assert audit(stack)["ok"]

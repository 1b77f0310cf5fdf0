"""The edge from outside, with sockets: what no HTTP library would send."""

import contextlib
import json
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest

from breadmate.gunicorn import SECONDS_TO_SEND_A_REQUEST, SERVER
from tests.blackbox.client import Caller, new_key, product, wait_for
from tests.stack import Stack

LIMIT = 64 * 1024


def connect(stack: Stack) -> socket.socket:
    parts = urlsplit(stack.base_url)
    return socket.create_connection((parts.hostname, parts.port), timeout=SECONDS_TO_SEND_A_REQUEST + 20)


def head_for(kiosk: Caller, *lines: str, method: str = "POST", path: str = "/api/v1/orders/checkout") -> bytes:
    told = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Device {kiosk.token}",
        f"Idempotency-Key: {new_key()}",
        "Content-Type: application/json",
        *lines,
    ]
    return "\r\n".join(told).encode() + b"\r\n\r\n"


def everything(connection: socket.socket) -> bytes:
    """Read until the server closes, which it may do roughly when it has not read all we sent."""
    read = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65_536):
            read += chunk
    return read


def answer(stack: Stack, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes, and read one whole answer."""
    with connect(stack) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not read what it refuses
            connection.sendall(sent)
        read = b""
        while b"\r\n\r\n" not in read:
            chunk = connection.recv(65_536)
            if not chunk:
                break
            read += chunk
        head, _, body = read.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65_536)
        return int(status.split()[1]), headers, body[: int(headers.get("content-length", len(body)))]


def assert_problem(told: tuple[int, dict[str, str], bytes], status: int) -> None:
    got, headers, body = told
    assert (got, headers["content-type"]) == (status, "application/problem+json"), body
    assert json.loads(body)["status"] == status
    assert headers["server"] == SERVER


def chunked(*pieces: bytes) -> bytes:
    return b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"


@pytest.fixture
def cart(kiosk: Caller) -> bytes:
    bread = product(kiosk.get("/api/v1/menu").body, "cafe-coado")
    return json.dumps({"dining_option": "eat_in", "items": [{"product": bread["id"], "quantity": 1}]}).encode()


def test_body_in_chunks_is_read(stack: Stack, kiosk: Caller, cart: bytes) -> None:
    sent = head_for(kiosk, "Transfer-Encoding: chunked") + chunked(cart[:10], cart[10:])
    status, _, body = answer(stack, sent)
    assert (status, json.loads(body)["status"]) == (201, "awaiting_payment")


def test_too_long_body_in_chunks_is_413(stack: Stack, kiosk: Caller, cart: bytes) -> None:
    sent = head_for(kiosk, "Transfer-Encoding: chunked") + chunked(cart, *[b" " * 8_192] * 20)
    assert_problem(answer(stack, sent), 413)


@pytest.mark.parametrize("size", [LIMIT + 1, 10_000_000])
def test_too_long_body_is_413(stack: Stack, kiosk: Caller, cart: bytes, size: int) -> None:
    assert_problem(answer(stack, head_for(kiosk, f"Content-Length: {size}") + cart.ljust(size)), 413)


def test_announced_body_is_refused_before_it_is_sent(stack: Stack, kiosk: Caller) -> None:
    assert_problem(answer(stack, head_for(kiosk, "Content-Length: 10000000000")), 413)


def test_body_longer_than_announced_is_not_read(stack: Stack, kiosk: Caller, cart: bytes) -> None:
    told = answer(stack, head_for(kiosk, f"Content-Length: {len(cart) - 1}") + cart * 100)
    assert_problem(told, 400)


def test_body_shorter_than_announced_is_400(stack: Stack, kiosk: Caller, cart: bytes) -> None:
    with connect(stack) as connection:
        connection.sendall(head_for(kiosk, f"Content-Length: {len(cart) + 10}") + cart)
        connection.shutdown(socket.SHUT_WR)
        read = everything(connection)
    assert b" 400 " in read.split(b"\r\n")[0]
    assert json.loads(read.partition(b"\r\n\r\n")[2])["code"] == "incomplete_body"


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 2", "Content-Length: 3"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: -1",),
        ("Content-Length: +2",),
        ("Bad Header: x",),
        ("Transfer-Encoding: chunked, identity",),
    ],
)
def test_ambiguous_framing_is_refused_and_closed(stack: Stack, kiosk: Caller, lines: tuple[str, ...]) -> None:
    with connect(stack) as connection:
        connection.sendall(head_for(kiosk, *lines) + b"0\r\n\r\n" + head_for(kiosk, method="GET"))
        read = everything(connection)
    assert read.count(b"HTTP/1.1 ") == 1
    assert read.split(b" ")[1] in (b"400", b"501")
    assert b"application/problem+json" in read
    assert b"gunicorn" not in read.lower()


@pytest.mark.parametrize("chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}XX0\r\n\r\n"])
def test_bad_chunks_are_400_and_closed(stack: Stack, kiosk: Caller, chunks: bytes) -> None:
    with connect(stack) as connection:
        connection.sendall(head_for(kiosk, "Transfer-Encoding: chunked") + chunks + head_for(kiosk, method="GET"))
        read = everything(connection)
    assert read.split(b" ")[1] == b"400"
    assert read.count(b"HTTP/1.1 ") == 1
    assert b"application/problem+json" in read


def test_huge_header_is_431(stack: Stack, kiosk: Caller) -> None:
    assert_problem(answer(stack, head_for(kiosk, "X-Much: " + "x" * 100_000, method="GET")), 431)


def test_huge_address_is_refused(stack: Stack, kiosk: Caller) -> None:
    assert_problem(answer(stack, head_for(kiosk, method="GET", path="/api/v1/orders?" + "a=1&" * 10_000)), 414)


def test_rubbish_is_refused_in_our_form(stack: Stack) -> None:
    assert_problem(answer(stack, b"\x16\x03\x01 hello\r\n\r\n"), 400)


@pytest.mark.parametrize("named", ["charset=rot13", "charset=hex", "charset=zzz", "charset=utf-16", "a*=zzz''x"])
def test_encoding_that_is_no_text_is_refused_and_breaks_nothing(stack: Stack, kiosk: Caller, named: str) -> None:
    media = {"Content-Type": f"application/json; {named}"}
    query = "?a=%41"
    for method, path in (("POST", "/api/v1/orders/quote"), ("GET", "/api/v1/menu"), ("POST", "/api/v1/nothing")):
        refused = kiosk.call(method, path + query, b"{}", headers=media)
        assert (refused.status, refused.headers["Content-Type"]) == (400, "application/problem+json")
        assert refused.body["code"] == "invalid"
    live = Caller(stack.stream_url, kiosk.token).call("GET", f"/kitchen/stream{query}", b"", headers=media)
    assert (live.status, live.body["code"]) == (400, "invalid")
    assert kiosk.call("POST", f"/api/v1/payments/webhook{query}", b"{}", headers=media).status == 200
    for page in ("/kiosk/", "/admin/login/"):
        assert Caller(stack.base_url).call("GET", page + query, b"", headers=media).status == 200


def test_address_of_another_host_is_400(stack: Stack, kiosk: Caller) -> None:
    sent = b"GET http://evil.example/api/v1/orders HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    assert_problem(answer(stack, sent), 400)


def test_clients_that_dawdle_are_cut_and_hold_up_nobody(stack: Stack, kiosk: Caller, cart: bytes) -> None:
    """They hold threads at first, then each loses its place."""
    begun = [
        b"GET /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        head_for(kiosk, f"Content-Length: {len(cart)}") + cart[:5],
        head_for(kiosk, "Transfer-Encoding: chunked") + b"5\r\n",
    ]
    dawdlers = [connect(stack) for _ in range(12)]
    try:
        for n, dawdler in enumerate(dawdlers):
            dawdler.sendall(begun[n % len(begun)])
        ended = [everything(dawdler) for dawdler in dawdlers]
    finally:
        for dawdler in dawdlers:
            dawdler.close()
    statuses = {read.split(b" ")[1] if read else b"" for read in ended}
    assert statuses <= {b"", b"400"}
    assert kiosk.get("/api/v1/orders").status == 200


def test_metrics_are_on_their_own_port_only(stack: Stack, kiosk: Caller) -> None:
    kiosk.get("/api/v1/orders")
    assert kiosk.get("/metrics").status == 404

    def complete() -> str:
        """Read them once the engine is there; it starts beside the web."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{stack.env['METRICS_PORT']}/metrics", timeout=5) as read:
                text = str(read.read().decode())
        except urllib.error.URLError:
            return ""
        return text if "breadmate_outbox_undelivered" in text else ""

    text = wait_for(complete, "the engine's numbers")
    assert 'breadmate_http_requests_total{method="GET",route="api/v1/orders",status="200"}' in text
    assert 'breadmate_charges_open{state="pending"}' in text


def test_stream_process_names_no_program(stack: Stack) -> None:
    reply = Caller(stack.stream_url).get("/api/v1/nothing")
    assert reply.status == 404
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["Server"] == SERVER

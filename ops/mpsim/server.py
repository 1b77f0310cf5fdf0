"""The HTTP/1.1 server: one thread a connection, keep-alive, one send an answer."""

import contextlib
import os
import select
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ops.mpsim.app import App
from ops.mpsim.messages import Answer, Request

MAX_BODY = 1024 * 1024
LINGER_ZERO = struct.pack("ii", 1, 0)
"""Socket option that makes ``close`` send a reset."""


def to_stdout(line: str) -> None:
    """Write one whole line without a lock, so that threads may do it while the program ends."""
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())


class Server(socketserver.ThreadingTCPServer):
    """Serves an ``App`` until stopped."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, app: App, host: str, port: int, log: Callable[[str], None] = to_stdout) -> None:
        super().__init__((host, port), Handler)
        self.app = app
        self.log = log
        self._connections: set[socket.socket] = set()
        self.to_reset: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="mpsim-accept", daemon=True)

    @property
    def url(self) -> str:
        """Return the address it listens on."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Serve from a thread of its own."""
        self.app.sim.start()
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every open connection."""
        self.app.sim.stop()
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note an open connection."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, by a reset if that was asked for."""
        self._connections.discard(request)
        if request in self.to_reset:
            self.to_reset.discard(request)
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that goes away; tell anything else in one line."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self.log(f"connection failed: {error!r}")


class Handler(BaseHTTPRequestHandler):
    """Reads requests off one connection and writes the app's answers to it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    server: Server
    connection: socket.socket

    def serve(self) -> None:
        """Read one request, have it answered and log it."""
        begun = time.perf_counter()
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            self.send(Answer(413, b'{"message":"send a content-length of at most 1 MiB","status":413}'))
            return
        body = self.rfile.read(int(length))
        url = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(url.path),
            query=dict(parse_qsl(url.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        answer = self.server.app.answer(request)
        if answer.cut is None:
            self.send(answer)
        else:
            self.cut(answer)
        ended = time.perf_counter()
        outcome = answer.cut or str(answer.status)
        self.server.log(
            f"{self.log_date_time_string()} {self.command} {url.path} {outcome} {(ended - begun) * 1e3:.1f}ms"
        )

    do_GET = serve  # noqa: N815 - the base class looks for these names
    do_POST = serve  # noqa: N815
    do_PUT = serve  # noqa: N815
    do_PATCH = serve  # noqa: N815
    do_DELETE = serve  # noqa: N815

    def send(self, answer: Answer) -> None:
        """Write one answer in one send."""
        known = answer.status in set(HTTPStatus)
        lines = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase if known else 'Status'}",
            f"Date: {self.date_time_string()}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.body)}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        if self.close_connection:
            lines.append("Connection: close")
        self.connection.sendall("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + answer.body)

    def cut(self, answer: Answer) -> None:
        """End the connection without an answer."""
        self.close_connection = True
        if answer.cut == "silence":
            self.hold(answer.hold_seconds)
        else:
            self.server.to_reset.add(self.connection)

    def hold(self, seconds: float) -> None:
        """Say nothing until the time is over, the client has gone or the simulator ends."""
        until = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        while time.monotonic() < until and not self.server.app.sim.stopping.is_set():
            if poll.poll(100):
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Log a malformed request, which the base class tells of here."""
        self.server.log(f"malformed request: {format % args}")

"""gunicorn's own settings and hooks, given to it by ``-c python:breadmate.gunicorn``.

What is answered before Django sees a request, how long a client may take to send one, and what becomes of the metrics of a
worker that has ended.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from http import HTTPStatus
from typing import Any

import orjson
from gunicorn import util
from gunicorn.asgi import protocol as asgi_protocol  # a plain name would be read as a setting
from gunicorn.http import wsgi
from gunicorn.workers.gthread import ThreadWorker

from breadmate.waiting import Wait, wait

SERVER = "BreadMate"
SECONDS_TO_SEND_A_REQUEST = 20.0
LOOK_EVERY_SECONDS = 1.0


class Watch:
    """Cuts off clients that take too long to send a request, so that they do not hold all threads.

    Only the reading side is closed: an answer on its way still goes out.
    """

    def __init__(self, seconds: float = SECONDS_TO_SEND_A_REQUEST) -> None:
        self.seconds = seconds
        self._until: dict[Any, float] = {}

    def begin(self, connection: Any) -> None:
        """Start the clock of a connection."""
        self._until[connection] = time.monotonic() + self.seconds

    def end(self, connection: Any) -> None:
        """Stop it."""
        self._until.pop(connection, None)

    def run(self) -> None:
        """Look, for the life of the process."""
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            self.cut(time.monotonic())

    def cut(self, now: float) -> None:
        """Cut off whoever is over time; the reader then sees the end of the stream."""
        for connection, until in list(self._until.items()):
            if until < now:
                self.end(connection)
                with contextlib.suppress(OSError):  # not ssl's own shutdown, which would break the reader's object
                    socket.socket.shutdown(connection.sock, socket.SHUT_RD)


class Worker(ThreadWorker):
    """gunicorn's threads with a clock; its own timeout is for workers that hang, not for clients that dawdle.

    It tells each request how long it has waited for a thread, so that the application can refuse some (``shedding``).
    """

    def init_process(self) -> None:
        """Start the clock's thread in the new process."""
        self.waiting: dict[Any, float] = {}
        self.watch = Watch()
        threading.Thread(target=self.watch.run, name="watch", daemon=True).start()
        super().init_process()

    def enqueue_req(self, conn: Any) -> None:
        """Put a connection that has something to say in the queue."""
        self.waiting[conn] = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Serve one request."""
        now = time.monotonic()
        waited = now - self.waiting.pop(conn, now)
        wait.set(Wait(waited, behind=len(self.waiting), threads=self.cfg.threads))
        self.watch.begin(conn)
        try:
            return super().handle(conn)
        finally:
            self.watch.end(conn)


def write_error(sock: Any, status_int: int, reason: str, mesg: str) -> None:
    """Say in our own form, and without quoting the request, that this was no HTTP request we serve."""
    code = "internal_error" if status_int >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid"
    document: dict[str, Any] = {
        "type": f"urn:breadmate:problem:{code}",
        "title": "Pedido inválido" if code == "invalid" else "Erro interno",
        "status": status_int,
        "detail": "",
        "code": code,
        "request_id": "-",
        "errors": [],
    }
    body = orjson.dumps(document)
    head = (
        f"HTTP/1.1 {status_int} {reason}\r\nServer: {SERVER}\r\nConnection: close\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(sock, head.encode("latin-1") + body)


util.write_error = write_error
wsgi.SERVER = SERVER
asgi_protocol._CACHED_SERVER_HEADER = f"Server: {SERVER}\r\n".encode()  # noqa: SLF001 - it has no setting


def post_worker_init(worker: Any) -> None:
    """Let gunicorn's own lines go where all others go, but not those that quote a broken request."""
    own = logging.getLogger("gunicorn.error")
    own.handlers.clear()
    own.propagate = True
    own.setLevel(logging.ERROR)


def child_exit(server: Any, worker: Any) -> None:
    """Let the numbers of a worker that is no more be counted as such."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess  # noqa: PLC0415 - the master needs it only now

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]

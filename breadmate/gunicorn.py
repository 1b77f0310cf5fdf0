"""gunicorn's own settings and hooks, given to it by ``-c python:breadmate.gunicorn``.

What is answered before Django sees a request, how long a client may take to send one, and what becomes of the metrics of a
worker that has ended.
"""

import contextlib
import logging
import os
import re
import socket
import threading
import time
from concurrent.futures import Future
from http import HTTPStatus
from multiprocessing.sharedctypes import RawValue
from typing import Any

import orjson
from gunicorn import util
from gunicorn.asgi import protocol as asgi_protocol  # a plain name would be read as a setting
from gunicorn.http import wsgi
from gunicorn.workers.gthread import ThreadWorker

from breadmate import garbage
from breadmate.waiting import Kind, Turns, Wait, gives_way_seconds, is_refused, kind_told, wait

SERVER = "BreadMate"
SECONDS_TO_SEND_A_REQUEST = 20.0
LOOK_EVERY_SECONDS = 1.0
SECONDS_TO_SUCCEED = 30.0
LOOK_FOR_SUCCESSORS_SECONDS = 0.1
REQUEST_LINE_BYTES = 64  # more than the longest path that matters here
MOST_UNREAD_BYTES = 8192
# One whole GET of the API by somebody who keeps the connection. A body would be named in the head, however it is spelled.
PLAIN_CALL = re.compile(
    rb"GET /api/[^\r\n]* HTTP/1\.1\r\n(?:(?!connection|content-length|transfer-encoding|expect|upgrade)[^\r\n]+\r\n)+\r\n",
    re.IGNORECASE,
)
LATE_FOR_SECONDS = 1.0
SECONDS_TO_LET_OTHERS_ACCEPT = 0.0005  # for each connection held already
MOST_SECONDS_TO_LET_OTHERS_ACCEPT = 0.004


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


class Successors:
    """Tells the workers of before a reload when those that follow them are ready; shared by all processes of a server."""

    def __init__(self) -> None:
        self._ready, self._wanted = RawValue("l", 0), RawValue("l", 0)

    def want(self, age: int) -> None:
        """Say how old the youngest worker of the new ones will be; gunicorn counts from 1."""
        self._wanted.value = age

    def welcome(self, age: int) -> None:
        """Note a worker that is ready."""
        self._ready.value = max(self._ready.value, age)

    def wait(self) -> None:
        """Return when they are ready, or when they ought to have been."""
        until = time.monotonic() + SECONDS_TO_SUCCEED
        while self._ready.value < self._wanted.value and time.monotonic() < until:
            time.sleep(LOOK_FOR_SUCCESSORS_SECONDS)


successors = Successors()


class Worker(ThreadWorker):
    """gunicorn's threads with a clock; its own timeout is for workers that hang, not for clients that dawdle.

    Orders have their turn before polls (``waiting``). Each request is told how long it has waited for a thread, so that the
    application can refuse some (``shedding``). A worker that is replaced serves until its successors do.
    """

    def init_process(self) -> None:
        """Start the clock's thread in the new process."""
        self.waiting: dict[Any, tuple[float, Kind | None]] = {}
        self.late: dict[Kind, float] = {}
        self.leaving: threading.Thread | None = None
        self.watch = Watch()
        threading.Thread(target=self.watch.run, name="watch", daemon=True).start()
        super().init_process()

    def get_thread_pool(self) -> Turns:
        """Give threads that take orders first."""
        return Turns(self.cfg.threads)

    def accept(self, listener: socket.socket) -> None:
        """Let a worker that holds fewer connections be first: kept ones stay for hours where they were accepted.

        Not when all threads are taken: a crowd at the door would wait where nobody sees it and nobody sends it away.
        """
        if self.cfg.workers > 1 and len(self.waiting) < self.cfg.threads:
            time.sleep(min(self.nr_conns * SECONDS_TO_LET_OTHERS_ACCEPT, MOST_SECONDS_TO_LET_OTHERS_ACCEPT))
        super().accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        """Put a connection that has something to say in the queue."""
        now, kind = time.monotonic(), kind_told(_first_bytes(conn.sock, REQUEST_LINE_BYTES))
        if kind is not None and now < self.late.get(kind, 0.0) and self._turned_away(conn, kind):
            return
        self.waiting[conn] = now, kind
        done = self.tpool.submit(lambda: self.handle(conn), due=now + gives_way_seconds(kind))
        done.add_done_callback(lambda _: self.method_queue.defer(self.finish_request, conn, done))

    def _turned_away(self, conn: Any, kind: Kind) -> bool:
        """Refuse a plain call of the API before anybody reads it: what does so is all a flood of polls costs.

        For a second after one had to be refused for its long wait, and only while more wait than there are threads.
        """
        if len(self.waiting) < self.cfg.threads or self.cfg.is_ssl or not conn.initialized or conn.is_http2:
            return False
        asked = _first_bytes(conn.sock, MOST_UNREAD_BYTES)
        if not PLAIN_CALL.fullmatch(asked) or conn.parser.unreader.buf.getvalue():
            return False
        from breadmate import shedding  # noqa: PLC0415 - Django is there only by now

        done: Future[bool] = Future()
        try:
            conn.sock.recv(len(asked))
            conn.sock.sendall(shedding.refusal_unread(kind))
            done.set_result(True)
        except OSError:
            done.set_result(False)
        shedding.count(kind)
        self.finish_request(conn, done)
        return True

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop, but not before those that follow are there."""
        if self.leaving is None:
            self.leaving = threading.Thread(target=self._leave, args=(sig, frame), name="leave", daemon=True)
            self.leaving.start()

    def _leave(self, sig: int, frame: Any) -> None:
        successors.wait()
        super().handle_exit(sig, frame)

    def handle(self, conn: Any) -> Any:
        """Serve one request."""
        now = time.monotonic()
        since, kind = self.waiting.pop(conn, (now, None))
        waited = Wait(now - since, behind=len(self.waiting), threads=self.cfg.threads)
        wait.set(waited)
        if kind is not None and is_refused(kind, waited, longest_seconds=self.longest_seconds):
            self.late[kind] = now + LATE_FOR_SECONDS
        self.watch.begin(conn)
        try:
            return super().handle(conn)
        finally:
            self.watch.end(conn)


def _first_bytes(sock: socket.socket, most: int) -> bytes:
    """Look at what a client has said without taking it."""
    try:
        return sock.recv(most, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (OSError, ValueError):  # nothing yet, or TLS, where nothing could be read in it
        return b""


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


def on_reload(server: Any) -> None:
    """Let the present workers wait for those that are about to start."""
    successors.want(server.worker_age + server.cfg.workers)


def post_worker_init(worker: Any) -> None:
    """Let gunicorn's own lines go where all others go, but not those that quote a broken request."""
    from django.conf import settings  # noqa: PLC0415 - Django is there only by now

    worker.longest_seconds = settings.LIMIT_WAITING_SECONDS
    garbage.look_seldom()
    successors.welcome(worker.age)
    own = logging.getLogger("gunicorn.error")
    own.handlers.clear()
    own.propagate = True
    own.setLevel(logging.ERROR)


def child_exit(server: Any, worker: Any) -> None:
    """Let the numbers of a worker that is no more be counted as such."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess  # noqa: PLC0415 - the master needs it only now

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]

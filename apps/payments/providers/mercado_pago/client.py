"""The SDK's own extension point: kept-alive connections, our time-outs, our exact bytes, no hidden retries, our base URL.

The SDK opens a connection a call, waits up to 60 s, sleeps on Retry-After in the calling thread, hides the headers and
encodes bodies anew (its source, 3.6.0). Retries belong to us: same key, same bytes, later.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import orjson
import requests
from django.conf import settings
from mercadopago.http import HttpClient
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

T = TypeVar("T")

OFFICIAL_URL = "https://api.mercadopago.com"
LONGEST_CALL_SECONDS = 5.0  # whatever happens: a guest gets an answer within 6 s
LARGEST_ANSWER = 1024 * 1024
PIECE = 64 * 1024
MOST_THREADS = 32

_of_thread = threading.local()


class OverTimeError(requests.Timeout):
    """The whole call took too long, though every single wait was short enough."""


class TooLargeError(requests.RequestException):
    """The answer is larger than any real one."""


class Budget:
    """The time of one call, from the look-up of the name to the last byte.

    ``spend`` does the call on a thread of its own and stops waiting when the time is over; the thread's connection is then cut,
    so that a provider that sends a byte now and then cannot keep it.
    """

    def __init__(self) -> None:
        self._connection: HTTPConnection | None = None

    def spend(self, work: Callable[[], T]) -> T:
        """Do the work.

        Raises:
            OverTimeError: it was not done in time.
        """
        call = _threads().submit(self._on_thread, work)
        try:
            return call.result(LONGEST_CALL_SECONDS)
        except TimeoutError:
            call.cancel()
            self._cut()
            raise OverTimeError(f"no whole answer in {LONGEST_CALL_SECONDS} s") from None

    def meet(self, connection: HTTPConnection) -> None:
        """Remember the connection that the call has come to use."""
        self._connection = connection

    def _on_thread(self, work: Callable[[], T]) -> T:
        _of_thread.budget = self
        try:
            return work()
        finally:
            _of_thread.budget = None

    def _cut(self) -> None:
        opened = getattr(self._connection, "sock", None)
        if opened is not None:
            with contextlib.suppress(OSError):  # not ssl's own shutdown, which would break the reader's object
                socket.socket.shutdown(opened, socket.SHUT_RDWR)


def _meet(connection: HTTPConnection) -> None:
    budget: Budget | None = getattr(_of_thread, "budget", None)
    if budget is not None:
        budget.meet(connection)


class _Connection(HTTPConnection):
    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        _meet(self)
        super().putrequest(*args, **kwargs)


class _SecureConnection(HTTPSConnection):
    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        _meet(self)
        super().putrequest(*args, **kwargs)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


@cache
def _threads() -> ThreadPoolExecutor:
    """Return this process's threads for calls; first asked for after any fork."""
    return ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="mercado-pago")


def _session() -> requests.Session:
    session: requests.Session | None = getattr(_of_thread, "session", None)
    if session is None:
        session = requests.Session()
        session.trust_env = False
        adapter = HTTPAdapter(max_retries=0)
        adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        _of_thread.session = session
    return session


class PooledHttpClient(HttpClient):
    """Sends one call; the sessions behind it are one a thread, never shared across a fork.

    ``body`` goes out as it is, in place of what the SDK makes of the same document.
    """

    def __init__(self, body: bytes | None = None) -> None:
        self._body = body

    def request(
        self,
        method: str,
        url: str,
        maxretries: int | None = None,
        retry_on: list[int] | None = None,
        backoff_factor: float | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Send one request once; the answer's body may be anything, also none.

        Raises:
            requests.RequestException: there is no whole answer.
        """
        if self._body is not None:
            kwargs["data"] = self._body
        return Budget().spend(lambda: _exchange(method, url.replace(OFFICIAL_URL, settings.MP_BASE_URL, 1), kwargs))


def _exchange(method: str, url: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    limits = (settings.MP_CONNECT_TIMEOUT_SECONDS, settings.MP_READ_TIMEOUT_SECONDS)
    with _session().request(method, url, timeout=limits, allow_redirects=False, stream=True, **kwargs) as response:
        read = bytearray()
        for piece in response.iter_content(PIECE):
            read += piece
            if len(read) > LARGEST_ANSWER:
                raise TooLargeError(f"more than {LARGEST_ANSWER} bytes")
    try:
        body = orjson.loads(read)
    except orjson.JSONDecodeError:
        body = None
    return {"status": response.status_code, "response": body, "headers": response.headers}

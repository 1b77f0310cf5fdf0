"""A small HTTP/1.1 client on asyncio: connections are kept, SSE is read event by event.

No asynchronous client is among the dependencies, and one guest more must cost next to nothing here: the server is measured
on the same cores. It speaks to BreadMate and the simulator only, which answer with a length or in chunks.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

IDLE_SECONDS = 8.0
ANSWER_SECONDS = 15.0  # as long as the kiosk waits
MOST_LINE = 64 * 1024


class OfflineError(Exception):
    """No answer; whether the request had an effect is unknown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """Read it as JSON."""
        return orjson.loads(self.raw) if self.raw else {}


class _Line:
    """One open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.used_at = 0.0

    def close(self) -> None:
        self.writer.close()

    async def send(self, head: bytes, body: bytes) -> tuple[int, dict[str, str]]:
        """Send a request and read the head of its answer."""
        self.writer.write(head + body)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines[1:] if line)
        return int(lines[0].split(" ", 2)[1]), {name.lower(): value.strip() for name, _, value in pairs}

    async def chunks(self) -> AsyncIterator[bytes]:
        """Read a body in chunks."""
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readuntil(b"\r\n")


class Server:
    """One address and the connections kept to it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or "127.0.0.1"
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._named = parts.netloc
        self._kept: list[_Line] = []

    async def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send one request and read its answer.

        A kept connection may have been closed by the server meanwhile: the request is then sent once more, on a new one. All
        requests of the rush may be repeated, by their nature or by their key.

        Raises:
            OfflineError: no answer within ``ANSWER_SECONDS``, or none at all.
        """
        data = b"" if body is None else orjson.dumps(body)
        head = self._head(method, path, {**(headers or {}), "Content-Length": str(len(data))}, has_body=bool(data))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    line, kept = await self._line()
                    try:
                        return await self._exchange(line, head, data)
                    except (OSError, EOFError):
                        if not kept:
                            raise
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise OfflineError(f"{method} {path}: {error!r}") from error

    async def events(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[tuple[str, bytes]]:
        """Open a live stream and yield its events as (name, data) until it ends.

        Raises:
            OfflineError: refused, or cut.
        """
        line = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                line = await self._open()
                status, _ = await line.send(self._head("GET", path, headers, has_body=False), b"")
            if status != 200:  # noqa: PLR2004
                raise OfflineError(f"stream {path} answered {status}")
            waiting = b""
            async for chunk in line.chunks():
                *whole, waiting = (waiting + chunk).split(b"\n\n")
                for event in whole:
                    name, _, data = event.partition(b"\ndata: ")
                    if name.startswith(b"event: "):
                        yield name[7:].decode(), data
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise OfflineError(f"stream {path}: {error!r}") from error
        finally:
            if line is not None:
                line.close()

    def close(self) -> None:
        """Close what is kept."""
        while self._kept:
            self._kept.pop().close()

    async def _exchange(self, line: _Line, head: bytes, body: bytes) -> Reply:
        try:
            status, headers = await line.send(head, body)
            if "content-length" in headers:
                raw = await line.reader.readexactly(int(headers["content-length"]))
            elif headers.get("transfer-encoding") == "chunked":
                raw = b"".join([chunk async for chunk in line.chunks()])
            else:
                raw = b""
        except BaseException:
            line.close()
            raise
        if headers.get("connection", "").lower() == "close":
            line.close()
        else:
            line.used_at = time.monotonic()
            self._kept.append(line)
        return Reply(status, headers, raw)

    async def _line(self) -> tuple[_Line, bool]:
        """Take a connection; tell whether it was used before."""
        while self._kept:
            line = self._kept.pop()
            if time.monotonic() - line.used_at < IDLE_SECONDS and not line.reader.at_eof():
                return line, True
            line.close()
        return await self._open(), False

    async def _open(self) -> _Line:
        return _Line(*await asyncio.open_connection(self.host, self._port, ssl=self._tls, limit=MOST_LINE))

    def _head(self, method: str, path: str, headers: Mapping[str, str], *, has_body: bool) -> bytes:
        kind = {"Content-Type": "application/json"} if has_body else {}
        told = {"Host": self._named, "Accept": "application/json", **kind, **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
        return "\r\n".join(lines).encode()


async def ask(url: str, path: str, *, method: str = "GET", body: Any = None, seconds: float = ANSWER_SECONDS) -> Any:
    """Send one request over a connection of its own and return the body of its good answer.

    Raises:
        OfflineError: no answer, or a refusal.
    """
    server = Server(url)
    with contextlib.closing(server):
        try:
            async with asyncio.timeout(seconds):
                reply = await server.call(method, path, body)
        except TimeoutError as error:
            raise OfflineError(f"{method} {path}: {error!r}") from error
    if reply.status >= 400:  # noqa: PLR2004
        raise OfflineError(f"{method} {path} answered {reply.status}: {reply.raw[:200]!r}")
    return reply.body

"""A TCP way that can be spoilt, in front of a server on this machine."""

import asyncio
import contextlib
import enum
import threading
from typing import Self

CHUNK = 65_536


class Mode(enum.Enum):
    """What becomes of a piece on its way."""

    OK = "ok"
    LATENCY = "latency"  # each piece, either way, comes ``delay`` later
    BLACKHOLE = "blackhole"  # connections stay open and nothing comes through, as when a machine vanishes
    REFUSE = "refuse"  # new connections are closed at once, old ones cut
    RESET = "reset"  # every connection is cut at the next piece
    HALF = "half"  # what is asked arrives and is done, the answer never comes


class Proxy:
    """Listens on a port of its own and forwards to another, in a thread with a loop of its own.

    A connection that has lost a piece is never used again: it stays silent until one end gives it up.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.mode = Mode.OK
        self.delay = 0.1
        self.open = 0  # connections, those that lead nowhere too
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def set(self, mode: Mode, *, delay: float = 0.1) -> None:
        """Change what becomes of everything from now on; ``delay`` is in seconds."""
        self.delay = delay
        self.mode = mode
        if mode in (Mode.REFUSE, Mode.RESET):
            self._loop.call_soon_threadsafe(self._cut)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._cut()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self._writers.add(writer)
        try:
            if self.mode in (Mode.REFUSE, Mode.RESET):
                return
            if self.mode is Mode.BLACKHOLE:
                await self._swallow(reader)
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(back)
            try:
                lost = asyncio.Event()
                ways = [self._carry(reader, back, lost, answers=False), self._carry(there, writer, lost, answers=True)]
                await asyncio.wait([asyncio.ensure_future(way) for way in ways], return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._writers.discard(back)
                back.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            self._writers.discard(writer)
            writer.transport.abort()

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        while await reader.read(CHUNK):
            pass

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event, *, answers: bool
    ) -> None:
        """Bring one direction's pieces over, or not; returns at the end of the stream."""
        with contextlib.suppress(OSError):
            while piece := await reader.read(CHUNK):
                if self.mode is Mode.LATENCY:
                    await asyncio.sleep(self.delay)
                if self.mode is Mode.BLACKHOLE or (self.mode is Mode.HALF and answers):
                    lost.set()
                if not lost.is_set() or (self.mode is Mode.HALF and not answers):
                    writer.write(piece)
                    await writer.drain()

"""Live streams (SSE) of the stream process.

One look-out a process hears of changes, through Redis at once and in Postgres every second; it redraws each feed that a
change touches, once, for all its readers. A slow reader gets the newest state and never a backlog.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import redis.asyncio as aioredis
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from django.http import HttpRequest, StreamingHttpResponse
from redis import RedisError

from apps.core.models import StoredEvent
from apps.core.partitions import first_id
from apps.core.wake import CHANNEL, News, parse

T = TypeVar("T")

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
LOOK_SECONDS = 1.0
LOOK_BACK = timedelta(seconds=10)
LIFE_SECONDS = 600.0
REST = 1.0  # times as long as a drawing took
LEAST_REST_SECONDS = 0.25  # nobody sees the difference, and at noon a board changes twenty times a second
RETRY_MILLISECONDS = 2000
MOST_OF_ONE = 16  # a screen needs two; the rest is for tabs, and for cut connections nobody has noticed yet


@dataclass(frozen=True, slots=True)
class Drawing:
    """The full state of a feed as one event; equal drawings are sent once."""

    event: str
    version: int
    data: dict[str, Any]

    def line(self) -> bytes:
        """Return it as SSE says it."""
        return f"event: {self.event}\ndata: {json.dumps(self.data, ensure_ascii=False)}\n\n".encode()


@dataclass(slots=True)
class Feed:
    """One thing many may watch: what touches it and how it is drawn (in a thread, with the database at hand)."""

    touches: Callable[[News], bool]
    draw: Callable[[], Drawing]
    readers: set[asyncio.Queue[Drawing | None]] = field(default_factory=set)
    stale: asyncio.Event = field(default_factory=asyncio.Event)
    drawer: asyncio.Task[None] | None = None


class Hub:
    """All feeds of this process that have a reader."""

    def __init__(self) -> None:
        self.feeds: dict[tuple[str, UUID], Feed] = {}
        self.lookouts: list[asyncio.Task[None]] = []
        self.held: dict[str, list[asyncio.Queue[Drawing | None]]] = {}
        self.heard: set[News] = set()

    async def watch(
        self,
        key: tuple[str, UUID],
        touches: Callable[[News], bool],
        draw: Callable[[], Drawing],
        allowed: Callable[[], bool] = lambda: True,
        *,
        whose: str,
    ) -> AsyncIterator[bytes]:
        """Yield the whole state now and after every change, and a beat every five seconds, for ten minutes at most.

        ``allowed`` is asked again before every beat; the stream of a reader who may not read any more ends there.
        ``whose`` names the credential: one more stream than it may hold ends its oldest, which may be a connection that was
        cut long ago.
        """
        self._start()
        feed = self.feeds.setdefault(key, Feed(touches=touches, draw=draw))
        queue: asyncio.Queue[Drawing | None] = asyncio.Queue(maxsize=1)
        feed.readers.add(queue)
        self._hold(whose, queue)
        if feed.drawer is None:
            feed.drawer = asyncio.create_task(self._draw_when_stale(feed))
        try:
            shown = await in_thread(draw)
            yield f"retry: {RETRY_MILLISECONDS}\n\n".encode() + shown.line()
            loop = asyncio.get_running_loop()
            end = loop.time() + LIFE_SECONDS
            next_beat = loop.time() + BEAT_SECONDS
            while loop.time() < end:
                try:
                    drawing = await asyncio.wait_for(queue.get(), max(next_beat - loop.time(), 0))
                except TimeoutError:
                    next_beat += BEAT_SECONDS
                    if not await still(allowed):
                        return
                    yield beat(shown.version)
                    continue
                if drawing is None:
                    return
                if drawing != shown:
                    shown = drawing
                    yield drawing.line()
        finally:
            feed.readers.discard(queue)
            self._release(whose, queue)
            if not feed.readers:
                feed.drawer.cancel()
                self.feeds.pop(key, None)

    def end(self) -> None:
        """Let every stream end after what it is sending; for a process that was told to stop."""
        for feed in self.feeds.values():
            for queue in feed.readers:
                _send_off(queue)

    def _hold(self, whose: str, queue: asyncio.Queue[Drawing | None]) -> None:
        """Count a stream; the oldest one too many is told to end and counts no more."""
        held = self.held.setdefault(whose, [])
        held.append(queue)
        if len(held) > MOST_OF_ONE:
            _send_off(held.pop(0))

    def _release(self, whose: str, queue: asyncio.Queue[Drawing | None]) -> None:
        held = self.held.get(whose, [])
        if queue in held:
            held.remove(queue)
        if not held:
            self.held.pop(whose, None)

    async def _draw_when_stale(self, feed: Feed) -> None:
        """Draw after changes; what takes long to draw is drawn less often, so that a busy store's board leaves room."""
        loop = asyncio.get_running_loop()
        while True:
            await feed.stale.wait()
            feed.stale.clear()
            begun = loop.time()
            try:
                drawing = await in_thread(feed.draw)
            except Exception:
                logger.exception("a feed could not be drawn")
                await asyncio.sleep(LOOK_SECONDS)
                feed.stale.set()
                continue
            for queue in feed.readers:
                if queue.full() and queue.get_nowait() is None:
                    queue.put_nowait(None)  # its reader is to go
                else:
                    queue.put_nowait(drawing)
            await asyncio.sleep(max(LEAST_REST_SECONDS, min(REST * (loop.time() - begun), LOOK_SECONDS)))

    def _start(self) -> None:
        if not self.lookouts:
            self.lookouts = [asyncio.create_task(self._hear()), asyncio.create_task(self._look())]

    def _touch(self, news: News) -> None:
        for feed in self.feeds.values():
            if feed.touches(news):
                feed.stale.set()

    async def _hear(self) -> None:
        """Listen to Redis for as long as there is one."""
        while settings.REDIS_URL:
            with contextlib.suppress(RedisError, OSError):
                client = aioredis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1)
                async with client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    async for message in pubsub.listen():
                        for news in parse(message["data"]):
                            self.heard.add(news)
                            self._touch(news)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        """Look for events that nobody told us of: lost messages, no Redis, a commit that came after a younger one."""
        seen: set[UUID] = set()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self.feeds:
                self.heard.clear()
                continue
            try:
                recent = await in_thread(recent_events)
            except Exception as problem:  # noqa: BLE001 - the database may be away; readers keep what they have
                logger.warning("streams cannot look: %r", problem)
                continue
            for event_id, news in recent.items():
                if event_id not in seen and news not in self.heard:
                    self._touch(news)
            seen = set(recent)
            self.heard.intersection_update(recent.values())


def _send_off(queue: asyncio.Queue[Drawing | None]) -> None:
    """Tell one reader to go, in place of whatever it was to read next."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(None)


def recent_events() -> dict[UUID, News]:
    """Return the events of the last seconds by id, at most 2,000. One query on the primary key."""
    since = first_id(datetime.now(UTC) - LOOK_BACK)
    rows = StoredEvent.objects.filter(id__gte=since).order_by("-id")
    told = rows.values_list("id", "type", "store_id", "subject_id", "seq")[:2000]
    return {event_id: News(type_, store, subject, seq) for event_id, type_, store, subject, seq in told}


def beat(version: int) -> bytes:
    """Return the sign of life, with the server's clock."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f'event: beat\ndata: {{"now": "{now}", "version": {version}}}\n\n'.encode()


async def still(allowed: Callable[[], bool]) -> bool:
    """Tell whether a reader may go on; while the database is away nobody is turned out."""
    try:
        return await in_thread(allowed)
    except (OperationalError, InterfaceError) as problem:
        logger.warning("streams cannot check who reads: %r", problem)
        return True


async def in_thread(work: Callable[[], T]) -> T:
    """Run work that uses the database in a thread, and hand its connection back."""

    def run() -> T:
        try:
            return work()
        finally:
            close_old_connections()

    return await asyncio.to_thread(run)


def stream_response(request: HttpRequest, events: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """Make the response of a stream; pages of exactly our own public origin may read it with their cookies."""
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    response["Vary"] = "Origin"
    if request.headers.get("Origin") == settings.PUBLIC_URL:
        response["Access-Control-Allow-Origin"] = settings.PUBLIC_URL
        response["Access-Control-Allow-Credentials"] = "true"
    return response


hub = Hub()

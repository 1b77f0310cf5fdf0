"""The stream process inside a test: its routes, its middleware and a hub of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest
from django.http import StreamingHttpResponse
from django.test import AsyncClient

from apps.catalog import streams as catalog
from apps.core import streams as core
from apps.kiosk import streams as kiosk
from apps.kitchen import streams as kitchen

PATIENCE_SECONDS = 5.0

Event = tuple[str, Any]


class Reader:
    """Somebody who reads one stream."""

    def __init__(self, response: StreamingHttpResponse) -> None:
        assert response.status_code == 200
        assert response["Content-Type"] == "text/event-stream"
        self._pieces = cast("AsyncIterator[bytes]", response.streaming_content).__aiter__()

    async def next(self) -> Event | None:
        """Return the next event with what it says, None at the end of the stream."""
        try:
            piece = await asyncio.wait_for(anext(self._pieces), PATIENCE_SECONDS)
        except StopAsyncIteration:
            return None
        name, told = piece.decode().strip().split("\n")[-2:]
        return name.removeprefix("event: "), json.loads(told.removeprefix("data: "))

    async def until(self, name: str) -> Any:
        """Return what the next event of a name says."""
        while (event := await self.next()) is not None:
            if event[0] == name:
                return event[1]
        raise AssertionError(f"the stream ended before {name}")


Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, settings_of_streams: None) -> Ask:
    """Ask the stream process for a path."""
    hub = core.Hub()
    for module in (catalog, kiosk, kitchen):
        monkeypatch.setattr(module, "hub", hub)

    async def get(path: str, method: str = "get", **headers: str) -> Any:
        return await getattr(AsyncClient(raise_request_exception=False), method)(path, headers=headers)

    return get


@pytest.fixture
def settings_of_streams(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = "breadmate.stream_urls"
    settings.MIDDLEWARE = settings.STREAM_MIDDLEWARE
    monkeypatch.setattr(core, "LOOK_SECONDS", 0.05)


@pytest.fixture
def without_redis(settings: Any) -> None:
    assert settings.REDIS_URL
    settings.REDIS_URL = ""

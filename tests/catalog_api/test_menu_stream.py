"""The live stream of the menu's version."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from django.conf import settings
from django.http import StreamingHttpResponse
from django.test import AsyncRequestFactory, Client

from apps.catalog import streams
from apps.core.actors import Role
from apps.core.streams import Hub, in_thread
from tests.factories import StoreFactory, new_menu
from tests.fixtures import Screen

pytestmark = pytest.mark.django_db(transaction=True)


def version_in(piece: bytes) -> int:
    event, told = piece.decode().strip().split("\n")[-2:]
    assert event == "event: menu"
    return int(json.loads(told.removeprefix("data: "))["version"])


async def ask(**headers: str) -> Any:
    return await streams.menu(AsyncRequestFactory().get("/api/v1/menu/stream", headers=headers))


@pytest.mark.parametrize("role", [Role.KIOSK, Role.BOARD])
def test_device_hears_the_version_now_and_when_its_own_menu_changes(
    monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    screen = Screen(StoreFactory(), role)
    new_menu(screen.store)
    monkeypatch.setattr(streams, "hub", Hub())

    async def listen() -> list[int]:
        response = await ask(Authorization=f"Device {screen.token}")
        assert isinstance(response, StreamingHttpResponse)
        pieces = cast("AsyncIterator[bytes]", response.streaming_content).__aiter__()
        heard = [version_in(await anext(pieces))]
        await in_thread(lambda: new_menu(screen.store))
        heard.append(version_in(await asyncio.wait_for(anext(pieces), 4)))
        return heard

    assert asyncio.run(listen()) == [1, 2]


def test_stranger_hears_nothing() -> None:
    assert asyncio.run(ask()).status_code == 401
    assert asyncio.run(ask(Authorization="Device nobody")).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/menu/stream", "/api/v1/menu/stream/", "/kitchen/stream"])
def test_web_sends_a_stream_to_its_own_process(path: str) -> None:
    answer = Client().get(path)

    assert (answer.status_code, answer["Location"]) == (307, f"{settings.STREAM_URL}{path.rstrip('/')}")

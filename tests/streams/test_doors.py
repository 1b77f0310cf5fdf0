"""Each stream: who may read it, what it says first, when it ends."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from apps.core import streams as core
from apps.core.actors import Role
from apps.core.streams import in_thread
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.orders.services import move_order
from apps.stores.models import Device
from apps.stores.services import revoke_device
from tests.factories import StoreFactory, new_menu, order_in, staff
from tests.fixtures import Screen
from tests.streams.conftest import Ask, Reader

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Place:
    """A store with an order in it and every kind of screen."""

    order: Order
    kiosk: Screen
    board: Screen
    panel: Screen

    def paths(self) -> dict[str, tuple[str, Screen]]:
        """Every stream a device reads, with a device that may."""
        return {
            "board": ("/kitchen/stream", self.board),
            "panel": ("/panel/stream", self.panel),
            "menu": ("/api/v1/menu/stream", self.kiosk),
            "order": (f"/api/v1/orders/{self.order.id}/stream", self.kiosk),
        }


@pytest.fixture
def place() -> Place:
    store = StoreFactory()
    kiosk, board, panel = (Screen(store, kind) for kind in (Role.KIOSK, Role.BOARD, Role.PANEL))
    new_menu(store)
    return Place(order_in(Status.RECEIVED, kiosk.device), kiosk, board, panel)


def device(screen: Screen) -> dict[str, str]:
    return {"Authorization": f"Device {screen.token}"}


def problem(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["request_id"] == response["X-Request-ID"]
    return response.status_code, response.json()["code"]


NAMES = ["board", "panel", "menu", "order"]
REFUSED = dict.fromkeys(NAMES, (401, "not_authenticated")) | {"order": (404, "not_found")}


@pytest.mark.parametrize("name", NAMES)
def test_stream_opens_to_a_paired_device_and_to_nobody_else(name: str, place: Place, ask: Ask) -> None:
    path, screen = place.paths()[name]

    async def work() -> list[tuple[int, str]]:
        assert Reader(await ask(path, **device(screen)))
        return [problem(await ask(path)), problem(await ask(path, Authorization="Device nobody"))]

    assert asyncio.run(work()) == [REFUSED[name]] * 2


def test_device_of_another_store_hears_its_own_store_or_nothing(place: Place, ask: Ask) -> None:
    theirs = StoreFactory()
    kiosk, board = Screen(theirs), Screen(theirs, Role.BOARD)

    async def work() -> None:
        for stranger in (kiosk, board):
            refused = await ask(f"/api/v1/orders/{place.order.id}/stream", **device(stranger))
            assert problem(refused) == (404, "not_found")
        told = await Reader(await ask("/kitchen/stream", **device(board))).next()
        assert told is not None
        assert place.order.number not in told[1]["html"]

    asyncio.run(work())


@pytest.mark.parametrize(("path", "wrong"), [("/kitchen/stream", "panel"), ("/panel/stream", "board")])
def test_stream_of_one_kind_is_not_for_another(path: str, wrong: str, place: Place, ask: Ask) -> None:
    response = asyncio.run(ask(path, **device(getattr(place, wrong))))

    assert problem(response) == (401, "not_authenticated")


def test_phone_hears_the_order_of_its_link_and_no_other(place: Place, ask: Ask) -> None:
    async def work() -> None:
        name, told = await Reader(await ask(f"/t/{place.order.tracking_token}/stream")).next() or ("", {})
        assert (name, told["status"]) == ("order", "received")
        assert place.order.number in told["html"]
        assert problem(await ask(f"/t/{uuid4()}/stream")) == (404, "not_found")

    asyncio.run(work())


def test_first_event_is_the_whole_state(place: Place, ask: Ask) -> None:
    async def work() -> dict[str, Any]:
        first = {}
        for name, (path, screen) in place.paths().items():
            event, told = await Reader(await ask(path, **device(screen))).next() or ("", {})
            assert event == name
            first[name] = told
        return first

    first = asyncio.run(work())

    assert place.order.number in first["board"]["html"]
    assert place.order.number in first["panel"]["html"]
    assert first["menu"]["version"] >= 1
    assert (first["order"]["status"], first["order"]["version"]) == ("received", place.order.version)


@pytest.mark.parametrize("name", NAMES)
def test_stream_of_a_revoked_device_ends_within_ten_seconds(
    name: str, place: Place, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert core.BEAT_SECONDS <= 10
    monkeypatch.setattr(core, "BEAT_SECONDS", 0.2)
    path, screen = place.paths()[name]

    async def work() -> None:
        reader = Reader(await ask(path, **device(screen)))
        await reader.until("beat")
        await in_thread(lambda: revoke(screen.device))
        begun = time.monotonic()
        while await reader.next() is not None:
            assert time.monotonic() - begun < 2

    asyncio.run(work())


def revoke(device: Device) -> None:
    revoke_device(device_id=device.id, at=timezone.now())


def test_without_redis_a_change_is_found_in_the_database(place: Place, ask: Ask, without_redis: None) -> None:
    cook = staff(Role.KITCHEN, place.board.store)

    async def work() -> None:
        readers = {
            name: Reader(await ask(path, **device(screen)))
            for name, (path, screen) in place.paths().items()
            if name != "menu"
        }
        for reader in readers.values():
            await reader.next()
        await in_thread(
            partial(move_order, order_id=place.order.id, to=Status.IN_PREPARATION, by=cook, at=timezone.now())
        )
        assert (await readers["order"].until("order"))["status"] == "in_preparation"
        while 'data-status="in_preparation"' not in (await readers["board"].until("board"))["html"]:
            pass  # a minute that turns draws the board anew as well; without the news this does not end

    asyncio.run(work())


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_streams_are_only_read(method: str, place: Place, ask: Ask) -> None:
    for path, screen in place.paths().values():
        response = asyncio.run(ask(path, method, **device(screen)))
        assert problem(response) == (405, "method_not_allowed")
        assert response["Allow"] == "GET"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/v1/nowhere", "/t/a%00b/stream", "/kitchen/stream?a=%00"])
def test_what_is_not_served_here_is_a_problem_document(path: str, ask: Ask) -> None:
    status, _ = problem(asyncio.run(ask(path)))

    assert status in (400, 404)


def test_answers_carry_the_callers_id_and_the_headers_of_security(place: Place, ask: Ask) -> None:
    async def work() -> list[Any]:
        paths = ("/kitchen/stream", "/nowhere")
        return [await ask(path, **device(place.board), **{"X-Request-ID": "abc-123"}) for path in paths]

    for response in asyncio.run(work()):
        assert response["X-Request-ID"] == "abc-123"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Referrer-Policy"] == "same-origin"


def test_pages_of_our_own_origin_alone_may_read_with_their_cookies(place: Place, ask: Ask) -> None:
    async def origin_allowed(origin: str) -> str | None:
        response = await ask("/kitchen/stream", **device(place.board), Origin=origin)
        return response.headers.get("Access-Control-Allow-Origin")

    async def work() -> list[str | None]:
        return [await origin_allowed(settings.PUBLIC_URL), await origin_allowed("https://x.example")]

    assert asyncio.run(work()) == [settings.PUBLIC_URL, None]

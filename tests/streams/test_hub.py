"""The hub: one drawing a change for all readers, the newest state and never a backlog."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError

from apps.core import streams
from apps.core.streams import Drawing, Hub
from apps.core.wake import News

STORE = uuid4()
CHANGE = News(type="order.paid", store=STORE, subject=STORE)
PATIENCE_SECONDS = 5.0
LOOK = Hub._look


class Shop:
    """Something to watch, and how often it was drawn."""

    def __init__(self) -> None:
        self.version = 1
        self.drawn = 0

    def draw(self) -> Drawing:
        self.drawn += 1
        return Drawing(event="shop", version=self.version, data={"version": self.version})

    def watch(
        self, hub: Hub, key: UUID = STORE, allowed: Callable[[], bool] = lambda: True, whose: str = ""
    ) -> "Pieces":
        return Pieces(hub.watch(("shop", key), lambda news: news.store == key, self.draw, allowed, whose=whose))


class Pieces:
    def __init__(self, events: object) -> None:
        self.events = events.__aiter__()  # type: ignore[attr-defined]  # an async iterator

    async def next(self) -> str:
        return str((await asyncio.wait_for(anext(self.events), PATIENCE_SECONDS)).decode())

    async def close(self) -> None:
        await self.events.aclose()


@pytest.fixture(autouse=True)
def nothing_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Redis and no database: a change is what the test says."""

    async def silence(_: Hub) -> None:
        return None

    monkeypatch.setattr(Hub, "_hear", silence)
    monkeypatch.setattr(Hub, "_look", silence)


def run(work: Callable[[Hub], Awaitable[None]]) -> None:
    async def main() -> None:
        await work(Hub())

    asyncio.run(main())


def test_first_piece_is_the_whole_state_and_says_when_to_come_back() -> None:
    async def work(hub: Hub) -> None:
        assert await Shop().watch(hub).next() == 'retry: 2000\n\nevent: shop\ndata: {"version": 1}\n\n'

    run(work)


def test_change_is_drawn_once_for_all_readers() -> None:
    async def work(hub: Hub) -> None:
        shop = Shop()
        readers = [shop.watch(hub) for _ in range(5)]
        for reader in readers:
            await reader.next()
        assert shop.drawn == 5
        shop.version = 2
        hub._touch(CHANGE)

        heard = [await reader.next() for reader in readers]

        assert heard == ['event: shop\ndata: {"version": 2}\n\n'] * 5
        assert shop.drawn == 6

    run(work)


def test_slow_reader_gets_the_newest_state_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(hub: Hub) -> None:
        shop = Shop()
        reader = shop.watch(hub)
        await reader.next()
        for version in (2, 3, 4):
            shop.version = version
            hub._touch(CHANGE)
            await asyncio.sleep(streams.LEAST_REST_SECONDS + 0.1)

        assert shop.drawn == 4
        assert '"version": 4' in await reader.next()

    run(work)


def test_changes_one_after_the_other_are_drawn_together() -> None:
    async def work(hub: Hub) -> None:
        shop = Shop()
        reader = shop.watch(hub)
        await reader.next()
        for version in range(2, 42):
            shop.version = version
            hub._touch(CHANGE)
            await asyncio.sleep(0.005)
        await asyncio.sleep(2 * streams.LEAST_REST_SECONDS)

        assert shop.drawn < 10
        assert '"version": 41' in await reader.next()

    run(work)


def test_news_of_others_draw_nothing_and_an_equal_drawing_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BEAT_SECONDS", 0.3)

    async def work(hub: Hub) -> None:
        shop = Shop()
        reader = shop.watch(hub)
        await reader.next()
        hub._touch(News(type="order.paid", store=uuid4(), subject=STORE))
        hub._touch(CHANGE)

        assert (await reader.next()).startswith("event: beat\n")
        assert shop.drawn == 2

    run(work)


def test_beat_comes_every_five_seconds_with_the_version_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert streams.BEAT_SECONDS == 5
    monkeypatch.setattr(streams, "BEAT_SECONDS", 0.1)

    async def work(hub: Hub) -> None:
        shop = Shop()
        reader = shop.watch(hub)
        await reader.next()
        begun = asyncio.get_running_loop().time()

        beats = [await reader.next() for _ in range(3)]

        assert 0.25 < asyncio.get_running_loop().time() - begun < 2
        assert [each.startswith("event: beat\n") and '"version": 1' in each for each in beats] == [True] * 3

    run(work)


def test_reader_who_may_not_read_any_more_is_sent_off_at_the_next_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BEAT_SECONDS", 0.1)

    async def work(hub: Hub) -> None:
        shop, answers = Shop(), iter([True, False])
        reader = shop.watch(hub, allowed=lambda: next(answers))
        assert "shop" in await reader.next()
        assert "beat" in await reader.next()
        with pytest.raises(StopAsyncIteration):
            await reader.next()
        assert hub.feeds == {}

    run(work)


def test_nobody_is_sent_off_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BEAT_SECONDS", 0.1)

    def away() -> bool:
        raise OperationalError

    async def work(hub: Hub) -> None:
        reader = Shop().watch(hub, allowed=away)
        await reader.next()
        assert ["beat" in await reader.next() for _ in range(2)] == [True] * 2

    run(work)


def test_feed_that_cannot_be_drawn_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.05)

    async def work(hub: Hub) -> None:
        shop = Shop()
        reader = shop.watch(hub)
        await reader.next()
        draw, failures = shop.draw, iter([True, True, False])

        def shaky() -> Drawing:
            if next(failures):
                raise OperationalError
            return draw()

        hub.feeds["shop", STORE].draw = shaky
        shop.version = 2
        hub._touch(CHANGE)

        assert '"version": 2' in await reader.next()

    run(work)


def test_feed_ends_with_its_last_reader() -> None:
    async def work(hub: Hub) -> None:
        shop = Shop()
        first, second = shop.watch(hub), shop.watch(hub)
        await first.next()
        await second.next()
        await first.close()
        assert list(hub.feeds) == [("shop", STORE)]
        await second.close()
        assert hub.feeds == {}

    run(work)


def test_one_stream_too_many_of_a_credential_ends_its_oldest_and_nobody_elses() -> None:
    async def work(hub: Hub) -> None:
        shop = Shop()
        other = shop.watch(hub, whose="device:b")
        many = [shop.watch(hub, whose="device:a") for _ in range(streams.MOST_OF_ONE)]
        for reader in (other, *many):
            await reader.next()
        newest = shop.watch(hub, whose="device:a")
        await newest.next()
        shop.version = 2
        hub._touch(CHANGE)

        with pytest.raises(StopAsyncIteration):
            await many[0].next()
        for reader in (other, *many[1:], newest):
            assert '"version": 2' in await reader.next()
        assert [len(hub.held[whose]) for whose in ("device:a", "device:b")] == [streams.MOST_OF_ONE, 1]
        for reader in (other, *many, newest):
            await reader.close()
        assert hub.held == {}

    run(work)


def test_change_that_was_heard_of_is_not_drawn_again_when_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen red with what is heard forgotten."""
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.02)
    heard, missed = (News(type="order.paid", store=STORE, subject=STORE, seq=seq) for seq in (1, 2))
    found = {uuid4(): heard}
    looks: list[int] = []

    def recent_events() -> dict[UUID, News]:
        looks.append(len(found))
        return dict(found)

    monkeypatch.setattr(streams, "recent_events", recent_events)

    async def looked(times: int) -> None:
        for _ in range(100 * times):
            if len(looks) >= times:
                break
            await asyncio.sleep(0.01)

    async def work(hub: Hub) -> None:
        shop = Shop()
        reader = shop.watch(hub)
        await reader.next()
        hub.heard.add(heard)
        looking = asyncio.create_task(LOOK(hub))
        await looked(3)
        assert (len(looks) >= 3, shop.drawn) == (True, 1)

        shop.version = 2
        found[uuid4()] = missed
        assert '"version": 2' in await reader.next()
        await looked(len(looks) + 3)
        assert shop.drawn == 2
        looking.cancel()
        await reader.close()

    run(work)

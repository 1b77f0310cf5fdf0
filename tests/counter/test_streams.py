"""The desk's stream: opened by the session, for the person's own store."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.test import RequestFactory
from django.test.utils import override_settings

from apps.core import streams as core_streams
from apps.core.actors import Role
from apps.core.models import User
from apps.counter import streams
from apps.stores.models import StaffRole, Store
from tests.counter.conftest import Person
from tests.factories import StoreFactory
from tests.fixtures import Screen

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 20.0


@pytest.fixture
def store(transactional_db: None) -> Store:
    return StoreFactory()


def ask(person: Person | None, store: str, **cookies: str) -> int:
    request = RequestFactory().get("/caixa/stream", {"store": store})
    request.COOKIES = {name: morsel.value for name, morsel in person.client.cookies.items()} if person else {}
    request.COOKIES |= cookies

    async def answer() -> int:
        response: Any = await streams.desk(request)
        return int(response.status_code)

    return asyncio.run(answer())


def test_counter_of_the_store_hears_it(store: Store) -> None:
    assert [ask(Person(store, role), str(store.id)) for role in (Role.CASHIER, Role.MANAGER)] == [200, 200]


def test_nobody_else_does(store: Store) -> None:
    kiosk = Screen(store)

    assert ask(None, str(store.id), bm_device=kiosk.token) == 401
    assert [ask(Person(store, role), str(store.id)) for role in (Role.KITCHEN, Role.AUDITOR, None)] == [401] * 3
    assert ask(Person(StoreFactory()), str(store.id)) == 401


def test_changed_password_ends_the_session_there_too(store: Store) -> None:
    cashier = Person(store)
    cashier.user.set_password("outra senha bem comprida")
    cashier.user.save()

    assert ask(cashier, str(store.id)) == 401


ENDS: dict[str, Callable[[Person], object]] = {
    "signed out": lambda person: person.client.logout(),
    "account closed": lambda person: User.objects.filter(pk=person.user.pk).update(is_active=False),
    "role taken away": lambda person: StaffRole.objects.filter(user=person.user).delete(),
}


@pytest.mark.parametrize("end", ENDS)
def test_open_stream_ends_with_the_right_to_it(end: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """T38: at the next beat, which comes every five seconds."""
    monkeypatch.setattr(core_streams, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(streams, "hub", core_streams.Hub())
    cashier = Person(store)
    request = RequestFactory().get("/caixa/stream", {"store": str(store.id)})
    request.COOKIES = {name: morsel.value for name, morsel in cashier.client.cookies.items()}

    async def listen() -> None:
        response: Any = await streams.desk(request)
        pieces = response.streaming_content.__aiter__()
        while b"beat" not in await asyncio.wait_for(anext(pieces), PATIENCE_SECONDS):
            pass
        await core_streams.in_thread(lambda: ENDS[end](cashier))
        while await anext(pieces, None) is not None:
            pass

    asyncio.run(asyncio.wait_for(listen(), PATIENCE_SECONDS))


def test_desk_is_only_read(store: Store) -> None:
    request = RequestFactory().post("/caixa/stream")
    assert asyncio.run(streams.desk(request)).status_code == 405  # type: ignore[arg-type]  # a coroutine it is


def test_nonsense_is_no_store(store: Store) -> None:
    assert ask(Person(store), "x") == 400


@override_settings(STREAM_URL="http://stream.example")
def test_web_sends_a_stream_to_its_own_process(client: Any) -> None:
    answer = client.get("/caixa/stream?store=1")

    assert (answer.status_code, answer["Location"]) == (307, "http://stream.example/caixa/stream?store=1")

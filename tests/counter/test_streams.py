"""The desk's stream: opened by the session, for the person's own store."""

import asyncio
from typing import Any

import pytest
from django.test import RequestFactory
from django.test.utils import override_settings

from apps.core.actors import Role
from apps.counter import streams
from apps.stores.models import Store
from tests.counter.conftest import Person
from tests.factories import StoreFactory
from tests.fixtures import Screen

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_nonsense_is_no_store(store: Store) -> None:
    assert ask(Person(store), "x") == 400


@override_settings(STREAM_URL="http://stream.example")
def test_web_sends_a_stream_to_its_own_process(client: Any) -> None:
    answer = client.get("/caixa/stream?store=1")

    assert (answer.status_code, answer["Location"]) == (307, "http://stream.example/caixa/stream?store=1")

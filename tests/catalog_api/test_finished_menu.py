"""The menu as finished bytes: fresh, shared, and still there when a server is not."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest
import redis
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from apps.catalog import document, finished
from apps.catalog.askers import Askers, askers
from apps.catalog.finished import KEPT, NEVER_OLDER_SECONDS, Finished, Shelf, shelf
from apps.catalog.services import change_product, menu_changed, pause_product
from apps.catalog.shared import Shared
from apps.core.actors import SYSTEM, Role
from apps.stores.models import Store
from tests.factories import ProductFactory, new_menu, staff
from tests.fixtures import API, Screen

NOON = datetime(2026, 11, 22, 15, tzinfo=UTC)
Away = Callable[[], AbstractContextManager[None]]


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def new_process(clock: Callable[[], float], url: str | None = None) -> Shelf:
    """What a process that has just started knows: nothing."""
    shared = Shared(settings.REDIS_URL if url is None else url)
    return Shelf(lambda: shared, clock)


def prices(menu: Finished) -> list[str]:
    return [product["price"] for shelf_ in orjson.loads(menu.plain)["categories"] for product in shelf_["products"]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """Let no test hear what another one put into this process's memory."""
    shelf._known.clear()
    askers._stores.clear()
    yield
    shelf._known.clear()
    askers._stores.clear()


@pytest.fixture
def coxinha(store: Store) -> ProductFactory:
    product = ProductFactory(price=Decimal("8.50"))
    new_menu(store)
    return product


@pytest.mark.django_db(transaction=True)
def test_price_change_by_another_process_is_heard_within_two_seconds(store: Store, coxinha, clock: Clock) -> None:
    kiosk_side, other_process = new_process(clock), new_process(clock)
    assert prices(kiosk_side.menu(store.id, "pt-BR", NOON)[0]) == ["8.50"]
    coxinha.price = Decimal("9.00")
    coxinha.save()
    menu_changed(store_ids=[store.id], at=NOON)
    assert prices(other_process.menu(store.id, "pt-BR", NOON)[0]) == ["9.00"]

    clock.seconds += 0.9
    assert prices(kiosk_side.menu(store.id, "pt-BR", NOON)[0]) == ["8.50"], "memory answers within its second"
    clock.seconds += 0.2
    assert prices(kiosk_side.menu(store.id, "pt-BR", NOON)[0]) == ["9.00"]
    assert NEVER_OLDER_SECONDS < 2


@pytest.mark.django_db(transaction=True)
def test_process_that_changed_a_price_tells_it_at_once(store: Store, coxinha) -> None:
    client = Client()
    path = f"{API}/menu?store={store.id}"
    client.get(path)
    change_product(product_id=coxinha.id, terms={"price": Decimal("9.00")}, by=SYSTEM, at=NOON)

    told = client.get(path).json()

    assert told["categories"][0]["products"][0]["price"] == "9.00"


@pytest.mark.django_db
def test_known_menu_is_told_without_any_query(store: Store, coxinha, kiosk: Screen, django_assert_num_queries) -> None:
    by_store, by_device = Client(), kiosk.client
    by_store.get(f"{API}/menu?store={store.id}")
    by_device.get(f"{API}/menu")

    with django_assert_num_queries(0):
        assert by_store.get(f"{API}/menu?store={store.id}").status_code == 200
        assert by_device.get(f"{API}/menu").json()["store"]["id"] == str(store.id)


@pytest.mark.django_db
def test_version_is_asked_in_one_query_when_a_second_has_passed(
    store: Store, coxinha, clock: Clock, django_assert_num_queries
) -> None:
    process = new_process(clock)
    process.menu(store.id, "pt-BR", NOON)
    clock.seconds += 1

    with django_assert_num_queries(1):
        process.menu(store.id, "pt-BR", NOON)


@pytest.mark.django_db(transaction=True)
def test_database_away_tells_the_same_bytes_marked_stale(
    store: Store, coxinha, kiosk: Screen, database_away: Away
) -> None:
    client = Client()
    known = client.get(f"{API}/menu?store={store.id}")
    kiosk.client.get(f"{API}/menu")
    assert "X-Menu-Stale" not in known

    with database_away():
        shelf.doubt(store.id)
        askers._stores.update({key: (of, -1e9) for key, (of, _) in askers._stores.items()})
        for answer in (client.get(f"{API}/menu?store={store.id}"), kiosk.client.get(f"{API}/menu")):
            assert (answer.status_code, answer["X-Menu-Stale"], answer["ETag"]) == (200, "1", known["ETag"])
            assert answer.content == known.content
            assert "Warning" not in answer

    shelf.doubt(store.id)
    assert "X-Menu-Stale" not in client.get(f"{API}/menu?store={store.id}")


@pytest.mark.django_db(transaction=True)
def test_fresh_process_reads_the_last_known_menu_from_redis(
    store: Store, coxinha, kiosk: Screen, database_away: Away
) -> None:
    known = kiosk.client.get(f"{API}/menu")
    shelf._known.clear()
    askers._stores.clear()

    with database_away():
        answer = kiosk.client.get(f"{API}/menu")

    assert (answer.status_code, answer["X-Menu-Stale"], answer.content) == (200, "1", known.content)


@pytest.mark.django_db(transaction=True)
def test_database_away_and_nothing_known_is_a_503(store: Store, coxinha, database_away: Away) -> None:
    with database_away():
        answer = Client().get(f"{API}/menu?store={store.id}")

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer["Retry-After"]


@pytest.mark.django_db(transaction=True)
def test_redis_flushed_or_garbled_or_gone_changes_no_answer(store: Store, coxinha, clock: Clock) -> None:
    known, _ = new_process(clock).menu(store.id, "pt-BR", NOON)
    server = redis.Redis.from_url(settings.REDIS_URL)
    names = server.keys(f"*{store.id}*")
    assert len(names) == 2
    for name in names:
        server.set(name, b'{"version": 1}\ngarbage')
    garbled, _ = new_process(clock).menu(store.id, "pt-BR", NOON)
    server.delete(*names)
    flushed, _ = new_process(clock).menu(store.id, "pt-BR", NOON)
    gone, _ = new_process(clock, "unix:///nonexistent/valkey.sock").menu(store.id, "pt-BR", NOON)
    without, _ = new_process(clock, "").menu(store.id, "pt-BR", NOON)

    assert [garbled, flushed, gone, without] == [known] * 4


@pytest.mark.django_db(transaction=True)
def test_second_process_takes_the_bytes_the_first_one_built(
    store: Store, coxinha, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, _ = new_process(clock).menu(store.id, "pt-BR", NOON)
    monkeypatch.setattr(finished, "build", lambda *_: pytest.fail("built twice"))

    assert new_process(clock).menu(store.id, "pt-BR", NOON) == (built, False)


@pytest.mark.django_db(transaction=True)
def test_many_threads_build_once(store: Store, coxinha, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    real, built, answers = finished.build, [], []
    started = threading.Barrier(8)

    def counted(*told: object) -> Finished:
        built.append(told)
        return real(*told)

    def kiosk() -> None:
        started.wait()
        answers.append(process.menu(store.id, "pt-BR", NOON))
        connection.close()

    monkeypatch.setattr(finished, "build", counted)
    process = new_process(clock)
    threads = [threading.Thread(target=kiosk) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(built) == 1
    assert len(answers) == 8
    assert len(set(answers)) == 1


@pytest.mark.django_db
def test_end_of_a_pause_makes_a_new_document_without_a_new_version(store: Store, coxinha, clock: Clock) -> None:
    end = NOON + timedelta(hours=1)
    cook = staff(Role.KITCHEN, store)
    pause_product(product_id=coxinha.id, store_id=store.id, until=end, by=cook, at=NOON)
    process = new_process(clock)

    before, _ = process.menu(store.id, "pt-BR", end - timedelta(seconds=1))
    after, _ = process.menu(store.id, "pt-BR", end)

    assert (before.valid_until, after.valid_until) == (end, None)
    assert before.version == after.version
    told = [orjson.loads(menu.plain)["categories"][0]["products"][0] for menu in (before, after)]
    assert [(p["available"], p["unavailable_until"]) for p in told] == [
        (False, "2026-11-22T16:00:00.000Z"),
        (True, None),
    ]


@pytest.mark.django_db
def test_menu_is_built_anew_after_half_an_hour(store: Store, coxinha, clock: Clock) -> None:
    process = new_process(clock)
    process.menu(store.id, "pt-BR", NOON)
    store.name = "Outro nome"
    store.save()

    menu, _ = process.menu(store.id, "pt-BR", NOON + KEPT)

    assert orjson.loads(menu.plain)["store"]["name"] == "Outro nome"


@pytest.mark.django_db
def test_etag_gzip_and_plain_belong_together(store: Store, coxinha) -> None:
    client, path = Client(), f"{API}/menu?store={store.id}"
    plain = client.get(path)
    packed = client.get(path, headers={"Accept-Encoding": "br, gzip"})
    refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0, identity"})
    etag = plain["ETag"]

    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content == refused.content
    assert packed["ETag"] == refused["ETag"] == etag
    assert "Content-Encoding" not in refused
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.django_db
def test_picture_that_is_not_there_costs_the_picture_and_not_the_menu(
    store: Store, coxinha, monkeypatch: pytest.MonkeyPatch
) -> None:
    coxinha.picture = "art/nada.svg"
    coxinha.save()

    def missing(name: str) -> str:
        raise ValueError(name)

    monkeypatch.setattr(document, "static", missing)
    answer = Client().get(f"{API}/menu?store={store.id}")

    assert answer.status_code == 200
    assert answer.json()["categories"][0]["products"][0]["image"] is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "code"),
    [("", 400), ("?store=", 400), ("?store=x", 400), ("?store=0199c0de-0000-7000-8000-000000000000", 404)],
)
def test_menu_of_no_store_is_refused(query: str, code: int) -> None:
    answer = Client().get(f"{API}/menu{query}")

    assert (answer.status_code, answer["Content-Type"]) == (code, "application/problem+json")


@pytest.mark.django_db
def test_unknown_device_is_refused_and_a_revoked_one_after_five_seconds(kiosk: Screen, coxinha, clock: Clock) -> None:
    assert Client().get(f"{API}/menu", headers={"Authorization": "Device nobody"}).status_code == 401
    known = Askers(lambda: Shared(""), clock)
    known.remember(b"credential", kiosk.store.id)
    clock.seconds += 4.9
    assert known.store_of(b"credential") == kiosk.store.id
    clock.seconds += 0.1
    assert known.store_of(b"credential") is None


def test_bytes_from_redis_that_are_not_ours_are_nobodys_menu() -> None:
    menu = Finished(3, NOON, NOON, finished.etag_of(b"{}"), b"{}", b"gz")

    assert Finished.unpacked(menu.packed()) == menu
    for piece in (None, b"", b"x", b"[]\n", menu.packed()[:-4].replace(b"{}", b"[]"), b"{}\n{}"):
        assert Finished.unpacked(piece) is None


@pytest.mark.django_db(transaction=True)
def test_a_database_that_hangs_holds_up_one_caller_only(
    store: Store, coxinha, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = new_process(clock)
    known, _ = process.menu(store.id, "pt-BR", timezone.now())
    entered, go_on = threading.Event(), threading.Event()

    def hangs(_: object) -> int:
        entered.set()
        go_on.wait(20)
        raise OperationalError

    monkeypatch.setattr(finished, "menu_version", hangs)
    clock.seconds += 1.5
    asking = threading.Thread(target=process.menu, args=(store.id, "pt-BR", timezone.now()))
    asking.start()
    entered.wait(20)
    try:
        assert process.menu(store.id, "pt-BR", timezone.now()) == (known, False)
    finally:
        go_on.set()
        asking.join()
    assert process.menu(store.id, "pt-BR", timezone.now()) == (known, True)

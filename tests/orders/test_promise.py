"""The promised time: an honest sum of what waits at the stations and what the order itself takes."""

from datetime import timedelta
from math import ceil

import pytest
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.core.actors import Role
from apps.orders import queries
from apps.orders.models import Order, Preparation
from apps.orders.promise import MOST_MINUTES, promised_minutes
from apps.orders.rules import Status
from apps.orders.services import move_order
from tests.factories import ProductFactory, new_menu, order_in, staff
from tests.fixtures import Screen, cart

stations = st.sampled_from(["chapa", "bebidas", "fritura"])
things = st.lists(st.tuples(stations, st.integers(0, 30)), max_size=6)
queues = st.dictionaries(stations, st.floats(0, 500))


@pytest.mark.parametrize(
    ("own", "queued", "parallel", "minutes"),
    [
        ([], {}, 1, 0),
        ([("chapa", 0)], {}, 1, 0),
        ([("chapa", 5), ("chapa", 3)], {}, 1, 5),
        ([("chapa", 5), ("bebidas", 2)], {"bebidas": 12}, 2, 8),
        ([("chapa", 5)], {"bebidas": 60}, 1, 5),
        ([("chapa", 5)], {"chapa": 10}, 3, 9),
        ([("bebidas", 0)], {"bebidas": 0.5}, 3, 1),
        ([("chapa", 5)], {"chapa": 10_000}, 1, MOST_MINUTES),
    ],
)
def test_slowest_station_decides(
    own: list[tuple[str, int]], queued: dict[str, float], parallel: int, minutes: int
) -> None:
    assert promised_minutes(own, queued, parallel) == minutes


@given(things, queues, st.integers(1, 9))
def test_it_is_never_less_than_the_longest_thing_and_bounded(
    own: list[tuple[str, int]], queued: dict[str, float], parallel: int
) -> None:
    minutes = promised_minutes(own, queued, parallel)

    assert max((each for _, each in own), default=0) <= minutes <= MOST_MINUTES
    assert promised_minutes(own, {station: more + 1 for station, more in queued.items()}, parallel) >= minutes
    assert promised_minutes(own, queued, parallel + 1) <= minutes


@pytest.fixture(autouse=True)
def queues_are_always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "QUEUE_KNOWN_SECONDS", 0.0)


def quoted(kiosk: Screen, *products: object) -> int:
    new_menu(kiosk.store)
    return int(kiosk.post("/orders/quote", cart(*products)).body["promised_minutes"])


@override_settings(STATION_PARALLEL=2)
def test_quote_grows_with_the_queue_of_its_own_stations_and_shrinks_with_the_work(kiosk: Screen) -> None:
    toast = ProductFactory(station="chapa", prep_minutes=6)
    juice = ProductFactory(station="bebidas", prep_minutes=2)
    assert (quoted(kiosk, toast), quoted(kiosk, juice), quoted(kiosk, toast, juice)) == (6, 2, 6)

    orders = [order_in(Status.RECEIVED, kiosk.device, toast) for _ in range(2)]
    assert (quoted(kiosk, toast), quoted(kiosk, juice)) == (12, 2)

    cook = staff(Role.KITCHEN, kiosk.store)
    for order in orders:
        for to in (Status.IN_PREPARATION, Status.READY):
            move_order(order_id=order.id, to=to, by=cook, at=timezone.now())
    assert quoted(kiosk, toast) == 6


def test_what_is_begun_counts_with_what_is_left_of_it(kiosk: Screen) -> None:
    order_in(Status.RECEIVED, kiosk.device, ProductFactory(station="chapa", prep_minutes=9))
    now = timezone.now()
    assert queries.queued_minutes(kiosk.store.id, now) == {"chapa": 9.0}

    for passed, left in ((4, 5.0), (30, 0.0)):
        Preparation.objects.update(state="started", started_at=now - timedelta(minutes=passed))
        assert queries.queued_minutes(kiosk.store.id, now) == {"chapa": pytest.approx(left)}


def test_nobody_waits_for_another_store_an_unpaid_or_a_forgotten_order(kiosk: Screen, stranger: Screen) -> None:
    toast = ProductFactory(station="chapa", prep_minutes=6)
    order_in(Status.RECEIVED, stranger.device, toast)
    order_in(Status.AWAITING_PAYMENT, kiosk.device, toast)
    forgotten = order_in(Status.RECEIVED, kiosk.device, toast)
    Order.objects.filter(id=forgotten.id).update(queue_at=timezone.now() - timedelta(hours=3))

    assert queries.queued_minutes(kiosk.store.id, timezone.now()) == {}


def test_facts_of_the_queue_are_read_once_in_two_seconds(
    kiosk: Screen, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries
) -> None:
    monkeypatch.setattr(queries, "QUEUE_KNOWN_SECONDS", 60.0)
    with django_assert_num_queries(1):
        for _ in range(3):
            assert queries.quoted_minutes(kiosk.store.id, [("chapa", 4)]) == 4


@override_settings(STATION_PARALLEL=3)
def test_paid_order_has_its_promise_everywhere_and_an_unpaid_one_none(kiosk: Screen, board: Screen) -> None:
    toast = ProductFactory(station="chapa", prep_minutes=6)
    unpaid = order_in(Status.AWAITING_PAYMENT, kiosk.device, toast)
    assert kiosk.get(f"/orders/{unpaid.id}").body["promised_at"] is None

    order_in(Status.RECEIVED, kiosk.device, toast)
    order = order_in(Status.RECEIVED, kiosk.device, toast)

    assert order.paid_at is not None
    assert order.promised_at == order.paid_at + timedelta(minutes=ceil(6 / 3 + 6))
    told = kiosk.get(f"/orders/{order.id}").body["promised_at"]
    assert told.endswith("Z")
    assert kiosk.get(f"/orders/{order.id}/status").body["promised_at"] == told
    assert [each["promised_at"] for each in board.get("/orders").body["results"]][-1] == told

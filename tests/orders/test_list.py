"""A store's orders by time."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.actors import Role
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.stores.models import Store
from tests.factories import StaffRoleFactory, order_in
from tests.fixtures import Screen


@pytest.fixture
def orders(kiosk: Screen, stranger: Screen) -> list[Order]:
    """Three orders a minute apart, oldest first; another store has one too."""
    made = [order_in(status, kiosk.device) for status in (Status.FINISHED, Status.AWAITING_PAYMENT, Status.RECEIVED)]
    order_in(Status.RECEIVED, stranger.device)
    for minutes, order in enumerate(reversed(made)):
        order.placed_at -= timedelta(minutes=minutes)
        order.save()
    return made


def manager(store: Store) -> Client:
    client = Client()
    client.force_login(StaffRoleFactory(store=store, role=Role.MANAGER).user)
    return client


def get(client: Client, query: str) -> dict[str, Any]:
    reply = client.get(f"/api/v1/orders{query}")
    assert reply.status_code == 200, reply.content
    return dict(reply.json())


def test_newest_come_first_with_their_money(store: Store, orders: list[Order]) -> None:
    listed = get(manager(store), "?since=2020-01-01T00:00:00Z")["results"]

    assert [row["number"] for row in listed] == [order.number for order in reversed(orders)]
    assert [row["total"] for row in listed] == [str(order.total) for order in reversed(orders)]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("?status=finished", [0]),
        ("?status=finished&status=awaiting_payment", [1, 0]),
        ("?status=cancelled", []),
    ],
)
def test_status_narrows(query: str, places: list[int], store: Store, orders: list[Order]) -> None:
    listed = get(manager(store), query)["results"]

    assert [row["id"] for row in listed] == [str(orders[place].id) for place in places]


def test_since_narrows_by_the_moment_of_placing(store: Store, orders: list[Order]) -> None:
    since = orders[1].placed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    assert [row["id"] for row in get(manager(store), f"?since={since}")["results"]] == [
        str(orders[2].id),
        str(orders[1].id),
    ]


def test_pages_lead_through_all_of_them_and_back(store: Store, orders: list[Order]) -> None:
    client = manager(store)
    first = get(client, "?since=2020-01-01T00:00:00Z&page_size=2")
    second = get(client, f"?{first['next'].partition('?')[2]}")

    assert [row["id"] for row in second["results"]] == [str(orders[0].id)]
    assert second["next"] is None
    assert get(client, f"?{second['previous'].partition('?')[2]}")["results"] == first["results"]


@pytest.mark.parametrize(
    "query", ["?status=cooked", "?since=yesterday", "?cursor=abc", "?since=2020-01-01&page_size=-1"]
)
def test_list_asked_for_wrongly_is_refused(query: str, store: Store, orders: list[Order]) -> None:
    assert manager(store).get(f"/api/v1/orders{query}").json()["code"] == "invalid"


def test_kiosk_lists_only_what_it_placed_and_without_money(store: Store, kiosk: Screen, orders: list[Order]) -> None:
    other = Screen(store)

    listed = kiosk.get("/orders?status=finished").body["results"]

    assert [row["id"] for row in listed] == [str(orders[0].id)]
    assert "total" not in listed[0]
    assert other.get("/orders?status=finished").body["results"] == []


def test_more_orders_take_no_more_queries(store: Store, kiosk: Screen, orders: list[Order]) -> None:
    client = manager(store)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            get(client, "?since=2020-01-01T00:00:00Z")
        return len(seen)

    queries()
    few = queries()
    for _ in range(3):
        order_in(Status.FINISHED, kiosk.device)
    assert queries() == few

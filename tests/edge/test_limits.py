"""Limits: refused with 429 and a time to come back; nothing is written by what is refused."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from apps.core.buckets import MOST_KEYS, Buckets
from apps.core.models import RateWindow
from apps.orders.models import Order
from apps.payments.rules import Method
from apps.payments.services import open_charge
from apps.stores.models import Store
from tests.factories import ProductFactory, claim, new_menu
from tests.fixtures import Reply, Screen, cart


@pytest.fixture
def good(store: Store) -> dict[str, Any]:
    product = ProductFactory()
    new_menu(store)
    return cart(product)


def assert_limited(reply: Reply, most_seconds: int) -> None:
    assert reply.code == (429, "throttled")
    assert 1 <= int(reply.response["Retry-After"]) <= most_seconds


def test_checkouts_of_a_device_are_limited(kiosk: Screen, good: dict[str, Any], settings: Settings) -> None:
    settings.LIMIT_CHECKOUT_PER_MINUTE = 3
    rival = Screen(kiosk.store)
    assert [kiosk.checkout(good).status for _ in range(3)] == [201] * 3
    assert_limited(kiosk.checkout(good), 120)
    assert Order.objects.count() == 3
    assert rival.checkout(good).status == 201


def test_repeat_of_a_checkout_is_no_new_one(kiosk: Screen, good: dict[str, Any], settings: Settings) -> None:
    settings.LIMIT_CHECKOUT_PER_MINUTE, settings.LIMIT_OPEN_UNPAID = 1, 1
    key = str(uuid4())
    first = kiosk.checkout(good, key=key)
    assert first.status == 201
    for _ in range(3):
        assert kiosk.checkout(good, key=key).response.content == first.response.content


def test_open_unpaid_orders_of_a_kiosk_are_limited(kiosk: Screen, good: dict[str, Any], settings: Settings) -> None:
    settings.LIMIT_OPEN_UNPAID = 2
    orders = [kiosk.checkout(good).body["id"] for _ in range(2)]
    assert_limited(kiosk.checkout(good), 60)
    assert Order.objects.count() == 2
    assert Screen(kiosk.store).checkout(good).status == 201

    assert kiosk.post(f"/orders/{orders[0]}/cancel", {}).status == 200
    assert kiosk.checkout(good).status == 201


def test_orders_for_the_counter_do_not_count(kiosk: Screen, good: dict[str, Any], settings: Settings) -> None:
    settings.LIMIT_OPEN_UNPAID = 2
    for _ in range(4):
        order = kiosk.checkout(good).body["id"]
        by = kiosk.actor
        open_charge(order_id=order, method=Method.COUNTER, by=by, claim=claim(by), at=timezone.now())
    assert [kiosk.checkout(good).status for _ in range(3)] == [201, 201, 429]


def test_expired_orders_do_not_count(kiosk: Screen, good: dict[str, Any], settings: Settings) -> None:
    settings.LIMIT_OPEN_UNPAID = 1
    kiosk.checkout(good)
    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert kiosk.checkout(good).status == 201


def test_pairing_is_limited_by_address(stranger: Screen, settings: Settings) -> None:
    settings.LIMIT_PAIR_PER_QUARTER_HOUR = 5
    tries = [stranger.post("/devices/pair", {"code": f"WRONG{n}"}) for n in range(6)]
    assert [reply.code[1] for reply in tries[:5]] == ["pairing_refused"] * 5
    assert_limited(tries[5], 1800)


def test_pairing_limit_is_not_moved_by_a_forged_address(stranger: Screen, settings: Settings) -> None:
    settings.LIMIT_PAIR_PER_QUARTER_HOUR = 1
    for n in range(3):
        reply = stranger.send("POST", "/devices/pair", {"code": "WRONG"}, **{"X-Forwarded-For": f"203.0.113.{n}"})
    assert reply.status == 429
    assert RateWindow.objects.filter(scope="pair.address").count() == 1


def test_menu_is_limited_by_address(kiosk: Screen, good: dict[str, Any], settings: Settings) -> None:
    settings.LIMIT_MENU_PER_MINUTE = 10
    path = f"/api/v1/menu?store={kiosk.store.id}"
    told = [Reply(kiosk.client.get(path, REMOTE_ADDR="198.51.100.7")) for _ in range(3)]
    assert [reply.status for reply in told[:2]] == [200, 200]
    assert_limited(told[2], 60)
    assert kiosk.client.get(path, REMOTE_ADDR="198.51.100.8").status_code == 200


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_bucket_fills_up_again_evenly() -> None:
    clock = Clock()
    buckets = Buckets(clock)
    assert [buckets.wait_seconds("a", 6) for _ in range(7)] == [0] * 6 + [10]
    clock.now += 9
    assert buckets.wait_seconds("a", 6) == 1
    clock.now += 1
    assert [buckets.wait_seconds("a", 6) for _ in range(2)] == [0, 10]
    clock.now += 3600
    assert [buckets.wait_seconds("a", 6) for _ in range(7)] == [0] * 6 + [10]


def test_buckets_do_not_grow_without_end() -> None:
    buckets = Buckets(Clock())
    for n in range(MOST_KEYS + 50):
        buckets.wait_seconds(str(n), 1)
    assert len(buckets._levels) == MOST_KEYS

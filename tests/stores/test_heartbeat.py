"""Screens say that they are alive."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from apps.core.actors import Role
from apps.stores import api
from apps.stores.admin import DevicePage, said_ago
from apps.stores.models import Device, Store
from apps.stores.services import hear_from_device, revoke_device
from breadmate.admin_site import site
from tests.customers.people import Anyone, person
from tests.factories import DeviceFactory
from tests.fixtures import Screen

NOW = timezone.now()


@pytest.mark.parametrize("kind", [Role.KIOSK, Role.BOARD, Role.PANEL])
def test_device_is_heard_of(kind: Role, store: Store) -> None:
    screen = Screen(store, kind)
    before = timezone.now()

    heard = screen.post("/devices/heartbeat", {"version": "abc", "clock": (before + timedelta(seconds=90)).isoformat()})

    assert (heard.status, heard.body["reload"]) == (200, False)
    assert abs(datetime.fromisoformat(heard.body["now"]) - before) < timedelta(seconds=30)
    device = Device.objects.get(id=screen.device.id)
    assert device.last_seen_at is not None
    assert device.last_seen_at >= before
    assert (device.version, 80 <= (device.clock_drift_seconds or 0) <= 90) == ("abc", True)


def test_nothing_but_the_beat_is_needed(store: Store) -> None:
    screen = Screen(store)
    assert screen.post("/devices/heartbeat", {}).status == 200
    assert Device.objects.get().clock_drift_seconds is None


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"clock": "gestern"}, [("clock", "invalid")]),
        ({"version": "x" * 41}, [("version", "max_length")]),
        ({"store": "x"}, [("store", "unknown_field")]),
    ],
)
def test_body_is_checked(body: dict[str, str], errors: list[tuple[str, str]], store: Store) -> None:
    screen = Screen(store)
    assert screen.post("/devices/heartbeat", body).errors == errors
    assert Device.objects.get().last_seen_at is None


def test_only_devices_have_a_heart(store: Store) -> None:
    assert Anyone().post("/devices/heartbeat", {}).status == 401
    assert person(Role.OWNER, store).post("/devices/heartbeat", {}).code == (403, "permission_denied")
    screen = Screen(store)
    revoke_device(device_id=screen.device.id, at=NOW)
    assert screen.post("/devices/heartbeat", {}).status == 401


def test_row_is_written_once_a_minute(db: None) -> None:
    device, other = DeviceFactory(), DeviceFactory()
    seen = []
    for seconds in (0, 30, 59, 60, 119, 120):
        hear_from_device(device_id=device.id, version=str(seconds), clock=None, at=NOW + timedelta(seconds=seconds))
        seen.append(Device.objects.get(id=device.id).version)
    assert seen == ["0", "0", "0", "60", "60", "120"]
    assert Device.objects.get(id=other.id).last_seen_at is None


def test_clock_that_is_far_off_is_kept_within_bounds(db: None) -> None:
    device = DeviceFactory()
    hear_from_device(device_id=device.id, version="", clock=NOW.replace(year=9999), at=NOW)
    assert Device.objects.get().clock_drift_seconds == 999_999


@pytest.mark.parametrize(
    ("served", "shown", "reload"), [("new", "old", True), ("new", "new", False), ("", "old", False), ("new", "", False)]
)
def test_old_page_is_asked_to_reload(
    served: str, shown: str, reload: bool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "page_version", lambda: served)
    assert Screen(store).post("/devices/heartbeat", {"version": shown}).body["reload"] is reload


@pytest.mark.parametrize(
    ("past", "said"),
    [
        (timedelta(seconds=59), "agora"),
        (timedelta(minutes=2), "há 2 min"),
        (timedelta(minutes=59, seconds=59), "há 59 min"),
        (timedelta(hours=5), "há 5 h"),
        (timedelta(days=3, hours=5), "há 3 d"),
    ],
)
def test_list_says_how_long_ago(past: timedelta, said: str) -> None:
    assert said_ago(past) == said


def test_list_says_how_devices_are(db: None) -> None:
    page = DevicePage(Device, site)
    fresh = Device(last_seen_at=timezone.now() - timedelta(minutes=2), clock_drift_seconds=-90)
    silent = Device(last_seen_at=timezone.now() - timedelta(minutes=20), clock_drift_seconds=3)
    unheard = Device()
    said = [(page.is_alive(each), page.seen(each), page.clock(each)) for each in (fresh, silent, unheard)]
    assert said == [(True, "há 2 min", "-90 s"), (False, "há 20 min", "certo"), (None, None, None)]

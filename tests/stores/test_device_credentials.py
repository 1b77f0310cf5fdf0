"""How a screen proves itself: by header, or by a cookie that may hold several kinds."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.actors import Role
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.stores.models import Device, Store
from apps.stores.services import issue_pairing_code, revoke_device
from tests.factories import DeviceFactory, ProductFactory, new_menu, order_in
from tests.fixtures import Screen, cart

ORDERS = "/api/v1/orders"


def pair(client: Client, device: Device) -> str:
    """Pair a browser through the API and return the token."""
    code = issue_pairing_code(device_id=device.id, at=timezone.now())
    answer = client.post("/api/v1/devices/pair", {"code": code}, "application/json")
    assert answer.status_code == 200, answer.content
    token: str = answer.json()["token"]
    return token


def kind_seen(client: Client, kind: str) -> object:
    """What the board's address answers to one kind: orders, bare numbers, or the refusal's status."""
    answer = client.get(ORDERS, headers={"X-Device-Kind": kind} if kind else {})
    return sorted(answer.json()["results"][0]) if answer.status_code == 200 else answer.status_code


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def test_answer_and_cookie_carry_the_token(store: Store, browser: Client) -> None:
    device = DeviceFactory(store=store, kind=Role.BOARD)
    code = issue_pairing_code(device_id=device.id, at=timezone.now())

    answer = browser.post("/api/v1/devices/pair", {"code": code}, "application/json")

    cookie = answer.cookies["bm_device"]
    assert answer.json() == {"token": cookie.value, "kind": "board", "store": str(store.id)}
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "body", [{}, {"code": 1}, {"code": "x" * 21}, {"code": "ABC", "x": 1}, {"code": None}, {"code": "WRONGCODE"}]
)
def test_malformed_or_wrong_code_is_refused_without_a_cookie(body: object, db: None, browser: Client) -> None:
    answer = browser.post("/api/v1/devices/pair", json.dumps(body), "application/json")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert "bm_device" not in answer.cookies


def test_one_browser_may_be_several_screens(store: Store, kiosk: Screen, browser: Client) -> None:
    order_in(Status.RECEIVED, kiosk.device)
    for kind in (Role.BOARD, Role.PANEL):
        pair(browser, DeviceFactory(store=store, kind=kind))

    assert kind_seen(browser, "panel") == ["number", "status"]
    assert "guest_name" in kind_seen(browser, "board")
    assert kind_seen(browser, "kiosk") == 401


def test_new_token_of_a_kind_replaces_the_old_one_in_the_cookie(store: Store, browser: Client) -> None:
    board, panel = DeviceFactory(store=store, kind=Role.BOARD), DeviceFactory(store=store, kind=Role.PANEL)
    first, kept = pair(browser, board), pair(browser, panel)

    second = pair(browser, DeviceFactory(store=store, kind=Role.BOARD))

    assert set(browser.cookies["bm_device"].value.split(".")) == {second, kept}
    assert first not in browser.cookies["bm_device"].value


def test_dead_tokens_leave_the_cookie(store: Store, browser: Client) -> None:
    panel = DeviceFactory(store=store, kind=Role.PANEL)
    pair(browser, panel)
    revoke_device(device_id=panel.id, at=timezone.now())

    token = pair(browser, DeviceFactory(store=store, kind=Role.BOARD))

    assert browser.cookies["bm_device"].value == token


@pytest.mark.parametrize("kind", ["KIOSK", "owner", "x" * 500, "board;kiosk"])
def test_kind_nobody_knows_is_ignored(kind: str, store: Store, kiosk: Screen, browser: Client) -> None:
    order_in(Status.RECEIVED, kiosk.device)
    pair(browser, DeviceFactory(store=store, kind=Role.PANEL))

    assert kind_seen(browser, kind) == ["number", "status"]


@pytest.mark.parametrize("cookie", ["", ".", "x", "x" * 4000, "...." * 100, "é"])
def test_cookie_that_names_nobody_is_refused(cookie: str, db: None, browser: Client) -> None:
    answer = browser.get(ORDERS, headers={"Cookie": f"bm_device={cookie}"})

    assert answer.status_code == 401


def test_write_with_the_cookie_alone_is_refused(store: Store, browser: Client) -> None:
    product = ProductFactory()
    new_menu(store)
    pair(browser, DeviceFactory(store=store))

    answer = browser.post(f"{ORDERS}/checkout", cart(product), "application/json", headers={"Idempotency-Key": "k"})

    assert answer.status_code == 403
    assert not Order.objects.exists()


def test_write_with_the_cookie_and_the_csrf_token_is_made(store: Store, browser: Client) -> None:
    product = ProductFactory()
    new_menu(store)
    pair(browser, DeviceFactory(store=store))
    browser.get("/kiosk/")
    headers = {"Idempotency-Key": "k", "X-CSRFToken": browser.cookies["csrftoken"].value}

    answer = browser.post(f"{ORDERS}/checkout", cart(product), "application/json", headers=headers)

    assert answer.status_code == 201
    assert Order.objects.count() == 1


def test_write_with_the_header_needs_no_csrf_token(store: Store, browser: Client) -> None:
    product = ProductFactory()
    new_menu(store)
    screen = Screen(store)
    headers = {"Idempotency-Key": "k", "Authorization": f"Device {screen.token}"}

    answer = browser.post(f"{ORDERS}/checkout", cart(product), "application/json", headers=headers)

    assert answer.status_code == 201


def test_reading_with_the_cookie_needs_no_csrf_token(store: Store, browser: Client) -> None:
    pair(browser, DeviceFactory(store=store, kind=Role.BOARD))

    assert browser.get(ORDERS).status_code == 200


def test_wrong_header_is_not_saved_by_a_good_cookie(store: Store, browser: Client) -> None:
    pair(browser, DeviceFactory(store=store, kind=Role.BOARD))

    assert browser.get(ORDERS, headers={"Authorization": "Device wrong"}).status_code == 401


def test_revoked_device_is_refused_from_the_next_request_on(board: Screen) -> None:
    assert board.get("/orders").status == 200

    revoke_device(device_id=board.device.id, at=timezone.now())

    assert board.get("/orders").code == (401, "not_authenticated")

"""Pages for guests: the kiosk, and the page behind an order's link."""

import re

import pytest
from django.test import Client

from apps.core.actors import Role
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.stores.models import Store
from tests.factories import ProductFactory, order_in, place
from tests.fixtures import Screen


def browser(screen: Screen) -> Client:
    client = Client()
    client.cookies["bm_device"] = screen.token
    return client


def test_kiosk_opens_to_a_paired_kiosk(kiosk: Screen) -> None:
    page = browser(kiosk).get("/kiosk/")

    assert (page.status_code, page.templates[0].name) == (200, "kiosk/app.html")
    assert kiosk.store.name in page.content.decode()
    assert "csrftoken" in page.cookies
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("kind", [None, Role.BOARD, Role.PANEL])
def test_anybody_else_is_shown_the_way_to_pair(kind: Role | None, store: Store) -> None:
    client = browser(Screen(store, kind)) if kind else Client()

    page = client.get("/kiosk/")

    assert page.templates[0].name == "kiosk/pair.html"
    assert store.name not in page.content.decode()


def test_token_is_in_no_page(kiosk: Screen) -> None:
    assert kiosk.token not in browser(kiosk).get("/kiosk/").content.decode()


@pytest.mark.parametrize("path", ["/kiosk/", "/t/x/"])
def test_pages_allow_no_inline_script_and_no_frame(path: str, db: None) -> None:
    page = Client().get(path)

    policy = page["Content-Security-Policy"]
    assert ("unsafe-inline" in policy, "unsafe-eval" in policy) == (False, False)
    assert [
        directive in policy for directive in ("default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'")
    ] == [True] * 3
    assert (page["X-Content-Type-Options"], page["X-Frame-Options"]) == ("nosniff", "DENY")
    assert not re.search(
        r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|\son\w+=|<style|\sstyle=", page.content.decode()
    )


def test_guest_with_the_link_sees_the_order(kiosk: Screen) -> None:
    order = place(kiosk.device, ProductFactory(name="Sonho de creme"))
    other = place(kiosk.device, ProductFactory(name="Pudim"))

    page = Client().get(f"/t/{order.tracking_token}/").content.decode()

    assert [text in page for text in (order.number, "Sonho de creme", kiosk.store.name)] == [True] * 3
    assert [text in page for text in ("Pudim", other.tracking_token, str(order.id))] == [False] * 3


@pytest.mark.parametrize("status", list(Status), ids=lambda status: status.code)
def test_tracking_page_says_every_status(status: Status, kiosk: Screen) -> None:
    order = order_in(status, kiosk.device)

    page, part = (Client().get(f"/t/{order.tracking_token}/{tail}") for tail in ("", "order/"))

    assert [(each.status_code, status.label in each.content.decode()) for each in (page, part)] == [(200, True)] * 2
    assert ("<html" in page.content.decode(), "<html" in part.content.decode()) == (True, False)


@pytest.mark.parametrize("guess", ["number", "id", "upper", "prefix", "nothing"])
def test_guessed_link_shows_nothing(guess: str, kiosk: Screen) -> None:
    order = order_in(Status.READY, kiosk.device)
    token = {
        "number": order.number,
        "id": str(order.id),
        "upper": order.tracking_token.swapcase(),
        "prefix": order.tracking_token[:-1],
        "nothing": "%00",
    }[guess]

    answers = [Client().get(f"/t/{token}/{tail}") for tail in ("", "order/")]

    assert [answer.status_code for answer in answers] in ([404, 404], [400, 400])
    assert [order.number in answer.content.decode() for answer in answers] == [False, False]


def test_page_behind_a_link_cannot_be_written_to(kiosk: Screen) -> None:
    order = order_in(Status.RECEIVED, kiosk.device)

    assert Client().post(f"/t/{order.tracking_token}/").status_code == 405
    assert Order.objects.get().status == Status.RECEIVED

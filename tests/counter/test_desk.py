"""The desk: what it shows, and who may stand at it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.actors import Role
from apps.core.models import User
from apps.counter.screens import desk_drawing, shown_at_desk
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments.models import Charge
from apps.payments.rules import Method, State
from apps.payments.services import open_charge
from apps.stores.models import Store
from tests.counter.conftest import Person
from tests.factories import ProductFactory, StaffRoleFactory, StoreFactory, claim, order_in, place
from tests.fixtures import Screen

PAGES = ["/caixa/", "/caixa/pedido/", "/caixa/turno/"]
PARTS = ["/caixa/fila/", "/caixa/retirada/?q=1"]
ALLOWED = [Role.CASHIER, Role.MANAGER, Role.OWNER]

Waiting = Callable[..., tuple[Order, Charge]]


def numbers(cards: list[dict[str, Any]]) -> list[str]:
    return [card["number"] for card in cards]


def test_desk_tells_who_waits_here_who_at_a_totem_and_what_is_ready(
    store: Store, kiosk: Screen, waiting: Waiting
) -> None:
    here, _ = waiting()
    there = place(kiosk.device, ProductFactory())
    ready = order_in(Status.READY, kiosk.device)
    order_in(Status.RECEIVED, kiosk.device)

    shown = shown_at_desk(store.id)

    assert (numbers(shown["at_counter"]), numbers(shown["elsewhere"])) == ([here.number], [there.number])
    assert numbers(shown["ready"]) == [ready.number]


def test_order_with_an_open_code_says_so(store: Store, kiosk: Screen) -> None:
    order = place(kiosk.device, ProductFactory())
    by = kiosk.actor
    Charge.objects.create(
        order=order,
        method=Method.MERCADO_PAGO_QR,
        state=State.PENDING,
        amount=order.total,
        principal=by.principal,
        client_key="k",
        request_hash=b"h",
        reference="r",
        create_key="c",
        create_body=b"",
        created_at=timezone.now(),
    )

    card = shown_at_desk(store.id)["elsewhere"][0]

    assert (card["has_code"], card["charge"]) == (True, None)


def test_orders_that_wait_longest_come_first(store: Store, waiting: Waiting) -> None:
    first, second = waiting()[0], waiting()[0]
    Order.objects.filter(id=first.id).update(placed_at=timezone.now() + timedelta(minutes=1))

    assert numbers(shown_at_desk(store.id)["at_counter"]) == [second.number, first.number]


def test_the_same_order_twice_is_pointed_out_and_another_is_not(store: Store, kiosk: Screen, waiting: Waiting) -> None:
    one, twin = waiting()[0], waiting()[0]
    late, _ = waiting()
    Order.objects.filter(id=late.id).update(placed_at=timezone.now() + timedelta(hours=1))
    other = place(kiosk.device, ProductFactory(price="31.90"))

    shown = shown_at_desk(store.id)
    alike = {card["number"]: card["looks_like"] for card in (*shown["at_counter"], *shown["elsewhere"])}

    assert alike == {one.number: twin.number, twin.number: one.number, late.number: "", other.number: ""}


def test_desk_of_a_store_shows_no_other_store(store: Store, stranger: Screen, waiting: Waiting) -> None:
    theirs, _ = waiting(stranger)
    order_in(Status.READY, stranger.device)

    assert shown_at_desk(store.id) == {"to_release": [], "at_counter": [], "elsewhere": [], "ready": []}
    assert numbers(shown_at_desk(stranger.store.id)["at_counter"]) == [theirs.number]


def test_thirty_orders_take_no_more_queries_than_one(store: Store, kiosk: Screen, waiting: Waiting) -> None:
    product, taken = ProductFactory(), []
    for total in (1, 30):
        while Order.objects.filter(status=Status.AWAITING_PAYMENT).count() < total:
            waiting()
        while Order.objects.filter(status=Status.READY).count() < total:
            order_in(Status.READY, kiosk.device, product)
        with CaptureQueriesContext(connection) as queries:
            desk_drawing(store.id)
        taken.append(len(queries))

    assert taken[0] == taken[1]


def test_drawing_changes_when_an_order_comes_to_the_counter(store: Store, kiosk: Screen) -> None:
    order, by = place(kiosk.device, ProductFactory()), kiosk.actor
    before = desk_drawing(store.id)

    open_charge(order_id=order.id, method=Method.COUNTER, by=by, claim=claim(by), at=timezone.now())

    assert desk_drawing(store.id) != before


def test_text_of_a_guest_stays_text(cashier: Person, waiting: Waiting) -> None:
    order, _ = waiting()
    Order.objects.update(guest_name='"><script>alert(1)</script>')
    order.lines.update(note="<img src=x onerror=alert(1)>")

    page = cashier.page()

    assert [text in page for text in ("<script>alert", "<img src=x")] == [False, False]
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("path", [*PAGES, *PARTS])
@pytest.mark.parametrize("role", [*ALLOWED, Role.KITCHEN, Role.AUDITOR, None])
def test_page_opens_to_the_counter_alone(role: Role | None, path: str, store: Store, waiting: Waiting) -> None:
    order, _ = waiting()

    answer = Person(store, role).client.get(path)

    opens = role in ALLOWED
    assert answer.status_code == (200 if opens else 401 if path in PARTS else 403)
    if not opens:
        assert order.number not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", [*PAGES, "/caixa/loja/"])
def test_stranger_is_led_to_the_sign_in_and_back(path: str, db: None) -> None:
    answer = Client().get(path)

    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={path.replace('/', '%2F')}")


@pytest.mark.parametrize("path", PARTS)
def test_part_of_a_page_is_refused_to_a_stranger(path: str, db: None) -> None:
    assert Client().get(path).status_code == 401


@pytest.mark.parametrize("kind", [Role.KIOSK, Role.BOARD, Role.PANEL])
def test_device_is_nobody_at_the_counter(kind: Role, store: Store) -> None:
    screen = Screen(store, kind)
    client = Client(headers={"Authorization": f"Device {screen.token}"})
    client.cookies["bm_device"] = screen.token

    assert [client.get(path).status_code for path in (*PAGES, *PARTS)] == [302] * 3 + [401] * 2


def test_cashier_of_another_store_sees_their_own_orders_only(waiting: Waiting) -> None:
    order, _ = waiting()
    outsider = Person(StoreFactory())

    assert [order.number in outsider.page(path) for path in ("/caixa/", "/caixa/fila/")] == [False, False]
    assert "data-serve-now" not in outsider.page(f"/caixa/retirada/?q={order.number}")


def test_role_of_another_kind_elsewhere_does_not_count(store: Store, waiting: Waiting) -> None:
    order, _ = waiting()
    cook = Person(store, Role.KITCHEN)
    StaffRoleFactory(user=cook.user, role=Role.CASHIER, store=StoreFactory())

    assert order.number not in cook.page()


def test_closed_account_is_out_at_once(cashier: Person) -> None:
    User.objects.update(is_active=False)

    assert cashier.client.get("/caixa/").status_code == 302


def test_person_of_several_stores_chooses_and_changes(store: Store, waiting: Waiting) -> None:
    order, _ = waiting()
    other = StoreFactory()
    owner = Person(None, Role.OWNER)

    led = owner.client.get("/caixa/turno/")
    chosen = owner.client.post("/caixa/loja/", {"store": str(store.id), "next": "/caixa/turno/"})
    here = owner.page()
    owner.client.post("/caixa/loja/", {"store": str(other.id), "next": ""})

    assert (led.status_code, led["Location"]) == (302, "/caixa/loja/?next=%2Fcaixa%2Fturno%2F")
    assert chosen["Location"] == "/caixa/turno/"
    assert (order.number in here, order.number in owner.page()) == (True, False)


def test_store_of_somebody_else_cannot_be_chosen(store: Store, cashier: Person) -> None:
    StaffRoleFactory(user=cashier.user, role=Role.CASHIER, store=StoreFactory())
    theirs = StoreFactory()

    answer = cashier.client.post("/caixa/loja/", {"store": str(theirs.id)})

    assert answer.status_code == 200
    assert theirs.name not in answer.content.decode()
    assert cashier.client.get("/caixa/").status_code == 302


@pytest.mark.parametrize("target", ["https://evil.example/caixa/", "//evil.example/", "/admin/", "javascript:alert(1)"])
def test_choosing_a_store_leads_nowhere_else(target: str, store: Store, cashier: Person) -> None:
    answer = cashier.client.post("/caixa/loja/", {"store": str(store.id), "next": target})

    assert answer["Location"] == "/caixa/"


def test_person_of_several_stores_names_the_one_they_stand_in_with_each_order(store: Store, cashier: Person) -> None:
    StoreFactory()
    owner = Person(None, Role.OWNER)
    owner.client.post("/caixa/loja/", {"store": str(store.id)})

    assert f'data-order-store="{store.id}"' in owner.page("/caixa/pedido/")
    assert "data-order-store" not in cashier.page("/caixa/pedido/")


def test_desk_urges_to_open_a_shift_until_there_is_one(cashier: Person) -> None:
    before = cashier.page()
    cashier.client.post("/caixa/turno/abrir/", {"opening_float": "100"})

    assert ("fora de turno" in before, "fora de turno" in cashier.page()) == (True, False)


@pytest.mark.parametrize("path", [*PAGES, "/caixa/loja/"])
def test_pages_allow_no_inline_script_and_no_frame(path: str, cashier: Person) -> None:
    answer = cashier.client.get(path)

    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|<style|\sstyle=", answer.content.decode())


def test_page_for_staff_speaks_for_the_person_in_a_browser_paired_as_a_kiosk(
    cashier: Person, kiosk: Screen, waiting: Waiting
) -> None:
    _, charge = waiting()
    client = Client(enforce_csrf_checks=True, headers={"X-Device-Kind": "staff"})
    client.cookies = cashier.client.cookies
    client.cookies["bm_device"] = kiosk.token
    client.get("/caixa/")
    path = f"/api/v1/payments/{charge.id}/confirm"
    body = {"tender": "cash", "received": "50.00"}

    without = client.post(path, body, "application/json")
    answer = client.post(path, body, "application/json", headers={"X-CSRFToken": client.cookies["csrftoken"].value})

    assert (without.status_code, answer.status_code, answer.json()["change"]) == (403, 200, "18.10")

"""The counter by finger and by keyboard: money with change, the card machine, the tray, the shift."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.blackbox.client import Caller, new_key, product
from tests.e2e.conftest import BOARD, PHONE, Open
from tests.e2e.test_one_order import check
from tests.stack import Stack

LONG_ENOUGH_MILLISECONDS = 800


@pytest.fixture
def kiosk(stack: Stack) -> Caller:
    return Caller(stack.base_url, stack.demo["stores"][0]["devices"]["kiosk"])


@pytest.fixture
def board(stack: Stack) -> Caller:
    return Caller(stack.base_url, stack.demo["stores"][0]["devices"]["board"])


def order(kiosk: Caller, method: str = "counter", guest: str = "") -> dict[str, Any]:
    """Order one coffee for R$ 5.00 at the kiosk; an empty method asks for no payment yet."""
    coffee = product(kiosk.get("/api/v1/menu").body, "cafe-coado")
    cart = {"dining_option": "eat_in", "guest_name": guest, "items": [{"product": coffee["id"], "quantity": 1}]}
    placed = kiosk.post("/api/v1/orders/checkout", cart, key=new_key())
    assert placed.status == 201, placed.raw
    if method:
        assert (
            kiosk.post("/api/v1/payments", {"order": placed.body["id"], "method": method}, key=new_key()).status == 201
        )
    return dict(placed.body)


@pytest.fixture
def sign_in(stack: Stack, screens: Open) -> Callable[..., Page]:
    """Come in by the page of the staff, and be led to the counter."""

    def come(role: str = "cashier", *, size: dict[str, int] = BOARD, touch: bool = False) -> Page:
        page, person = screens(path="/caixa/", size=size, touch=touch), stack.demo["staff"][role]
        page.locator("input[name=username]").fill(person["email"])
        page.locator("input[name=password]").fill(person["password"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/caixa/**")
        return page

    return come


def put_away(page: Page) -> None:
    """Dismiss the change; a press that comes too soon was meant for the payment and does nothing."""
    page.wait_for_timeout(LONG_ENOUGH_MILLISECONDS)
    page.keyboard.press("Enter")


def card(page: Page, placed: dict[str, Any]) -> Locator:
    return page.locator(f'.desk-card[data-number="{placed["number"]}"]')


def waiting(page: Page, placed: dict[str, Any]) -> Locator:
    """The card of an order that is to be paid here: it is shown a moment after the order itself."""
    return page.locator(f'.desk-card.is-here[data-number="{placed["number"]}"]')


def status(kiosk: Caller, placed: dict[str, Any]) -> str:
    return str(kiosk.get(f"/api/v1/orders/{placed['id']}/status").body["status"])


def test_cash_with_change_by_finger(sign_in: Callable[..., Page], kiosk: Caller, pictures: Path) -> None:
    desk = sign_in(touch=True)
    placed = order(kiosk, guest="Dona Ana")
    expect(waiting(desk, placed)).to_contain_text("Dona Ana")
    check(desk, pictures, "counter-queue")

    card(desk, placed).get_by_role("button").tap()
    sheet = desk.get_by_role("dialog")
    sheet.get_by_role("button", name="3", exact=True).tap()
    sheet.get_by_role("button", name="00", exact=True).tap()
    expect(sheet).to_contain_text("Faltam R$\N{NO-BREAK SPACE}2,00")
    sheet.get_by_role("button", name=re.compile("^Receber")).tap(
        force=True
    )  # it says that it is not enough, and does nothing
    expect(sheet.get_by_role("alert")).to_contain_text("Nada foi registrado")
    check(desk, pictures, "counter-too-little")
    assert status(kiosk, placed) == "awaiting_payment"

    sheet.get_by_role("button", name="Limpar").tap()
    sheet.get_by_role("button", name="+ R$ 10", exact=True).tap()
    sheet.get_by_role("button", name="+ R$ 10", exact=True).tap()
    sheet.get_by_role("button", name=re.compile("^Receber")).dblclick()
    expect(sheet.locator(".change-due")).to_have_text("R$\N{NO-BREAK SPACE}15,00")
    check(desk, pictures, "counter-change")
    assert status(kiosk, placed) == "received"
    desk.wait_for_timeout(1500)
    expect(sheet.locator(".change-due")).to_be_visible()  # it stays until somebody puts it away

    sheet.get_by_role("button", name="Concluir").tap()
    expect(card(desk, placed)).to_have_count(0)


def test_card_machine_and_cancelling_by_finger_on_a_phone(
    sign_in: Callable[..., Page], kiosk: Caller, pictures: Path
) -> None:
    desk = sign_in(size=PHONE, touch=True)
    by_card, unwanted = order(kiosk, method=""), order(kiosk)
    expect(waiting(desk, unwanted)).to_be_visible()
    check(desk, pictures, "counter-phone")

    card(desk, by_card).get_by_role("button").tap()
    sheet = desk.get_by_role("dialog")
    sheet.get_by_role("button", name="Receber no caixa").tap()
    sheet.get_by_role("button", name=re.compile("Maquininha")).tap()
    check(desk, pictures, "counter-phone-card")
    sheet.get_by_role("button", name="A maquininha aprovou").tap()
    expect(sheet).to_contain_text("Sem troco")
    desk.wait_for_timeout(LONG_ENOUGH_MILLISECONDS)
    sheet.get_by_role("button", name="Concluir").tap()
    assert status(kiosk, by_card) == "received"

    card(desk, unwanted).get_by_role("button").tap()
    sheet.get_by_role("button", name="Cancelar pedido").tap()
    check(desk, pictures, "counter-phone-cancel")
    sheet.get_by_role("button", name="Cliente desistiu").tap()
    expect(card(desk, unwanted)).to_have_count(0)
    expect(desk.locator(".toast-text")).to_contain_text("foi cancelado")
    assert status(kiosk, unwanted) == "cancelled"


def test_order_with_an_open_code_is_brought_to_the_counter(
    sign_in: Callable[..., Page], kiosk: Caller, pictures: Path
) -> None:
    desk = sign_in()
    placed = order(kiosk, method="mercado_pago_qr")
    expect(card(desk, placed)).to_be_visible()
    desk.reload()
    expect(card(desk, placed)).to_contain_text("QR aberto no totem")

    card(desk, placed).get_by_role("button").click()
    check(desk, pictures, "counter-bring")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog")).to_contain_text("Quanto o cliente deu?")
    desk.keyboard.press("e")
    expect(desk.get_by_role("dialog")).to_contain_text("Sem troco")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog")).to_contain_text("Pago")
    assert status(kiosk, placed) == "received"


def test_sheet_says_when_somebody_else_was_faster(sign_in: Callable[..., Page], kiosk: Caller) -> None:
    desk = sign_in()
    placed = order(kiosk)
    waiting(desk, placed).get_by_role("button").click()

    assert kiosk.post(f"/api/v1/orders/{placed['id']}/cancel", {}).status == 200

    expect(desk.get_by_role("dialog").get_by_role("alert").last).to_contain_text("Não receba")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog")).to_have_count(0)


def test_shift_from_opening_to_a_difference_by_keyboard(
    sign_in: Callable[..., Page], kiosk: Caller, pictures: Path, stack: Stack
) -> None:
    desk = sign_in()
    placed, other = order(kiosk), order(kiosk)
    desk.keyboard.press("F8")
    desk.get_by_label("Fundo de troco").fill("100,00")
    check(desk, pictures, "counter-shift-new")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name=re.compile("Turno aberto"))).to_be_visible()

    desk.keyboard.press("F2")
    expect(waiting(desk, placed)).to_be_visible()
    desk.keyboard.type(placed["number"])
    expect(card(desk, other)).to_be_hidden()
    check(desk, pictures, "counter-search")
    desk.keyboard.press("Enter")
    desk.keyboard.type("2000")
    expect(desk.get_by_role("dialog")).to_contain_text("Troco R$\N{NO-BREAK SPACE}15,00")
    desk.keyboard.press("Enter")
    expect(desk.locator(".change-due")).to_have_text("R$\N{NO-BREAK SPACE}15,00")
    put_away(desk)

    desk.keyboard.press("F8")
    desk.get_by_label("Valor").fill("30")
    desk.get_by_label("Motivo").fill("depósito no cofre")
    desk.keyboard.press("Enter")
    expect(desk.locator(".drawer-sum")).to_contain_text("R$\N{NO-BREAK SPACE}75,00")
    check(desk, pictures, "counter-shift")
    desk.get_by_label("Dinheiro contado").fill("74,50")
    expect(desk.locator("[data-difference]")).to_have_text("Falta R$\N{NO-BREAK SPACE}0,50")
    desk.keyboard.press("Enter")

    expect(desk.get_by_role("heading", name="Fechamento de caixa")).to_be_visible()
    expect(desk.locator(".drawer-difference")).to_contain_text("falta R$\N{NO-BREAK SPACE}0,50")
    check(desk, pictures, "counter-slip")
    assert '"ok": true' in stack.manage("audit_invariants", "--json").stdout


def test_tray_is_handed_over_by_number_or_code(
    sign_in: Callable[..., Page], kiosk: Caller, board: Caller, pictures: Path
) -> None:
    desk = sign_in()
    placed = order(kiosk)
    waiting(desk, placed).get_by_role("button").click()
    desk.keyboard.press("m")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog")).to_contain_text("Pago")
    put_away(desk)
    for step in ("in_preparation", "ready"):
        assert board.patch(f"/api/v1/orders/{placed['id']}/status", {"status": step}).status == 200
    expect(card(desk, placed)).to_have_class(re.compile("is-ready"))

    wrong = f"{(int(placed['pickup_code']) + 1) % 10_000:04d}"
    find = desk.get_by_role("searchbox")
    find.fill(wrong)
    find.press("Enter")
    expect(desk.get_by_role("dialog")).to_contain_text("Nada foi entregue")
    check(desk, pictures, "counter-wrong-code")
    desk.keyboard.press("Escape")

    find.fill(placed["pickup_code"])
    find.press("Enter")
    expect(desk.get_by_role("dialog")).to_contain_text(f"Código {placed['pickup_code']} confere")
    check(desk, pictures, "counter-handover")
    desk.get_by_role("button", name=f"Entregar {placed['number']}").last.click()
    expect(card(desk, placed)).to_have_count(0)
    assert status(kiosk, placed) == "finished"

    desk.get_by_role("button", name="Desfazer").click()
    expect(card(desk, placed)).to_have_class(re.compile("is-ready"))


def test_cashier_orders_for_a_guest_by_keyboard(sign_in: Callable[..., Page], stack: Stack, pictures: Path) -> None:
    desk = sign_in()
    desk.keyboard.press("F4")
    expect(desk.get_by_role("searchbox")).to_be_focused()
    expect(desk.get_by_role("heading", name="0 item")).to_be_visible()
    check(desk, pictures, "counter-order")

    desk.keyboard.type("cafe coado")
    expect(desk.get_by_text("Enter adiciona Café coado.")).to_be_visible()
    desk.keyboard.press("Enter")
    desk.keyboard.type("cafe coado")
    desk.keyboard.press("Enter")
    expect(desk.locator(".till-cart")).to_contain_text("R$\N{NO-BREAK SPACE}10,00")
    expect(desk.get_by_role("button", name=re.compile(r"^Pagar R\$\s10,00"))).to_be_enabled()
    check(desk, pictures, "counter-order-cart")
    desk.keyboard.press("F9")

    sheet = desk.get_by_role("dialog")
    expect(sheet.get_by_role("heading", name=re.compile(r"^C\d{3,}$"))).to_be_visible()
    desk.keyboard.type("5000")
    desk.keyboard.press("Enter")
    expect(sheet.locator(".change-due")).to_have_text("R$\N{NO-BREAK SPACE}40,00")
    check(desk, pictures, "counter-order-change")
    put_away(desk)
    expect(desk.get_by_role("searchbox")).to_be_focused()
    expect(desk.locator(".till-cart")).to_contain_text("vazio")

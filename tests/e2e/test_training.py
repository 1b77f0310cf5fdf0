"""Practice by finger: a store for it is opened by a button, and an order there pays itself and comes up everywhere, marked."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import BOARD, KIOSK, PANEL, PHONE, Open
from tests.e2e.test_back_office import sign_in
from tests.e2e.test_one_order import check, tracking_path
from tests.stack import Stack

pytestmark = pytest.mark.timeout(180)  # every surface of a shop is looked at, and the code takes its seconds


def open_as(screens: Open, name: str, size: dict[str, int]) -> Page:
    """Make a browser a screen of the store for training, at the demo's door."""
    page = screens(path="/", size=size, touch=True)
    card = page.locator("form").filter(has=page.get_by_text(name, exact=True))
    card.get_by_label("Loja").select_option(label="Padaria BreadMate Centro · treino")
    card.get_by_role("button").click()
    expect(page.get_by_role("complementary", name="Loja de treino")).to_contain_text("TREINO")
    return page


def test_trainee_sells_cooks_and_hands_over_what_is_not_real(stack: Stack, screens: Open, pictures: Path) -> None:
    office = sign_in(stack, screens)
    office.goto(f"{stack.base_url}/admin/stores/store/")
    with office.expect_navigation():
        office.get_by_role("link", name="Abrir loja de treino").click()
    check(office, pictures, "training-open")
    office.get_by_label("Treinar para qual loja").select_option(label="Padaria BreadMate Centro")
    office.get_by_role("button", name="Abrir loja de treino").click()
    expect(office.get_by_text("Padaria BreadMate Centro · treino está aberta")).to_be_visible()
    expect(office.get_by_role("cell", name="treino", exact=True)).to_be_visible()

    board = open_as(screens, "Cozinha", BOARD)
    panel = open_as(screens, "Painel de retirada", PANEL)
    kiosk = open_as(screens, "Totem", KIOSK)
    kiosk.get_by_role("button", name="Toque para começar").tap()
    kiosk.get_by_role("button", name="Comer aqui").tap()
    kiosk.get_by_role("button", name="Mais um Café coado").tap()
    kiosk.get_by_role("button", name=re.compile("Ver pedido")).tap()
    kiosk.get_by_role("button", name=re.compile(r"Pagar R\$")).tap()
    kiosk.get_by_role("button", name="Continuar sem identificar").tap()
    expect(kiosk.get_by_text("este código se paga sozinho")).to_be_visible()
    check(kiosk, pictures, "training-payment")

    expect(kiosk.get_by_text("Pedido confirmado!")).to_be_visible(timeout=40_000)
    number = kiosk.get_by_text(re.compile(r"^T\d{3,}$")).inner_text()
    ticket = board.locator(f'[data-number="{number}"]')
    ticket.get_by_role("button", name=re.compile("Começar")).tap()
    check(board, pictures, "training-board")
    ticket.get_by_role("button", name=re.compile("Pronto")).tap()
    expect(panel.locator(f'[data-ready="{number}"]')).to_be_visible()
    panel.screenshot(path=pictures / "training-panel.png")

    phone = screens(size=PHONE, path=tracking_path(kiosk))
    expect(phone.get_by_text("Está pronto!")).to_be_visible()
    check(phone, pictures, "training-tracking")
    phone.locator("#receipt-link").click()
    expect(phone.get_by_text("TREINO: sem valor fiscal nem de pagamento")).to_be_visible()
    phone.screenshot(path=pictures / "training-receipt.png")

    office.goto(f"{stack.base_url}/caixa/loja/")
    office.get_by_role("button", name="Padaria BreadMate Centro · treino").click()
    expect(office.get_by_role("complementary", name="Loja de treino")).to_contain_text("dinheiro de mentira")
    check(office, pictures, "training-counter")
    office.goto(f"{stack.base_url}/admin/payments/charge/?training=1")
    expect(office.get_by_role("cell", name="QR de treino")).to_be_visible()
    assert '"ok": true' in stack.manage("audit_invariants", "--json").stdout

"""One order by finger: chosen at the kiosk, paid on a phone, cooked at the board, called at the panel."""

import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import BOARD, KIOSK, PANEL, PHONE, Open
from tests.stack import Stack


def check(page: Page, pictures: Path, name: str) -> None:
    """Keep a picture and find no barrier worth mending."""
    page.screenshot(path=pictures / f"{name}.png")
    found = Axe().run(page).response["violations"]
    grave = [(v["id"], v["nodes"][0]["html"][:120]) for v in found if v["impact"] in ("serious", "critical")]
    assert grave == [], name


def test_guest_orders_and_kitchen_serves(stack: Stack, screens: Open, pictures: Path) -> None:
    board = screens("board", path="/kitchen/", size=BOARD, touch=True)
    panel = screens("panel", path="/panel/", size=PANEL)
    kiosk = screens("kiosk", path="/kiosk/", size=KIOSK, touch=True)
    check(board, pictures, "board-empty")
    check(panel, pictures, "panel-empty")

    check(kiosk, pictures, "kiosk-attract")
    kiosk.get_by_role("button", name="Toque para começar").tap()
    check(kiosk, pictures, "kiosk-dining")
    kiosk.get_by_role("button", name="Comer aqui").tap()
    check(kiosk, pictures, "kiosk-menu")
    kiosk.get_by_role("button", name=re.compile("Pão na chapa")).tap()
    kiosk.get_by_text("Bem dourado").tap()
    check(kiosk, pictures, "kiosk-product")
    kiosk.get_by_role("button", name=re.compile("Adicionar")).tap()
    kiosk.get_by_role("button", name="Mais um Café coado").tap()
    kiosk.get_by_role("button", name=re.compile("Ver pedido")).tap()
    check(kiosk, pictures, "kiosk-cart")
    kiosk.get_by_role("button", name=re.compile(r"Pagar R\$")).tap()
    check(kiosk, pictures, "kiosk-identify")
    kiosk.get_by_role("button", name="Continuar sem identificar").tap()
    expect(kiosk.get_by_role("img", name=re.compile("Código QR"))).to_be_visible()
    check(kiosk, pictures, "kiosk-payment")

    buyer = screens(path="/", size=PHONE)
    buyer.goto(stack.simulator_url)
    buyer.get_by_role("link").first.click()
    buyer.get_by_role("button", name="Pagar").click()

    expect(kiosk.get_by_text("Pedido confirmado!")).to_be_visible()
    qr_is_drawn = "() => document.querySelector('.done-qr')?.naturalWidth > 0"
    kiosk.wait_for_function(qr_is_drawn)
    check(kiosk, pictures, "kiosk-done")
    number = kiosk.get_by_text(re.compile(r"^T\d{3,}$")).inner_text()

    ticket = board.locator(f'[data-number="{number}"]')
    expect(ticket).to_be_visible()
    check(board, pictures, "board-received")
    expect(panel.get_by_text(number)).to_be_visible()
    ticket.get_by_role("button", name=re.compile("Começar")).tap()
    expect(ticket).to_have_attribute("data-status", "in_preparation")
    ticket.get_by_role("button", name=re.compile("Pronto")).tap()
    expect(ticket).to_have_attribute("data-status", "ready")
    check(board, pictures, "board-ready")
    expect(panel.locator(f'[data-ready="{number}"]')).to_be_visible()
    check(panel, pictures, "panel-ready")

    phone = screens(size=PHONE, path=tracking_path(kiosk))
    expect(phone.get_by_text("Pronto").first).to_be_visible()
    check(phone, pictures, "tracking-ready")
    ticket.get_by_role("button", name=re.compile("Entregue")).tap()
    expect(board.locator(f'[data-number="{number}"]')).to_have_count(0)
    expect(panel.get_by_text(number)).to_have_count(0)
    expect(phone.get_by_text(re.compile("Finalizado|Entregue|Bom apetite")).first).to_be_visible()
    assert '"ok": true' in stack.manage("audit_invariants", "--json").stdout


def tracking_path(kiosk: Page) -> str:
    """Read the address that the kiosk's last screen offers to the phone."""
    address = kiosk.locator(".done-qr").get_attribute("src") or ""
    return address.removesuffix("qr.svg")

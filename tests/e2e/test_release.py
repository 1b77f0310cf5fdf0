"""A beer by finger: the totem waits, the counter lets it go or refuses it, and the totem goes on by itself."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.conftest import BOARD, KIOSK, PHONE, Open
from tests.e2e.test_one_order import check, tracking_path
from tests.stack import Stack


def at_the_counter(stack: Stack, screens: Open) -> Page:
    page, person = screens(path="/caixa/", size=BOARD, touch=True), stack.demo["staff"]["cashier"]
    page.locator("input[name=username]").fill(person["email"])
    page.locator("input[name=password]").fill(person["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/caixa/**")
    return page


def wait_for_release(kiosk: Page) -> str:
    """Order what is in the cart; return the number that waits."""
    kiosk.get_by_role("button", name=re.compile("Ver pedido")).tap()
    kiosk.get_by_role("button", name=re.compile(r"Pagar R\$")).tap()
    kiosk.get_by_role("button", name="Continuar sem identificar").tap()
    expect(kiosk.get_by_role("heading", name="Um atendente vai conferir sua idade")).to_be_visible()
    return kiosk.locator(".release-number").inner_text()


def test_beer_is_refused_and_then_let_go(stack: Stack, screens: Open, pictures: Path) -> None:
    board = screens("board", path="/kitchen/", size=BOARD, touch=True)
    desk = at_the_counter(stack, screens)
    kiosk = screens("kiosk", path="/kiosk/", size=KIOSK, touch=True)
    kiosk.get_by_role("button", name="Toque para começar").tap()
    kiosk.get_by_role("button", name="Comer aqui").tap()
    kiosk.get_by_role("button", name="Mais um Café coado").tap()
    beer = kiosk.get_by_role("button", name="Mais um Cerveja long neck")
    beer.tap()
    check(kiosk, pictures, "release-menu")

    first = wait_for_release(kiosk)
    check(kiosk, pictures, "release-waiting")
    card = desk.locator(f'[data-release][data-number="{first}"]')
    expect(card).to_contain_text("Cerveja long neck 18+")
    check(desk, pictures, "release-desk")
    kiosk.reload()
    expect(kiosk.locator(".release-number")).to_have_text(first)
    card.get_by_role("button", name="Recusar").tap()
    check(desk, pictures, "release-refusal")
    desk.get_by_role("dialog").get_by_role("button", name=f"Recusar {first}").tap()
    expect(card).to_have_count(0)
    expect(kiosk.get_by_role("heading", name="Não pudemos liberar a bebida")).to_be_visible()
    check(kiosk, pictures, "release-refused")
    kiosk.get_by_role("button", name="Continuar sem a bebida").tap()
    expect(kiosk.locator(".line-name")).to_have_text(["Café coado"])

    kiosk.get_by_role("button", name="Pedir mais").tap()
    beer.tap()
    second = wait_for_release(kiosk)
    desk.get_by_role("button", name=f"Liberar {second}").tap()
    expect(kiosk.get_by_role("img", name=re.compile("Código QR"))).to_be_visible()
    buyer = screens(path="/", size=PHONE)
    buyer.goto(stack.simulator_url)
    buyer.get_by_role("link").first.click()
    buyer.get_by_role("button", name="Pagar").click()
    expect(kiosk.get_by_text("Pedido confirmado!")).to_be_visible()
    ticket = board.locator(f'[data-number="{second}"]')
    expect(ticket.locator(".ticket-adults")).to_have_text(["18+"])
    check(board, pictures, "release-board")
    phone = screens(size=PHONE, path=tracking_path(kiosk))
    expect(phone.get_by_text(second)).to_be_visible()
    assert '"ok": true' in stack.manage("audit_invariants", "--json").stdout

"""From an empty database to the first paid order, as somebody does who has just installed BreadMate."""

import re
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import BOARD, KIOSK, PHONE, Open
from tests.e2e.test_one_order import check
from tests.stack import Stack

pytestmark = pytest.mark.timeout(300)  # a shop is started, and every step of it is looked at

PASSWORD = "fornada de pao quente"
PLACE = {
    "Rua": "Rua das Flores",
    "Número": "10",
    "Cidade": "São Paulo",
    "Estado, por extenso": "São Paulo",
    "Latitude": "-23.55",
    "Longitude": "-46.63",
}


@pytest.fixture(scope="module")
def stack() -> Generator[Stack]:
    """A BreadMate nobody has used yet."""
    with Stack(settings={"DEMO": "0"}) as running:
        yield running


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def test_new_owner_sets_up_a_shop_and_sells(stack: Stack, screens: Open, pictures: Path) -> None:
    stranger = screens(path="/", size=PHONE)
    stranger.wait_for_url("**/comecar/dono/")
    stranger.get_by_label("Código de instalação").fill("AAAAA-AAAAA")
    press(stranger, "Criar minha conta")
    expect(stranger.get_by_text("Este código não confere.")).to_be_visible()
    check(stranger, pictures, "first-run-refused")

    office = screens(path=stack.demo["set_up"].removeprefix(stack.base_url), size=BOARD)
    become_owner(office, pictures)
    stranger.goto(stack.demo["set_up"])  # the way in leads in no more
    stranger.wait_for_url("**/admin/login/**")

    open_store(office, pictures)
    office.goto(f"{stack.base_url}/comecar/")  # left, and taken up again
    connect_payments(office, stack.env["MP_ACCESS_TOKEN"], pictures)

    office.get_by_label("Nome do produto").fill("Pão na chapa")
    office.get_by_label("Preço (R$)").fill("9,50")
    check(office, pictures, "first-run-product")
    press(office, "Pôr no cardápio")

    check(office, pictures, "first-run-kiosk")
    with office.context.expect_page() as opened:
        press(office, "Abrir o totem aqui")
    kiosk = opened.value
    kiosk.set_viewport_size(KIOSK)
    order_bread(kiosk, pictures)
    buyer = screens(path="/", size=PHONE)
    buyer.goto(stack.simulator_url)
    buyer.get_by_role("link").first.click()
    press(buyer, "Pagar")
    expect(kiosk.get_by_text("Pedido confirmado!")).to_be_visible()
    number = kiosk.get_by_text(re.compile(r"^T\d{3,}$")).inner_text()

    office.get_by_role("link", name="Continuar").click()
    expect(office.get_by_role("heading", name="Padaria da Lurdes está pronta.")).to_be_visible()
    check(office, pictures, "first-run-done")
    with office.context.expect_page() as opened:
        office.get_by_role("button", name=re.compile("Abrir aqui.*Cozinha")).click()
    expect(opened.value.locator(f'[data-number="{number}"]')).to_be_visible()
    assert '"ok": true' in stack.manage("audit_invariants", "--json").stdout


def become_owner(office: Page, pictures: Path) -> None:
    office.get_by_label("Seu nome").fill("Dona Lurdes")
    office.get_by_label("Seu e-mail").fill("lurdes@padaria.example")
    office.get_by_label("Senha", exact=True).fill("123456")
    office.get_by_label("Senha, outra vez").fill("123456")
    press(office, "Criar minha conta")
    expect(office.get_by_text("Esta senha é muito curta.")).to_be_visible()
    check(office, pictures, "first-run-owner")
    office.get_by_label("Senha", exact=True).fill(PASSWORD)
    office.get_by_label("Senha, outra vez").fill(PASSWORD)
    press(office, "Criar minha conta")


def open_store(office: Page, pictures: Path) -> None:
    office.get_by_label("Nome da loja").fill("Padaria da Lurdes")
    office.get_by_label("Das", exact=True).fill("00:00")
    office.get_by_label("Até as").fill("00:00")
    check(office, pictures, "first-run-store")
    press(office, "Abrir a loja")
    office.wait_for_url("**/comecar/pagamentos/")


def connect_payments(office: Page, token: str, pictures: Path) -> None:
    office.get_by_label("Access token de produção").fill("APP_USR-WRONG")
    press(office, "Conferir e ligar")
    expect(office.get_by_text("O access token não vale.")).to_be_visible()
    office.get_by_label("Access token de produção").fill(token)
    check(office, pictures, "first-run-payments")
    press(office, "Conferir e ligar")
    for label, value in PLACE.items():
        office.get_by_label(label, exact=True).fill(value)
    check(office, pictures, "first-run-place")
    press(office, "Registrar a loja")
    expect(office.get_by_text("um QR de teste foi criado e cancelado")).to_be_visible()


def order_bread(kiosk: Page, pictures: Path) -> None:
    kiosk.get_by_role("button", name="Toque para começar").click()
    kiosk.get_by_role("button", name="Levar").click()
    kiosk.get_by_role("button", name="Mais um Pão na chapa").click()
    check(kiosk, pictures, "first-run-menu")
    kiosk.get_by_role("button", name=re.compile("Ver pedido")).click()
    kiosk.get_by_role("button", name=re.compile(r"Pagar R\$\s*9,50")).click()
    kiosk.get_by_role("button", name="Continuar sem identificar").click()
    expect(kiosk.get_by_role("img", name=re.compile("Código QR"))).to_be_visible()

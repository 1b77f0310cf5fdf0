"""The menu on a kiosk changes under the guest's eyes, and the cart stays."""

import re
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.blackbox.client import Caller
from tests.e2e.conftest import BOARD, KIOSK, Open
from tests.e2e.test_kitchen import products
from tests.e2e.test_one_order import check
from tests.stack import Stack

AT_ONCE_MILLISECONDS = 10_000  # below the twelve seconds after which a page asks by itself: it came by the stream


def open_menu(kiosk: Page) -> None:
    kiosk.get_by_role("button", name="Toque para começar").tap()
    kiosk.get_by_role("button", name="Levar").tap()


def device(stack: Stack, kind: str) -> Caller:
    return Caller(stack.base_url, stack.demo["stores"][0]["devices"][kind])


def test_pause_greys_the_card_the_combo_and_the_line_in_the_cart(stack: Stack, screens: Open, pictures: Path) -> None:
    kiosk = screens("kiosk2", path="/kiosk/", size=KIOSK, touch=True)
    open_menu(kiosk)
    menu, board = products(device(stack, "kiosk2")), device(stack, "board")
    pie = menu["Empada de palmito"]
    kiosk.get_by_role("button", name="Mais um Café coado").tap()
    kiosk.get_by_role("button", name=re.compile("^Empada de palmito")).first.tap()
    for group in [group for group in pie["modifier_groups"] if group["min"]]:
        kiosk.get_by_text(group["options"][0]["name"]).first.tap()
    kiosk.get_by_role("button", name=re.compile("Adicionar")).tap()
    card = kiosk.locator(f'[data-product="{pie["id"]}"]')
    expect(card).not_to_have_class(re.compile("is-sold-out"))

    assert board.post(f"/api/v1/products/{pie['id']}/pause", {"hours": 1}).status == 200

    expect(card).to_have_class(re.compile("is-sold-out"), timeout=AT_ONCE_MILLISECONDS)
    expect(kiosk.get_by_text("Um item esgotou: reveja o pedido")).to_be_visible()
    check(kiosk, pictures, "kiosk-menu-paused")
    kiosk.get_by_role("button", name=re.compile("Dupla de salgados")).tap()
    first = kiosk.get_by_role("group", name=re.compile("^Primeiro"))
    expect(first.locator("label", has_text="Empada de palmito")).to_contain_text("Esgotado")
    kiosk.get_by_role("button", name="Voltar").tap()

    kiosk.get_by_role("button", name=re.compile("Ver pedido")).tap()
    line = kiosk.locator(".line.is-gone")
    expect(line).to_contain_text("Esgotou. Tire este item para continuar.")
    expect(line.locator(".stepper")).to_have_count(0)
    check(kiosk, pictures, "kiosk-cart-gone")
    kiosk.get_by_role("button", name="Tirar e continuar").tap()
    expect(line).to_have_count(0)
    expect(kiosk.get_by_role("button", name=re.compile(r"Pagar R\$"))).to_be_enabled()

    kiosk.get_by_role("button", name="Pedir mais").tap()
    board.call("DELETE", f"/api/v1/products/{pie['id']}/pause")
    expect(card).not_to_have_class(re.compile("is-sold-out"), timeout=AT_ONCE_MILLISECONDS)


def test_paused_orders_close_the_kiosk_and_keep_the_cart(stack: Stack, screens: Open, pictures: Path) -> None:
    kiosk = screens("kiosk2", path="/kiosk/", size=KIOSK, touch=True)
    open_menu(kiosk)
    kiosk.get_by_role("button", name="Mais um Café coado").tap()
    office = sign_in(screens, stack)

    act_on_first_store(office, stack, "pause_orders")
    office.get_by_role("button", name="Pausar pedidos").click()

    expect(kiosk.get_by_role("heading", name="Pausamos os pedidos")).to_be_visible(timeout=AT_ONCE_MILLISECONDS)
    expect(kiosk.get_by_text(re.compile(r"Voltamos às \d\d:\d\d"))).to_be_visible()
    check(kiosk, pictures, "kiosk-paused")
    idle = screens("kiosk", path="/kiosk/", size=KIOSK, touch=True)
    expect(idle.get_by_role("heading", name="Pausamos os pedidos")).to_be_visible()

    act_on_first_store(office, stack, "resume_orders")

    expect(kiosk.get_by_role("heading", name="Seu pedido")).to_be_visible(timeout=AT_ONCE_MILLISECONDS)
    expect(kiosk.get_by_role("button", name=re.compile(r"Pagar R\$"))).to_be_enabled()
    expect(idle.get_by_role("button", name="Toque para começar")).to_be_visible(timeout=AT_ONCE_MILLISECONDS)


def act_on_first_store(office: Page, stack: Stack, action: str) -> None:
    office.goto(f"{stack.base_url}/admin/stores/store/")
    office.locator(f'input[name=_selected_action][value="{stack.demo["stores"][0]["id"]}"]').check()
    office.locator("select[name=action]").select_option(value=action)
    office.locator("button[name=index]").click()


def sign_in(screens: Open, stack: Stack) -> Page:
    office = screens(path="/admin/", size=BOARD)
    account = stack.demo["staff"]["owner"]
    office.locator("[name=username]").fill(account["email"])
    office.locator("[name=password]").fill(account["password"])
    office.locator("[name=password]").press("Enter")
    office.wait_for_url("**/admin/")
    return office


def test_promotion_from_the_back_office_is_on_the_kiosk_and_in_the_total(stack: Stack, screens: Open) -> None:
    kiosk = screens("kiosk2", path="/kiosk/", size=KIOSK, touch=True)
    open_menu(kiosk)
    juice = products(device(stack, "kiosk2"))["Suco de laranja"]
    kiosk.get_by_role("button", name="Mais um Suco de laranja").tap()
    card = kiosk.locator(f'[data-product="{juice["id"]}"]')

    office = sign_in(screens, stack)
    office.goto(f"{stack.base_url}/admin/promotions/promotion/add/")
    office.locator("[name=name]").fill("Suco da hora")
    office.locator("[name=kind]").select_option(value="amount")
    office.locator("[name=value]").fill("2.00")
    office.locator("[name=product]").select_option(value=juice["id"])
    office.locator("[name=_save]").click()

    expect(card).to_contain_text(re.compile(r"Por R\$\s*10,00"), timeout=AT_ONCE_MILLISECONDS)
    kiosk.get_by_role("button", name=re.compile("Ver pedido")).tap()
    expect(kiosk.get_by_text("Suco da hora")).to_be_visible()
    expect(kiosk.get_by_role("button", name=re.compile(r"Pagar R\$\s*10,00"))).to_be_visible()


def test_menu_is_fetched_again_while_its_stream_is_away(stack: Stack, screens: Open) -> None:
    kiosk = screens(path="/", size=KIOSK, touch=True)
    token = stack.demo["stores"][0]["devices"]["kiosk2"]
    kiosk.context.add_cookies([{"name": "bm_device", "value": token, "url": stack.base_url}])
    allowed = {"Access-Control-Allow-Origin": stack.base_url, "Access-Control-Allow-Credentials": "true"}
    kiosk.route("**/menu/stream", lambda route: route.fulfill(status=204, headers=allowed))
    kiosk.goto(f"{stack.base_url}/kiosk/")
    open_menu(kiosk)
    water = products(device(stack, "kiosk2"))["Água mineral"]
    board = device(stack, "board")

    assert board.post(f"/api/v1/products/{water['id']}/pause", {"hours": 1}).status == 200

    card = kiosk.locator(f'[data-product="{water["id"]}"]')
    expect(card).to_have_class(re.compile("is-sold-out"), timeout=25_000)
    board.call("DELETE", f"/api/v1/products/{water['id']}/pause")


def test_news_that_is_faster_than_the_menu_is_asked_for_again(stack: Stack, screens: Open) -> None:
    kiosk = screens("kiosk2", path="/kiosk/", size=KIOSK, touch=True)
    open_menu(kiosk)
    water, board = products(device(stack, "kiosk2"))["Água mineral"], device(stack, "board")
    before = device(stack, "kiosk2").get("/api/v1/menu").raw
    answers = iter([before, before])

    def answer(route: Route) -> None:
        old = next(answers, None)
        route.continue_() if old is None else route.fulfill(status=200, content_type="application/json", body=old)

    kiosk.route("**/api/v1/menu", answer)

    assert board.post(f"/api/v1/products/{water['id']}/pause", {"hours": 1}).status == 200

    card = kiosk.locator(f'[data-product="{water["id"]}"]')
    expect(card).to_have_class(re.compile("is-sold-out"), timeout=AT_ONCE_MILLISECONDS)
    assert next(answers, None) is None
    board.call("DELETE", f"/api/v1/products/{water['id']}/pause")

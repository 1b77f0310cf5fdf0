"""The cook's board by finger: items, stations, totals, the way back, and a cut line."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.blackbox.client import Caller, new_key
from tests.e2e.conftest import BOARD, PHONE, Open
from tests.e2e.test_one_order import check
from tests.stack import Stack


def products(kiosk: Caller) -> dict[str, dict[str, Any]]:
    """The demo's products by name."""
    menu = kiosk.get("/api/v1/menu").body
    return {product["name"]: product for category in menu["categories"] for product in category["products"]}


@cache
def cashier_token(stack: Stack) -> str:
    """Sign the cashier in, once: guesses are limited."""
    return str(Caller(stack.base_url).post("/api/v1/auth/token", stack.demo["staff"]["cashier"]).body["access"])


def paid_order(stack: Stack, *names: str, **fields: Any) -> dict[str, Any]:
    """Order things that need no choice, and pay at the counter."""
    kiosk = Caller(stack.base_url, stack.demo["stores"][0]["devices"]["kiosk"])
    cashier = Caller(stack.base_url, cashier_token(stack), "Bearer")
    menu = products(kiosk)
    items = [{"product": menu[name]["id"], "quantity": 2, "options": chosen(menu[name])} for name in names]
    body = {"dining_option": "take_out", "items": items, **fields}
    order = kiosk.post("/api/v1/orders/checkout", body, key=new_key()).body
    assert "id" in order, order
    charge = kiosk.post("/api/v1/payments", {"order": order["id"], "method": "counter"}, key=new_key()).body
    told = cashier.post(f"/api/v1/payments/{charge['id']}/confirm", {"tender": "cash", "received": "200.00"})
    assert told.status == 200, told.body
    return dict(order)


def chosen(product: dict[str, Any]) -> list[dict[str, Any]]:
    """The first option of every group that asks for one."""
    return [{"option": group["options"][0]["id"]} for group in product["modifier_groups"] if group["min"]]


def ticket_of(board: Page, order: dict[str, Any]) -> Any:
    return board.locator(f'[data-order="{order["id"]}"]')


def test_cook_makes_one_item_after_the_other(stack: Stack, screens: Open, pictures: Path) -> None:
    board = screens("board", path="/kitchen/", size=BOARD, touch=True)
    order = paid_order(stack, "Pão na chapa", "Café coado", guest_name="Dona Ana")
    other = paid_order(stack, "Café coado", "Suco de laranja")
    ticket = ticket_of(board, order)
    expect(ticket.get_by_text(re.compile("promessa"))).to_be_visible()
    bun = ticket.get_by_role("button", name=re.compile("Pão na chapa"))
    coffee = ticket.get_by_role("button", name=re.compile("Café coado"))
    check(board, pictures, "board-items")

    bun.tap()
    expect(ticket).to_have_attribute("data-status", "in_preparation")
    expect(bun).to_have_attribute("aria-pressed", "true")
    expect(coffee).to_have_attribute("aria-pressed", "false")
    expect(board.get_by_role("button", name=re.compile("Desfazer"))).to_be_visible()
    board.get_by_role("button", name="Totais").tap()
    expect(board.locator(".drawer-all-day")).to_be_visible()
    check(board, pictures, "board-item-done")

    board.get_by_role("button", name=re.compile("Desfazer")).tap()
    expect(bun).to_have_attribute("aria-pressed", "false")
    bun.tap()
    expect(bun).to_have_attribute("aria-pressed", "true")
    coffee.tap()
    expect(ticket).to_have_attribute("data-status", "ready")

    board.get_by_role("button", name="Recentes").tap()
    check(board, pictures, "board-recent")
    board.locator(f'[data-recent="{order["id"]}"]').get_by_role("button", name=re.compile("Voltar")).tap()
    expect(ticket).to_have_attribute("data-status", "in_preparation")
    board.get_by_role("button", name="Recentes").tap()

    ticket_of(board, other).locator("[data-head]").tap()
    expect(ticket_of(board, other)).to_have_attribute("data-status", "in_preparation")


def test_station_sees_its_own_part(stack: Stack, screens: Open, pictures: Path) -> None:
    order = paid_order(stack, "Pão na chapa", "Suco de laranja")
    board = screens("board", path="/kitchen/", size=BOARD, touch=True)
    ticket = ticket_of(board, order)
    drinks = board.get_by_role("button", name="Bebidas")
    place = drinks.bounding_box()
    expect(board.get_by_text("Toque para o som")).to_be_visible()
    drinks.tap()

    expect(drinks).to_have_attribute("aria-pressed", "true")
    expect(board.get_by_text("Toque para o som")).to_be_hidden()
    assert drinks.bounding_box() == place, "no button moves under a finger"
    expect(ticket.get_by_role("button", name=re.compile("Suco de laranja"))).to_be_visible()
    expect(ticket.get_by_role("button", name=re.compile("Pão na chapa"))).to_be_hidden()
    expect(ticket.get_by_text("também em:")).to_be_visible()
    check(board, pictures, "board-station")
    ticket.get_by_role("button", name=re.compile("Feito")).tap()
    expect(ticket).to_have_class(re.compile("is-done-here"))
    expect(ticket).to_have_attribute("data-status", "in_preparation")
    check(board, pictures, "board-station-done")

    board.reload()
    expect(board.get_by_role("button", name="Bebidas")).to_have_attribute("aria-pressed", "true")
    board.get_by_role("button", name="Todas").tap()
    expect(ticket.get_by_role("button", name=re.compile("Pão na chapa"))).to_be_visible()


def clear_board(stack: Stack) -> None:
    """Hand over all that other tests left there."""
    cook = Caller(stack.base_url, stack.demo["stores"][0]["devices"]["board"])
    steps = ["received", "in_preparation", "ready", "finished"]
    for shown in cook.get("/api/v1/orders").body["results"]:
        for step in steps[steps.index(shown["status"]) + 1 :]:
            assert cook.patch(f"/api/v1/orders/{shown['id']}/status", {"status": step}).status == 200


def test_keys_do_what_fingers_do(stack: Stack, screens: Open) -> None:
    clear_board(stack)  # keys reach the first nine
    order = paid_order(stack, "Café coado")
    board = screens("board", path="/kitchen/", size=BOARD)
    ticket = ticket_of(board, order)
    place = board.locator("[data-order]").evaluate_all(
        "(all, id) => all.findIndex((each) => each.dataset.order === id)", order["id"]
    )
    answers = list[Route]()

    def keep(route: Route) -> None:
        answers.append(route)
        answers[-1].fetch()  # it is done, and the answer is on its way

    board.route("**/status", keep)
    board.keyboard.press(str(place + 1))
    expect(ticket).to_have_attribute("data-status", "in_preparation")
    board.keyboard.press("r")
    answers[-1].fulfill(status=200, body="{}")
    expect(ticket).to_have_attribute("data-status", "received")


def test_what_was_taken_back_stays_until_the_cook_has_seen_it(stack: Stack, screens: Open, pictures: Path) -> None:
    clear_board(stack)  # keys reach the first nine
    board = screens("board", path="/kitchen/", size=BOARD, touch=True)
    changed = paid_order(stack, "Pão na chapa", "Café coado", guest_name="Dona Ana")
    unwanted = paid_order(stack, "Café coado", "Suco de laranja", guest_name="Seu José")
    cashier = Caller(stack.base_url, cashier_token(stack), "Bearer")
    bun = changed["items"][0]["id"]
    assert cashier.post(f"/api/v1/orders/{changed['id']}/items/{bun}/void", {"reason": "acabou o pão"}).status == 200
    told = cashier.post(f"/api/v1/orders/{unwanted['id']}/cancel", {"reason": "Pedido repetido"})
    assert told.status in (200, 202)
    first, second = ticket_of(board, changed), ticket_of(board, unwanted)
    expect(second.get_by_text("Pedido repetido")).to_be_visible()
    seen = first.get_by_role("button", name=re.compile("Vi que Pão na chapa foi anulado"))
    expect(seen).to_be_visible()
    check(board, pictures, "board-taken-back")

    seen.tap()
    expect(first.get_by_text("Pão na chapa")).to_have_count(0)
    expect(first.get_by_role("button", name=re.compile("Café coado"))).to_be_visible()
    second.get_by_role("button", name=re.compile("Vi que .* foi cancelado")).press("Enter")
    expect(second).to_have_count(0)


def test_board_works_with_its_stream_cut(stack: Stack, screens: Open) -> None:
    board = screens(path="/", size=BOARD, touch=True)
    token = stack.demo["stores"][0]["devices"]["board"]
    board.context.add_cookies([{"name": "bm_device", "value": token, "url": stack.base_url}])

    def silence(route: Route) -> None:
        route.fulfill(
            status=204,
            headers={"Access-Control-Allow-Origin": stack.base_url, "Access-Control-Allow-Credentials": "true"},
        )

    board.route("**/kitchen/stream", silence)
    board.goto(f"{stack.base_url}/kitchen/")
    expect(board.get_by_role("alert")).to_be_visible(timeout=20_000)

    order = paid_order(stack, "Café coado")

    ticket = ticket_of(board, order)
    expect(ticket).to_be_visible()
    ticket.get_by_role("button", name=re.compile("Café coado")).tap()
    expect(ticket).to_have_attribute("data-status", "ready")


def test_receipt_on_a_phone_and_on_paper(stack: Stack, screens: Open, pictures: Path) -> None:
    order = paid_order(stack, "Pão na chapa", "Suco de laranja")
    path = re.sub(r"^https?://[^/]+", "", order["tracking_url"])
    phone = screens(path=path, size=PHONE)
    check(phone, pictures, "tracking-with-receipt")
    phone.get_by_role("link", name="Ver recibo").click()
    expect(phone.get_by_text("Não é documento fiscal")).to_be_visible()
    expect(phone.get_by_text("Troco")).to_be_visible()
    check(phone, pictures, "receipt-phone")
    phone.emulate_media(media="print")
    expect(phone.get_by_role("button", name="Imprimir")).to_be_hidden()
    for name, width, height in (("80mm", 302, 900), ("a4", 794, 1123)):
        phone.set_viewport_size({"width": width, "height": height})
        phone.screenshot(path=pictures / f"receipt-{name}.png")

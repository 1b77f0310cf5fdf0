"""The kiosk loses its network, its page or its power in the middle of an order, and comes back to that order."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route, StorageState, expect

from tests.blackbox.client import Caller, wait_for
from tests.blackbox.flow import status_of
from tests.e2e.conftest import KIOSK, PATIENCE_MILLISECONDS, PHONE, Open
from tests.e2e.test_kitchen import cashier_token
from tests.e2e.test_one_order import check, tracking_path
from tests.stack import Stack

CHECKOUT = "**/api/v1/orders/checkout"

PowerUp = Callable[..., Page]


@pytest.fixture
def power_up(browser: Browser, stack: Stack) -> Iterator[PowerUp]:
    """Start a kiosk's browser, with what an earlier one left on its disk; only a cut network may complain."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "net::ERR_" not in message.text:
            complaints.append(message.text)

    with ExitStack() as contexts:

        def start(disk: StorageState | None = None, network: dict[str, Callable[[Route], None]] | None = None) -> Page:
            context = browser.new_context(
                viewport=KIOSK,
                has_touch=True,
                locale="pt-BR",
                timezone_id="America/Sao_Paulo",
                reduced_motion="reduce",
                storage_state=disk,
            )
            contexts.callback(context.close)
            context.set_default_timeout(PATIENCE_MILLISECONDS)
            expect.set_options(timeout=PATIENCE_MILLISECONDS)
            token = stack.demo["stores"][0]["devices"]["kiosk2"]
            context.add_cookies([{"name": "bm_device", "value": token, "url": stack.base_url, "httpOnly": True}])
            for address, handler in (network or {}).items():
                context.route(address, handler)
            page = context.new_page()
            page.on("console", listen)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{stack.base_url}/kiosk/")
            return page

        yield start
    assert complaints == []


def cut_power(kiosk: Page) -> StorageState:
    """Turn it off; what is on its disk outlives that, and the tab's memory does not."""
    disk = kiosk.context.storage_state()
    kiosk.context.close()
    return disk


def fill_cart(kiosk: Page) -> None:
    kiosk.get_by_role("button", name="Toque para começar").tap()
    kiosk.get_by_role("button", name="Comer aqui").tap()
    kiosk.get_by_role("button", name="Mais um Café coado").tap()
    kiosk.get_by_role("button", name=re.compile("Ver pedido")).tap()
    kiosk.get_by_role("button", name=re.compile(r"Pagar R\$")).tap()
    expect(kiosk.get_by_role("button", name="Continuar sem identificar")).to_be_enabled()


def qr(kiosk: Page) -> Any:
    return kiosk.get_by_role("img", name=re.compile("Código QR"))


def number_to_pay(kiosk: Page) -> str:
    expect(qr(kiosk)).to_be_visible()
    expect(kiosk.locator(".pay-clock")).to_have_text(re.compile(r"^\d:\d\d$"))
    return kiosk.locator(".pay-number").inner_text().removeprefix("Pedido ")


def orders_since(caller: Caller, began: datetime) -> list[dict[str, Any]]:
    """What this kiosk placed since then."""
    since = began.isoformat().replace("+00:00", "Z")
    return list(caller.get(f"/api/v1/orders?since={since}").body["results"])


def pay(stack: Stack, caller: Caller, order: dict[str, Any], reference: str) -> None:
    """Pay on a phone, and wait until the shop knows."""
    assert Caller(stack.simulator_url).post(f"/_sim/orders/{reference}/pay").status == 200
    wait_for(lambda: status_of(caller, order) == "received", "the payment to arrive", seconds=60)


def expect_empty_cart(kiosk: Page) -> None:
    kiosk.get_by_role("button", name="Concluir").tap()
    kiosk.get_by_role("button", name="Toque para começar").tap()
    kiosk.get_by_role("button", name="Comer aqui").tap()
    expect(kiosk.get_by_role("button", name=re.compile("Ver pedido"))).to_be_disabled()


def test_paid_while_the_kiosk_was_away(stack: Stack, power_up: PowerUp, screens: Open, pictures: Path) -> None:
    caller, began = Caller(stack.base_url, stack.demo["stores"][0]["devices"]["kiosk2"]), datetime.now(UTC)
    kiosk = power_up()
    fill_cart(kiosk)
    with kiosk.expect_response("**/api/v1/payments") as opened:
        kiosk.get_by_role("button", name="Continuar sem identificar").tap()
    payment = opened.value.json()
    number = number_to_pay(kiosk)
    kiosk.reload()
    assert number_to_pay(kiosk) == number

    kiosk.context.set_offline(True)
    [order] = orders_since(caller, began)
    pay(stack, caller, order, payment["provider_reference"])
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        kiosk.reload()
    kiosk.context.set_offline(False)
    kiosk.goto(f"{stack.base_url}/kiosk/")

    for _ in range(2):
        expect(kiosk.get_by_text("Pedido confirmado!")).to_be_visible()
        expect(kiosk.locator(".done-number")).to_have_text(number)
        kiosk.reload()
    expect(kiosk.get_by_text("para ver quando ficar pronto e ter o recibo")).to_be_visible()
    kiosk.screenshot(path=pictures / "kiosk-done-after-reload.png")
    path = tracking_path(kiosk)
    expect_empty_cart(kiosk)

    assert [each["number"] for each in orders_since(caller, began)] == [number]
    phone = screens(size=PHONE, path=path)
    expect(phone.get_by_role("link", name="Ver recibo")).to_be_visible()


def test_power_lost_before_the_answer(stack: Stack, power_up: PowerUp, pictures: Path) -> None:
    caller, began = Caller(stack.base_url, stack.demo["stores"][0]["devices"]["kiosk2"]), datetime.now(UTC)
    keys: list[str] = []

    def lose_the_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        assert route.fetch().status == 201
        route.abort("connectionreset")

    def never_arrive(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.abort("connectionreset")

    kiosk = power_up()
    fill_cart(kiosk)
    kiosk.context.set_offline(True)
    kiosk.get_by_role("button", name="Continuar sem identificar").tap()
    expect(kiosk.get_by_text("não será feito duas vezes")).to_be_visible()
    kiosk.context.set_offline(False)
    kiosk.context.route(CHECKOUT, lose_the_answer)
    with kiosk.expect_event("requestfailed", lambda request: request.url.endswith("/orders/checkout")):
        kiosk.get_by_role("button", name="Tentar de novo").tap()

    kiosk = power_up(cut_power(kiosk), {CHECKOUT: never_arrive})
    expect(kiosk.get_by_text("Assim que ela voltar, esta tela continua sozinha")).to_be_visible()
    check(kiosk, pictures, "kiosk-placing-again")
    with kiosk.expect_request(CHECKOUT) as asked_again:
        kiosk.context.unroute(CHECKOUT)
        number = number_to_pay(kiosk)
    keys.append(asked_again.value.headers["idempotency-key"])
    assert (len(keys) > 2, len(set(keys))) == (True, 1)

    cashier = Caller(stack.base_url, cashier_token(stack), "Bearer")
    with kiosk.expect_response("**/api/v1/payments") as opened:
        kiosk.get_by_role("button", name="Pagar no caixa").tap()
    expect(kiosk.get_by_text("Agora é no caixa")).to_be_visible()
    payment = opened.value.json()
    kiosk = power_up(cut_power(kiosk))
    expect(kiosk.get_by_text("Agora é no caixa")).to_be_visible()
    expect(kiosk.locator(".done-number")).to_have_text(number)
    told = cashier.post(f"/api/v1/payments/{payment['id']}/confirm", {"tender": "card_machine"})
    assert told.status == 200, told.body
    expect(kiosk.get_by_text("Pedido confirmado!")).to_be_visible()
    expect_empty_cart(kiosk)

    assert [each["number"] for each in orders_since(caller, began)] == [number]

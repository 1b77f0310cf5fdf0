"""The proving room: a rush is started by a finger, everything is broken once, and the books are right in the end."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.blackbox.client import wait_for
from tests.e2e.conftest import PATIENCE_MILLISECONDS, PHONE
from tests.e2e.test_one_order import check
from tests.stack import Stack

# A shop is started, and a rush goes on for as long as the machine needs.
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

DESK = {"width": 1440, "height": 1150}
SLOW_MILLISECONDS = 60_000  # a process starts, a breaker opens again
SETTLED_MILLISECONDS = 180_000


@pytest.fixture(scope="module")
def shop() -> Iterator[Stack]:
    """A shop of its own: its processes are killed and its shelves sold empty."""
    with Stack(settings={"MP_RATE": "100"}) as stack:
        yield stack


@pytest.fixture
def room(browser: Browser, shop: Stack) -> Iterator[Page]:
    with ExitStack() as closing:
        context = browser.new_context(viewport=DESK, locale="pt-BR", timezone_id="America/Sao_Paulo")
        closing.callback(context.close)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        expect.set_options(timeout=SLOW_MILLISECONDS)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(shop.base_url)
        page.get_by_role("link", name="Sala de provas").click()
        yield page
        assert complaints == []


def simulator(shop: Stack, path: str) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{shop.simulator_url}{path}", timeout=5).json()


def figures(shop: Stack) -> dict[str, Any]:
    return dict(json.loads((shop.run_dir / "rush" / "figures.json").read_text()))


def a_call_is_cut(shop: Stack, room: Page) -> bool:
    """Cut a totem off, again when nobody touched it meanwhile."""
    button = room.get_by_role("button", name="Cortar a rede de um totem")
    if button.is_enabled():
        button.click()
    return bool(figures(shop)["cut"])


def test_whatever_is_broken_in_a_rush_nothing_is_lost(shop: Stack, room: Page, pictures: Path) -> None:
    before = shop.pids
    log = room.get_by_role("log")
    check(room, pictures, "lab-idle")
    expect(room.get_by_role("button", name="Perder os webhooks")).to_be_disabled()

    room.get_by_label("Pedidos por segundo").fill("1.5")
    room.get_by_label("Minutos", exact=True).fill("5")
    room.get_by_label("Totens").fill("6")
    room.get_by_role("button", name="Começar o movimento").click()
    expect(log).to_contain_text("O movimento começou.")
    wait_for(lambda: figures(shop).get("served", 0) > 0, "the first order to be served", seconds=90)

    room.get_by_role("button", name="Matar o Valkey").click()
    room.get_by_role("button", name="Matar um worker").click()
    for name in ("valkey", "worker"):
        assert shop.wait_for_new(name, before[name]) != before[name]
    expect(log).to_contain_text("Valkey de volta")
    expect(log).to_contain_text("Worker de volta")

    wait_for(lambda: a_call_is_cut(shop, room), "a call that did not get out", seconds=120)
    expect(log).to_contain_text("O totem está sem rede")

    room.get_by_role("button", name="Perder os webhooks").click()
    expect(log).to_contain_text("Os webhooks se perdem")
    expect(room.get_by_role("button", name="Perder os webhooks")).to_be_disabled()
    check(room, pictures, "lab-trouble")

    room.get_by_role("button", name="Calar o Mercado Pago").click()
    expect(room.get_by_role("status")).to_contain_text("Aguentando")
    wait_for(lambda: [fault["do"] for fault in simulator(shop, "/_sim/faults")["faults"]] == ["timeout"], "silence")
    expect(log).to_contain_text("o Mercado Pago responde de novo")

    room.get_by_role("button", name="Encerrar").click()
    expect(log).to_contain_text("O movimento acabou", timeout=SETTLED_MILLISECONDS)
    check(room, pictures, "lab")
    summary = figures(shop)["summary"]
    assert (summary["complaints"], summary["broken_rules"], summary["here"]) == ([], [], summary["there"])
    expect(room.locator("#money [data-value]")).to_have_text(in_reais(summary["there"]))
    expect(room.locator("#without [data-value]")).to_have_text("0")
    expect(room.locator("#money")).to_have_attribute("data-state", "good")
    expect(room.locator("#audit")).to_have_attribute("data-state", "good")
    assert simulator(shop, "/_sim/webhooks/policy")["drop"] == 0
    assert shop.manage("audit_invariants", "--json").returncode == 0

    with room.expect_download() as download:
        room.get_by_role("link", name="Baixar o relatório").click()
    report = Path(download.value.path()).read_text()
    assert f"{summary['orders']} pedidos" in report
    assert "iguais ao centavo" in report

    room.set_viewport_size(PHONE)
    expect(room.get_by_role("button", name="Começar o movimento")).to_be_visible()
    assert room.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


def in_reais(amount: str) -> str:
    whole, cents = amount.split(".")
    return f"R$\N{NO-BREAK SPACE}{int(whole):,}".replace(",", ".") + f",{cents}"

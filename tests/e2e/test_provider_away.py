"""The payment provider is away: the kiosk offers the counter first and shows the code by itself when it comes."""

import re
from pathlib import Path

import requests
from playwright.sync_api import expect

from tests.e2e.conftest import KIOSK, Open
from tests.e2e.test_one_order import check
from tests.stack import Stack


def faults(stack: Stack, *planned: dict[str, object]) -> None:
    with requests.Session() as session:
        session.trust_env = False
        url = f"{stack.simulator_url}/_sim/faults"
        (
            session.post(url, json=list(planned), timeout=5) if planned else session.delete(url, timeout=5)
        ).raise_for_status()


def test_kiosk_offers_the_counter_and_recovers_by_itself(stack: Stack, screens: Open, pictures: Path) -> None:
    kiosk = screens("kiosk2", path="/kiosk/", size=KIOSK, touch=True)
    faults(stack, {"match": "POST /v1/orders$", "times": 3, "do": "status", "status": 503})
    try:
        kiosk.get_by_role("button", name="Toque para começar").tap()
        kiosk.get_by_role("button", name="Comer aqui").tap()
        kiosk.get_by_role("button", name="Mais um Café coado").tap()
        kiosk.get_by_role("button", name=re.compile("Ver pedido")).tap()
        kiosk.get_by_role("button", name=re.compile(r"Pagar R\$")).tap()
        kiosk.get_by_role("button", name="Continuar sem identificar").tap()
        expect(kiosk.get_by_text("O QR está demorando")).to_be_visible()
        expect(kiosk.get_by_role("button", name="Pagar no caixa")).to_have_count(1)
        expect(kiosk.locator(".dock-primary").get_by_role("button", name="Pagar no caixa")).to_be_visible()
        check(kiosk, pictures, "kiosk-queued")
    finally:
        faults(stack)
    expect(kiosk.get_by_role("img", name=re.compile("Código QR"))).to_be_visible()
    expect(kiosk.locator(".dock-left").get_by_role("button", name="Pagar no caixa")).to_be_visible()

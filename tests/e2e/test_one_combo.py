"""A combo by finger: two slots that ask the same question, each with its own answer."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import KIOSK, Open


def test_guest_fills_every_part_of_a_combo(screens: Open, pictures: Path) -> None:
    kiosk = screens("kiosk2", path="/kiosk/", size=KIOSK, touch=True)
    kiosk.get_by_role("button", name="Toque para começar").tap()
    kiosk.get_by_role("button", name="Levar").tap()
    kiosk.screenshot(path=pictures / "kiosk-combos.png")
    kiosk.get_by_role("button", name=re.compile("Dupla de salgados")).tap()
    first, second, drink = (
        kiosk.get_by_role("group", name=re.compile(f"^{name}")) for name in ("Primeiro", "Segundo", "Bebida")
    )
    first.get_by_text("Empada de palmito").tap()
    second.get_by_text("Empada de palmito").tap()
    drink.get_by_text("Refrigerante de cola").tap()
    warm = kiosk.get_by_role("group", name=re.compile("^Temperatura"))
    warm.nth(0).get_by_text("Aquecido").tap()
    warm.nth(1).get_by_text("Como está").tap()
    expect(warm.nth(0).get_by_label("Aquecido")).to_be_checked()
    expect(warm.nth(1).get_by_label("Como está")).to_be_checked()
    kiosk.screenshot(path=pictures / "kiosk-combo.png", full_page=True)

    kiosk.get_by_role("button", name=re.compile("Adicionar")).tap()
    kiosk.get_by_role("button", name=re.compile("Ver pedido")).tap()

    for text in ("Dupla de salgados", "Aquecido", "Como está", "Refrigerante de cola"):
        expect(kiosk.get_by_text(text).first).to_be_visible()
    kiosk.get_by_role("button", name=re.compile(r"Pagar R\$\s*22,90")).tap()
    kiosk.get_by_role("button", name="Continuar sem identificar").tap()
    expect(kiosk.get_by_role("img", name=re.compile("Código QR"))).to_be_visible()
    kiosk.screenshot(path=pictures / "kiosk-combo-payment.png")

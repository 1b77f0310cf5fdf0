"""Who is buying, by finger: a CPF on the totem's own keys, or nothing."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, Request, expect

from tests.e2e.conftest import KIOSK, Open
from tests.e2e.test_one_order import check
from tests.stack import Stack

CPF = "52998224725"
SMALLEST_KEY = 64


def to_the_question(screens: Open) -> Page:
    kiosk = screens("kiosk", path="/kiosk/", size=KIOSK, touch=True)
    kiosk.get_by_role("button", name="Toque para começar").tap()
    kiosk.get_by_role("button", name="Levar").tap()
    kiosk.get_by_role("button", name="Mais um Café coado").tap()
    kiosk.get_by_role("button", name=re.compile("Ver pedido")).tap()
    kiosk.get_by_role("button", name=re.compile(r"Pagar R\$")).tap()
    return kiosk


def type_digits(kiosk: Page, digits: str) -> None:
    for digit in digits:
        kiosk.get_by_role("button", name=digit, exact=True).tap()


def size_of(button: Locator) -> tuple[float, float]:
    box = button.bounding_box()
    assert box is not None
    return box["width"], box["height"]


def remembered(kiosk: Page) -> str:
    """Everything the page keeps or shows."""
    kept = kiosk.evaluate("() => JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])")
    fields = kiosk.evaluate("() => Array.from(document.querySelectorAll('input'), (field) => field.value).join(' ')")
    return f"{kept} {kiosk.content()} {fields}".replace(".", "").replace("-", "")


def test_guest_says_who_they_are(stack: Stack, screens: Open, pictures: Path) -> None:
    kiosk = to_the_question(screens)
    skip, go_on = (
        kiosk.get_by_role("button", name=name) for name in ("Continuar sem identificar", "Continuar com CPF")
    )
    expect(kiosk.get_by_text("É opcional.")).to_be_visible()
    expect(go_on).to_be_disabled()
    check(kiosk, pictures, "kiosk-identify-empty")
    assert size_of(skip) == size_of(go_on)
    for key in kiosk.get_by_role("group", name="Teclado de números").get_by_role("button").all():
        assert min(size_of(key)) >= SMALLEST_KEY

    type_digits(kiosk, CPF[:-1] + "4")
    expect(kiosk.get_by_role("textbox", name="Seu CPF")).to_have_value("529.982.247-24")
    expect(kiosk.get_by_text("Este CPF não confere.")).to_be_visible()
    expect(go_on).to_be_disabled()
    check(kiosk, pictures, "kiosk-identify-wrong")
    kiosk.get_by_role("button", name="Apagar o último número").tap()
    type_digits(kiosk, CPF[-1])
    expect(kiosk.get_by_text("Este CPF não confere.")).to_be_hidden()

    sent: list[Request] = []
    kiosk.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - playwright takes no builtin
    go_on.tap()
    expect(kiosk.get_by_role("img", name=re.compile("Código QR"))).to_be_visible()

    checkout = next(request for request in sent if request.url.endswith("/orders/checkout"))
    body = checkout.post_data_json
    assert len(body["customer"]) >= 22
    assert CPF not in str(body)
    assert all(CPF not in request.url for request in sent)
    assert CPF not in remembered(kiosk)
    for log in sorted((stack.run_dir / "log").glob("*.log")):
        assert CPF not in log.read_text(errors="replace"), log.name


def test_guest_who_leaves_is_forgotten(screens: Open) -> None:
    kiosk = to_the_question(screens)
    type_digits(kiosk, CPF[:9])
    kiosk.clock.install()
    kiosk.get_by_role("button", name="Limpar").tap()
    type_digits(kiosk, CPF[:9])

    kiosk.clock.run_for(80_000)

    expect(kiosk.get_by_role("button", name="Toque para começar")).to_be_visible()
    assert CPF[:9] not in remembered(kiosk)
    kiosk.get_by_role("button", name="Toque para começar").tap()
    kiosk.get_by_role("button", name="Levar").tap()
    expect(kiosk.get_by_role("button", name=re.compile("Ver pedido"))).to_be_disabled()


def test_number_typed_and_then_withheld_is_not_sent(screens: Open) -> None:
    kiosk = to_the_question(screens)
    type_digits(kiosk, CPF)
    sent: list[Request] = []
    kiosk.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - playwright takes no builtin

    kiosk.get_by_role("button", name="Continuar sem identificar").tap()

    expect(kiosk.get_by_role("img", name=re.compile("Código QR"))).to_be_visible()
    checkout = next(request for request in sent if request.url.endswith("/orders/checkout"))
    assert "customer" not in checkout.post_data_json
    assert not [request for request in sent if request.url.endswith("/users/lookup")]

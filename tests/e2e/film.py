"""Films one order for the README, on a shop of its own: ``make film``.

Three screens side by side, as they are at the same moment: the kiosk, the kitchen's board above the panel.
"""

import re
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM, FLAGS, PATIENCE_MILLISECONDS, PHONE
from tests.stack import Stack

# What a screen is, how large it is in the film, and where.
SCREENS = {
    "kiosk": ("/kiosk/", {"width": 720, "height": 1280}, (252, 448), (0, 0)),
    "board": ("/kitchen/", {"width": 1280, "height": 800}, (376, 235), (256, 0)),
    "panel": ("/panel/", {"width": 960, "height": 540}, (376, 211), (256, 237)),
}
SIZE = (632, 448)
BEHIND = "#241811"
FINGER = "#e11d48"
LOOK_MILLISECONDS = 900
TAP_MILLISECONDS = 350
COLOURS = 96


class Film:
    """The pictures taken so far."""

    def __init__(self, pages: dict[str, Page]) -> None:
        self.pages = pages
        self.frames: list[Image.Image] = []
        self.milliseconds: list[int] = []

    def look(self, milliseconds: int = LOOK_MILLISECONDS) -> None:
        """Show all three screens for a while."""
        frame = Image.new("RGB", SIZE, BEHIND)
        for name, (_, _, size, at) in SCREENS.items():
            picture = Image.open(BytesIO(self.pages[name].screenshot()))
            frame.paste(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS), at)
        self.frames.append(frame)
        self.milliseconds.append(milliseconds)

    def tap(self, name: str, target: Locator) -> None:
        """Show the finger where it taps, and tap."""
        expect(target).to_be_enabled()
        target.scroll_into_view_if_needed()
        self.look(TAP_MILLISECONDS)
        box = target.bounding_box()
        assert box is not None
        _, viewport, size, at = SCREENS[name]
        scale = size[0] / viewport["width"]
        x, y = at[0] + (box["x"] + box["width"] / 2) * scale, at[1] + (box["y"] + box["height"] / 2) * scale
        ImageDraw.Draw(self.frames[-1]).ellipse((x - 9, y - 9, x + 9, y + 9), fill=FINGER, outline="white", width=2)
        target.tap()

    def save(self, path: Path) -> None:
        """Write the film; all frames share one palette, so that what stands still costs nothing."""
        sheet = Image.new("RGB", (SIZE[0], SIZE[1] * len(self.frames)))
        for place, frame in enumerate(self.frames):
            sheet.paste(frame, (0, SIZE[1] * place))
        palette = sheet.quantize(COLOURS)
        first, *rest = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        first.save(path, save_all=True, append_images=rest, duration=self.milliseconds, loop=0, optimize=True)


def screen(browser: Browser, stack: Stack, name: str) -> Page:
    """Open one screen of the demo shop with its device's token."""
    path, viewport, _, _ = SCREENS[name]
    context = browser.new_context(viewport=viewport, has_touch=True, locale="pt-BR", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    token = stack.demo["stores"][0]["devices"][name]
    context.add_cookies([{"name": "bm_device", "value": token, "url": stack.base_url, "sameSite": "Strict"}])
    page = context.new_page()
    page.goto(f"{stack.base_url}{path}")
    return page


def pay(browser: Browser, stack: Stack) -> None:
    """Pay the open order as the buyer in the simulator."""
    with browser.new_context(viewport=PHONE) as context:
        page = context.new_page()
        page.goto(stack.simulator_url)
        page.get_by_role("link").first.click()
        page.get_by_role("button", name="Pagar").click()


def act(browser: Browser, stack: Stack) -> Film:
    """Order, pay, cook and call, as `test_one_order` does."""
    film = Film({name: screen(browser, stack, name) for name in SCREENS})
    kiosk, board, panel = film.pages.values()
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    film.look()
    film.tap("kiosk", kiosk.get_by_role("button", name="Toque para começar"))
    film.tap("kiosk", kiosk.get_by_role("button", name="Comer aqui"))
    expect(kiosk.get_by_text("O que vai ser hoje?")).to_be_visible()
    kiosk.wait_for_load_state("networkidle")
    film.look()
    film.tap("kiosk", kiosk.get_by_role("button", name=re.compile("Pão na chapa")))
    kiosk.get_by_text("Bem dourado").tap()
    film.tap("kiosk", kiosk.get_by_role("button", name=re.compile("Adicionar")))
    film.tap("kiosk", kiosk.get_by_role("button", name="Mais um Café coado"))
    film.tap("kiosk", kiosk.get_by_role("button", name=re.compile("Ver pedido")))
    to_pay = kiosk.get_by_role("button", name=re.compile(r"Pagar R\$"))
    expect(to_pay).to_be_enabled()
    film.look()
    film.tap("kiosk", to_pay)
    kiosk.get_by_role("button", name="Continuar sem identificar").tap()
    expect(kiosk.get_by_role("img", name=re.compile("Código QR"))).to_be_visible()
    film.look(1500)

    pay(browser, stack)
    expect(kiosk.get_by_text("Pedido confirmado!")).to_be_visible()
    kiosk.wait_for_function("() => document.querySelector('.done-qr')?.naturalWidth > 0")
    number = kiosk.get_by_text(re.compile(r"^T\d{3,}$")).inner_text()
    ticket = board.locator(f'[data-number="{number}"]')
    expect(ticket).to_be_visible()
    expect(panel.get_by_text(number)).to_be_visible()
    film.look(1500)
    film.tap("board", ticket.get_by_role("button", name=re.compile("Começar")))
    expect(ticket).to_have_attribute("data-status", "in_preparation")
    film.look()
    film.tap("board", ticket.get_by_role("button", name=re.compile("Pronto")))
    expect(panel.locator(f'[data-ready="{number}"]')).to_be_visible()
    expect(ticket).to_have_attribute("data-status", "ready")
    film.look(2000)
    return film


if __name__ == "__main__":
    with Stack() as running, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        act(chromium, running).save(Path(sys.argv[1]))
        chromium.close()

"""The back office in a real browser: every page can be read by everybody, and a photo goes from the desk to the kiosk."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Page, expect

from tests.e2e.conftest import BOARD, KIOSK, Open
from tests.stack import Stack

REFUSED = re.compile(r"/admin/\w+/\w+/")


def sign_in(stack: Stack, screens: Open) -> Page:
    page = screens(path="/admin/", size=BOARD)
    owner = stack.demo["staff"]["owner"]
    page.get_by_label("E-mail").fill(owner["email"])
    page.get_by_label("Senha", exact=False).first.fill(owner["password"])
    page.get_by_role("button", name="Acessar").click()
    expect(page.get_by_text("Vendas de hoje")).to_be_visible()
    return page


def grave(page: Page) -> list[tuple[str, str, str]]:
    found = Axe().run(page).response["violations"]
    return [
        (page.url, violation["id"], node["html"][:160])
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"][:3]
    ]


@pytest.mark.timeout(600)
def test_every_page_can_be_read_by_everybody(stack: Stack, screens: Open, pictures: Path) -> None:
    signing_in = screens(path="/admin/login/", size=BOARD)
    barriers = grave(signing_in)
    page = sign_in(stack, screens)
    page.screenshot(path=pictures / "admin-index.png")
    barriers += grave(page)
    links = page.locator("#nav-sidebar a, aside a, nav a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    lists = sorted({link for link in links if link and REFUSED.fullmatch(link)})
    assert len(lists) > 15

    for address in lists:
        page.goto(f"{stack.base_url}{address}")
        name = address.strip("/").replace("/", "-")
        page.screenshot(path=pictures / f"{name}.png")
        barriers += grave(page)
        writable = page.locator(f'a[href="{address}add/"]').count() > 0
        row = page.locator("#result_list a[href*='/change/']").first
        href = row.get_attribute("href") if page.locator("#result_list a[href*='/change/']").count() else None
        forms = [f"{address}add/"] if writable else []
        if href:
            forms += [href.partition("?")[0], href.partition("?")[0].replace("/change/", "/history/")]
        for form in forms:
            page.goto(f"{stack.base_url}{form}")
            barriers += grave(page)

    page.goto(f"{stack.base_url}/admin/password_change/")
    barriers += grave(page)
    assert barriers == []


def photo(path: Path) -> Path:
    """A picture of something round and brown on a plate, as large as a phone takes it."""
    image = Image.new("RGB", (3000, 2000), "#d8c3a5")
    draw = ImageDraw.Draw(image)
    draw.ellipse((600, 200, 2400, 1900), fill="#f7f3ee")
    for left, top in ((900, 700), (1400, 500), (1300, 1050)):
        draw.ellipse((left, top, left + 600, top + 520), fill="#b5722f", outline="#7a4818", width=20)
    image.filter(ImageFilter.GaussianBlur(6)).save(path, "JPEG", quality=90)
    return path


def test_photo_goes_from_the_desk_to_the_kiosk(stack: Stack, screens: Open, pictures: Path, tmp_path: Path) -> None:
    page = sign_in(stack, screens)
    page.goto(f"{stack.base_url}/admin/catalog/product/?q=Coxinha")
    page.locator("#result_list a[href*='/change/']").first.click()
    page.locator('input[name="new_photo"]').set_input_files(photo(tmp_path / "foto.jpg"))
    page.get_by_role("button", name="Salvar e continuar editando").click()
    preview = page.locator('img[src^="/media/"]')
    expect(preview).to_be_visible()
    page.screenshot(path=pictures / "admin-photo.png")
    address = preview.get_attribute("src") or ""

    kiosk = screens("kiosk", path="/kiosk/", size=KIOSK, touch=True)
    kiosk.get_by_role("button", name="Toque para começar").tap()
    kiosk.get_by_role("button", name="Comer aqui").tap()
    stem = address.rpartition("-")[0]
    shown = kiosk.locator(f'img[srcset*="{stem}"]').first
    shown.scroll_into_view_if_needed()
    kiosk.wait_for_function(
        "stem => [...document.images].some(i => i.currentSrc.includes(stem) && i.naturalWidth)", arg=stem
    )
    kiosk.screenshot(path=pictures / "kiosk-photo.png")

    page.locator('input[name="new_photo"]').set_input_files(
        files=[{"name": "foto.jpg", "mimeType": "image/jpeg", "buffer": b"<svg/>"}]
    )
    page.get_by_role("button", name="Salvar e continuar editando").click()
    expect(page.get_by_text("O arquivo não é uma foto JPEG, PNG ou WebP")).to_be_visible()

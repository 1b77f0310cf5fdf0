"""A real browser on a running stack."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.stack import Stack

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KIOSK = {"width": 1080, "height": 1920}
BOARD = {"width": 1280, "height": 800}
PANEL = {"width": 1920, "height": 1080}
PHONE = {"width": 390, "height": 844}
PATIENCE_MILLISECONDS = 15_000

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = os.environ.get("BREADMATE_NO_BROWSER", "" if Path(CHROMIUM).exists() else f"no {CHROMIUM}")
    for item in items:
        if reason and "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.skip(reason=f"NO BROWSER: {reason}"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go; SCREENSHOTS names a folder that keeps them."""
    kept = os.environ.get("SCREENSHOTS")
    if kept is None:
        return tmp_path_factory.mktemp("pictures")
    Path(kept).mkdir(parents=True, exist_ok=True)
    return Path(kept)


@pytest.fixture
def screens(browser: Browser, stack: Stack) -> Iterator[Open]:
    """Open pages, each in a browser of its own; a message on the console fails the test, unless it tells of a refusal (409)."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        told = f"{message.type}: {message.text} ({message.location.get('url', '')})"
        if message.type in ("error", "warning") and "favicon" not in told and "status of 409" not in told:
            complaints.append(told)

    with ExitStack() as contexts:

        def open_page(kind: str = "", *, path: str = "/", size: dict[str, int], touch: bool = False) -> Page:
            context: BrowserContext = browser.new_context(
                viewport=size, has_touch=touch, locale="pt-BR", timezone_id="America/Sao_Paulo", reduced_motion="reduce"
            )
            contexts.callback(context.close)
            context.set_default_timeout(PATIENCE_MILLISECONDS)
            expect.set_options(timeout=PATIENCE_MILLISECONDS)
            if kind:
                token = stack.demo["stores"][0]["devices"][kind]
                cookie = {
                    "name": "bm_device",
                    "value": token,
                    "url": stack.base_url,
                    "httpOnly": True,
                    "sameSite": "Strict",
                }
                context.add_cookies([cookie])
            page = context.new_page()
            page.on("console", listen)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{stack.base_url}{path}")
            return page

        yield open_page
    assert complaints == []

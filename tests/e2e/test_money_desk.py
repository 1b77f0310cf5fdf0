"""The money desk in a real browser: late money and a difference found at night are shown, one click each, and gone."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.blackbox.client import Caller, new_key
from tests.blackbox.flow import pay
from tests.e2e.conftest import PHONE, Open
from tests.e2e.test_back_office import sign_in
from tests.e2e.test_counter import order
from tests.e2e.test_one_order import check
from tests.stack import Stack

pytestmark = pytest.mark.timeout(300)  # a shop of its own is started

PAGE = "/admin/payments/closing/dinheiro/"
ZONE = ZoneInfo("America/Sao_Paulo")

Simulate = Callable[[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A shop of its own: other tests leave money out of its place on purpose."""
    with Stack() as running:
        yield running


@pytest.fixture
def kiosk(stack: Stack) -> Caller:
    return Caller(stack.base_url, stack.demo["stores"][0]["devices"]["kiosk"])


@pytest.fixture
def simulate(stack: Stack) -> Simulate:
    def post(path: str, body: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {stack.env['MP_ACCESS_TOKEN']}", "X-Idempotency-Key": str(uuid4())}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{stack.simulator_url}{path}", data=json.dumps(body), headers=headers, timeout=10)
        assert answer.ok, answer.text
        told: dict[str, Any] = answer.json()
        return told

    return post


@pytest.fixture
def day_over(stack: Stack) -> Iterator[Callable[[], str]]:
    """End the first store's business day now; its day starts at midnight again afterwards."""
    code = stack.demo["stores"][0]["code"]

    def starts_at(moment: str) -> None:
        done = "from apps.stores.models import Store; Store.objects.filter(code=%r).update(day_starts_at=%r)"
        stack.manage("shell", "-c", done % (code, moment))

    def end() -> str:
        now = datetime.now(UTC).astimezone(ZONE)
        starts_at(f"{now:%H:%M:%S.%f}")
        return (now - timedelta(days=1)).date().isoformat()

    yield end
    starts_at("00:00")


def late_payment(kiosk: Caller, simulate: Simulate) -> dict[str, Any]:
    """An order that is paid after it was cancelled, and whose refund the provider refuses once."""
    placed = order(kiosk, method="")
    asked = {"order": placed["id"], "method": "mercado_pago_qr"}
    payment = kiosk.post("/api/v1/payments", asked, key=new_key()).body
    assert kiosk.post(f"/api/v1/orders/{placed['id']}/cancel", {"reason": "desistiu"}).status == 200
    simulate("/_sim/faults", [{"match": "POST /v1/orders/.*/refund$", "times": 1, "status": 400}])
    simulate(f"/_sim/orders/{payment['provider_reference']}/pay", {"force_after_expiry": True})
    return placed


def reload_until(page: Page, text: str) -> None:
    for _ in range(40):
        page.reload()
        if page.get_by_text(text).count():
            return
        page.wait_for_timeout(500)
    expect(page.get_by_text(text).first).to_be_visible()


def test_late_money_and_an_orphan_go_back_by_one_click_each(
    stack: Stack, screens: Open, kiosk: Caller, simulate: Simulate, pictures: Path, day_over: Callable[[], str]
) -> None:
    page = sign_in(stack, screens)
    page.goto(f"{stack.base_url}{PAGE}")
    expect(page.get_by_text("Todo o dinheiro está no lugar.")).to_be_visible()
    check(page, pictures, "money-desk-empty")

    placed = late_payment(kiosk, simulate)
    reload_until(page, "Devolução recusada")
    body = {
        "type": "qr",
        "total_amount": "12.00",
        "description": "BreadMate pedido T999",
        "external_reference": f"bm-{uuid4().hex}",
        "expiration_time": "PT300S",
        "config": {"qr": {"external_pos_id": f"BM{stack.demo['stores'][0]['code']}", "mode": "dynamic"}},
        "transactions": {"payments": [{"amount": "12.00"}]},
    }
    orphan = simulate("/v1/orders", body)["id"]
    simulate(f"/_sim/orders/{orphan}/pay", {})
    day = day_over()
    closed = stack.manage("close_day", "--store", stack.demo["stores"][0]["code"], "--day", day, check=False)
    assert "dinheiro lá sem cobrança aqui" in closed.stdout, closed.stdout + closed.stderr
    page.goto(f"{stack.base_url}{PAGE}")
    expect(page.get_by_text("Dinheiro lá sem cobrança aqui")).to_be_visible()
    expect(page.get_by_role("link", name=f"pedido {placed['number']}")).to_be_visible()
    check(page, pictures, "money-desk")
    phone = page.context.new_page()
    phone.set_viewport_size(PHONE)
    phone.goto(f"{stack.base_url}{PAGE}")
    check(phone, pictures, "money-desk-phone")
    phone.close()
    page.goto(f"{stack.base_url}/admin/")
    reload_until(page, "2 casos")  # each process remembers the count for ten seconds
    check(page, pictures, "money-desk-badge")
    page.get_by_role("link", name="Dinheiro fora do lugar: 2 casos").click()

    page.get_by_role("button", name="Devolver ao cliente").click()
    expect(page.get_by_text("Dinheiro lá sem cobrança aqui")).to_have_count(0)
    with page.expect_navigation():
        page.get_by_role("button", name="Tentar de novo").click()
    reload_until(page, "Todo o dinheiro está no lugar.")
    check(page, pictures, "money-desk-done")

    page.goto(f"{stack.base_url}/admin/payments/closing/")
    with page.expect_navigation():
        page.locator("#result_list a[href*='/change/']").first.click()
    check(page, pictures, "closing")


def test_refund_of_a_cancelled_order_is_tried_again_on_its_page(
    stack: Stack, screens: Open, kiosk: Caller, simulate: Simulate, pictures: Path
) -> None:
    placed = order(kiosk, method="")
    pay(kiosk, Caller(stack.simulator_url), placed)
    signed_in = Caller(stack.base_url).post("/api/v1/auth/token", stack.demo["staff"]["cashier"])
    cashier = Caller(stack.base_url, signed_in.body["access"], "Bearer")
    page = sign_in(stack, screens)
    page.goto(f"{stack.base_url}/admin/orders/order/{placed['id']}/change/")
    reload_until(page, "Recebido")
    simulate("/_sim/faults", [{"match": "POST /v1/orders/.*/refund$", "times": 1, "status": 400}])
    assert cashier.post(f"/api/v1/orders/{placed['id']}/cancel", {"reason": "acabou o gás"}).status == 202
    reload_until(page, "O provedor recusou")

    page.get_by_role("button", name="Tentar de novo").scroll_into_view_if_needed()
    check(page, pictures, "cancel-step-failed")
    page.get_by_role("button", name="Tentar de novo").click()

    expect(page.get_by_text("de novo na fila")).to_be_visible()
    reload_until(page, "R$ 5,00")
    expect(page.get_by_role("button", name="Tentar de novo")).to_have_count(0)
    page.get_by_role("heading", name="Passos de cancelamento").scroll_into_view_if_needed()
    check(page, pictures, "cancel-step-done")

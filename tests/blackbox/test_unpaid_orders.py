"""Orders that are not paid, or paid another way."""

from tests.blackbox.client import Caller, new_key, product, wait_for
from tests.blackbox.flow import audit, place, status_of
from tests.stack import Stack


def provider_status(simulator: Caller, provider_order: str) -> str:
    return str(simulator.get(f"/_sim/orders/{provider_order}").body["status"])


def new_payment(kiosk: Caller, order: dict[str, str], method: str = "mercado_pago_qr") -> dict[str, str]:
    reply = kiosk.post("/api/v1/payments", {"order": order["id"], "method": method}, key=new_key())
    assert reply.status == 201, reply.raw
    return dict(reply.body)


def test_cancelled_order_closes_its_charge_at_the_provider(stack: Stack, kiosk: Caller, simulator: Caller) -> None:
    order = place(kiosk)
    payment = new_payment(kiosk, order)
    cancelled = kiosk.post(f"/api/v1/orders/{order['id']}/cancel", {"reason": "desistiu"})
    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    wait_for(lambda: provider_status(simulator, payment["provider_reference"]) == "canceled", "the provider's cancel")
    wait_for(lambda: kiosk.get(f"/api/v1/payments/{payment['id']}").body["status"] == "cancelled", "the closed charge")
    assert kiosk.call("DELETE", f"/api/v1/orders/{order['id']}").status == 200
    assert audit(stack)["ok"]


def test_new_code_replaces_the_old_one(stack: Stack, kiosk: Caller, simulator: Caller) -> None:
    order = place(kiosk)
    first, second = new_payment(kiosk, order), new_payment(kiosk, order)
    wait_for(lambda: provider_status(simulator, first["provider_reference"]) == "canceled", "the old code to close")
    assert simulator.post(f"/_sim/orders/{second['provider_reference']}/pay").status == 200
    wait_for(lambda: status_of(kiosk, order) == "received", "the new code to pay")
    assert audit(stack)["ok"]


def test_order_has_three_codes_at_most_and_then_the_counter(kiosk: Caller) -> None:
    order = place(kiosk)
    for _ in range(3):
        new_payment(kiosk, order)
    refused = kiosk.post("/api/v1/payments", {"order": order["id"], "method": "mercado_pago_qr"}, key=new_key())
    assert (refused.status, refused.body["code"]) == (409, "charge_locked")
    assert new_payment(kiosk, order, "counter")["status"] == "pending"


def test_sold_out_is_said_with_what_is_left_and_nothing_is_kept(stack: Stack, kiosk: Caller) -> None:
    menu = kiosk.get("/api/v1/menu").body
    pudding = product(menu, "pudim")["id"]
    body = {"dining_option": "eat_in", "items": [{"product": pudding, "quantity": 99}]}
    refused = kiosk.post("/api/v1/orders/checkout", body, key=new_key())
    assert (refused.status, refused.body["code"]) == (409, "out_of_stock")
    assert [(e["product"], e["available"]) for e in refused.body["errors"]] == [(pudding, 16)]
    assert audit(stack)["ok"]


def test_counter_takes_cash_and_gives_change(stack: Stack, kiosk: Caller, cashier: Caller) -> None:
    order = place(kiosk)
    payment = new_payment(kiosk, order, "counter")
    path = f"/api/v1/payments/{payment['id']}/confirm"

    assert kiosk.post(path, {"tender": "cash"}).status == 403
    short = cashier.post(path, {"tender": "cash", "received": "17.99"})
    assert (short.status, short.body["errors"][0]["field"]) == (400, "received")
    assert status_of(kiosk, order) == "awaiting_payment"

    for _ in range(2):
        taken = cashier.post(path, {"tender": "cash", "received": "50.00"})
        assert (taken.status, taken.body["status"], taken.body["change"]) == (200, "approved", "32.00")
    steps = kiosk.get(f"/api/v1/orders/{order['id']}/history").body["results"]
    assert [(s["to"], s["by"]) for s in steps] == [("awaiting_payment", "Totem 1"), ("received", "Bia Souza")]
    assert audit(stack)["ok"]

"""Steps that several black-box tests take."""

import json
from typing import Any

from tests.blackbox.client import Caller, new_key, product
from tests.stack import Stack


def audit(stack: Stack) -> dict[str, Any]:
    done = stack.manage("audit_invariants", "--json", check=False)
    verdict = dict(json.loads(done.stdout))
    assert verdict["ok"] == (done.returncode == 0)
    return verdict


def basket(menu: Any) -> dict[str, Any]:
    toast = product(menu, "pao-na-chapa")
    golden = toast["modifier_groups"][0]["options"][1]["id"]
    return {
        "dining_option": "take_out",
        "guest_name": "Lia",
        "items": [
            {"product": toast["id"], "quantity": 2, "options": [{"option": golden, "quantity": 1}], "note": "sem sal"},
            {"product": product(menu, "cafe-coado")["id"], "quantity": 1},
        ],
    }


def place(kiosk: Caller) -> dict[str, Any]:
    placed = kiosk.post("/api/v1/orders/checkout", basket(kiosk.get("/api/v1/menu").body), key=new_key())
    assert placed.status == 201, placed.raw
    return dict(placed.body)


def pay(kiosk: Caller, simulator: Caller, order: dict[str, Any]) -> dict[str, Any]:
    payment = kiosk.post("/api/v1/payments", {"order": order["id"], "method": "mercado_pago_qr"}, key=new_key())
    assert payment.status == 201, payment.raw
    assert payment.body["qr_svg"].startswith("<svg")
    assert simulator.post(f"/_sim/orders/{payment.body['provider_reference']}/pay").status == 200
    return dict(payment.body)


def status_of(kiosk: Caller, order: dict[str, Any]) -> str:
    return str(kiosk.get(f"/api/v1/orders/{order['id']}/status").body["status"])

"""One order from the menu to the counter, seen only from outside."""

from tests.blackbox.client import Caller, new_key, wait_for
from tests.blackbox.flow import audit, basket, pay, place, status_of
from tests.stack import Stack


def test_order_is_paid_cooked_and_handed_over(
    stack: Stack, kiosk: Caller, board: Caller, panel: Caller, simulator: Caller
) -> None:
    quote = kiosk.post("/api/v1/orders/quote", {"items": basket(kiosk.get("/api/v1/menu").body)["items"]}).body
    order = place(kiosk)
    assert order["total"] == quote["total"] == "18.00"
    assert order["status"] == "awaiting_payment"
    assert [o["id"] for o in board.get("/api/v1/orders").body["results"] if o["id"] == order["id"]] == []

    payment = pay(kiosk, simulator, order)
    wait_for(lambda: status_of(kiosk, order) == "received", "the paid order to be received")
    assert kiosk.get(f"/api/v1/payments/{payment['id']}").body["status"] == "approved"

    ticket = next(o for o in board.get("/api/v1/orders").body["results"] if o["id"] == order["id"])
    assert "total" not in ticket
    assert [(i["quantity"], i["name"], i["note"]) for i in ticket["items"]] == [
        (2, "Pão na chapa", "sem sal"),
        (1, "Café coado", ""),
    ]
    for step in ("in_preparation", "ready", "finished"):
        moved = board.patch(f"/api/v1/orders/{order['id']}/status", {"status": step})
        assert (moved.status, moved.body["status"]) == (200, step)
        shown = {"number": order["number"], "status": step}
        assert (shown in panel.get("/api/v1/orders").body["results"]) == (step != "finished")

    steps = [(s["from"], s["to"]) for s in kiosk.get(f"/api/v1/orders/{order['id']}/history").body["results"]]
    assert steps == [
        (None, "awaiting_payment"),
        ("awaiting_payment", "received"),
        ("received", "in_preparation"),
        ("in_preparation", "ready"),
        ("ready", "finished"),
    ]
    assert audit(stack)["ok"]


def test_engine_killed_between_payment_and_kitchen_loses_nothing(
    stack: Stack, kiosk: Caller, simulator: Caller
) -> None:
    order = place(kiosk)
    old = stack.kill("engine")
    pay(kiosk, simulator, order)
    assert status_of(kiosk, order) == "awaiting_payment"
    stack.wait_for_new("engine", old)
    wait_for(lambda: status_of(kiosk, order) == "received", "the restarted engine to find the payment")
    assert audit(stack)["ok"]


def test_worker_and_valkey_killed_lose_nothing(stack: Stack, kiosk: Caller, simulator: Caller) -> None:
    order = place(kiosk)
    stack.kill("valkey")
    stack.kill("worker")
    pay(kiosk, simulator, order)
    wait_for(lambda: status_of(kiosk, order) == "received", "the payment without Valkey and worker", seconds=60)
    assert audit(stack)["ok"]


def test_forged_webhook_pays_nothing(kiosk: Caller, simulator: Caller, stack: Stack) -> None:
    order = place(kiosk)
    payment = kiosk.post("/api/v1/payments", {"order": order["id"], "method": "mercado_pago_qr"}, key=new_key()).body
    journal = len(simulator.get("/_sim/journal").body["entries"])
    forged = {
        "action": "order.processed",
        "type": "order",
        "data": {"id": payment["provider_reference"], "status": "processed"},
    }
    assert Caller(stack.base_url).post("/api/v1/payments/webhook", forged).status == 200
    wait_for(lambda: len(simulator.get("/_sim/journal").body["entries"]) > journal, "the re-query")
    assert status_of(kiosk, order) == "awaiting_payment"


def test_streams_tell_of_each_step(
    stack: Stack, kiosk: Caller, board: Caller, panel: Caller, simulator: Caller
) -> None:
    order = place(kiosk)
    live = Caller(stack.stream_url, board.token)
    with (
        live.events("/kitchen/stream") as tickets,
        Caller(stack.stream_url, panel.token).events("/panel/stream") as numbers,
        Caller(stack.stream_url, kiosk.token).events(f"/api/v1/orders/{order['id']}/stream") as states,
        Caller(stack.stream_url).events(f"{order['tracking_url'].removeprefix(stack.base_url)}stream") as phone,
    ):
        assert next(states)[1]["status"] == "awaiting_payment"
        assert order["number"] not in next(tickets)[1]["html"]
        pay(kiosk, simulator, order)
        assert next(data for name, data in states if name == "order" and data["status"] == "received")
        assert next(data for name, data in tickets if name == "board" and order["number"] in data["html"])
        board.patch(f"/api/v1/orders/{order['id']}/status", {"status": "in_preparation"})
        board.patch(f"/api/v1/orders/{order['id']}/status", {"status": "ready"})
        number = order["number"]
        assert next(
            data for name, data in numbers if name == "panel" and number in [c["number"] for c in data["calls"]]
        )
        assert next(data for name, data in phone if name == "order" and data["status"] == "ready")


def test_streams_are_closed_to_strangers(stack: Stack, kiosk: Caller) -> None:
    stranger = Caller(stack.stream_url)
    assert stranger.get("/kitchen/stream").status == 401
    assert Caller(stack.stream_url, kiosk.token).get("/kitchen/stream").status == 401
    assert stranger.get("/t/no-such-token/stream").status == 404

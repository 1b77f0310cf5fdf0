"""Valkey only makes things faster: without it, or emptied under way, an order goes the same way."""

import redis

from tests.blackbox.client import Caller, new_key, wait_for
from tests.blackbox.flow import audit, pay, place, status_of
from tests.stack import Stack

NOBODY_THERE = "redis://127.0.0.1:1/0"


def kiosk_of(stack: Stack) -> Caller:
    return Caller(stack.base_url, stack.demo["stores"][0]["devices"]["kiosk"])


def board_of(stack: Stack) -> Caller:
    return Caller(stack.base_url, stack.demo["stores"][0]["devices"]["board"])


def cook(board: Caller, order: dict[str, str]) -> None:
    for step in ("in_preparation", "ready", "finished"):
        assert board.patch(f"/api/v1/orders/{order['id']}/status", {"status": step}).status == 200


def steps_of(kiosk: Caller, order: dict[str, str]) -> list[str]:
    return [step["to"] for step in kiosk.get(f"/api/v1/orders/{order['id']}/history").body["results"]]


def deliveries_of(stack: Stack) -> int:
    """How often the kitchen called a number, which an event's handler does once an order."""
    done = stack.manage("shell", "-v0", "-c", "from apps.kitchen.models import Call; print(Call.objects.count())")
    return int(done.stdout)


def test_whole_flow_works_with_valkey_away_from_the_start() -> None:
    with Stack(settings={"REDIS_URL": NOBODY_THERE}) as stack:
        kiosk, board, simulator = kiosk_of(stack), board_of(stack), Caller(stack.simulator_url)
        live = Caller(stack.stream_url, board.token)
        order = place(kiosk)
        with live.events("/kitchen/stream") as tickets:
            assert order["number"] not in next(tickets)[1]["html"]
            payment = pay(kiosk, simulator, order)
            assert next(data for name, data in tickets if name == "board" and order["number"] in data["html"])
        assert status_of(kiosk, order) == "received"
        assert kiosk.get(f"/api/v1/payments/{payment['id']}").body["status"] == "approved"
        cook(board, order)
        wait_for(lambda: deliveries_of(stack) == 1, "the number to be called")

        left = kiosk.get("/api/v1/menu").body
        paused = next(p for shelf in left["categories"] for p in shelf["products"] if p["slug"] == "pudim")
        assert board.post(f"/api/v1/products/{paused['id']}/pause", {"hours": 1}).status == 200
        wait_for(lambda: not available(kiosk, "pudim"), "the pause to be on the menu", seconds=2)

        unpaid = place(kiosk)
        assert kiosk.post(f"/api/v1/orders/{unpaid['id']}/cancel", {"reason": "desistiu"}).status == 200
        assert audit(stack)["ok"], audit(stack)
        assert "Traceback" not in stack.log_path.read_text(errors="replace")


def test_valkey_emptied_at_each_step_loses_and_doubles_nothing(
    stack: Stack, kiosk: Caller, board: Caller, simulator: Caller
) -> None:
    valkey = redis.Redis.from_url(stack.env["REDIS_URL"])
    called = deliveries_of(stack)
    orders = []
    for _ in range(3):
        valkey.flushall()
        order = place(kiosk)
        valkey.flushall()
        payment = pay(kiosk, simulator, order)
        valkey.flushall()
        wait_for(lambda: status_of(kiosk, order) == "received", "the payment")  # noqa: B023 - called before the loop goes on
        valkey.flushall()
        cook(board, order)
        valkey.flushall()
        assert kiosk.get(f"/api/v1/payments/{payment['id']}").body["status"] == "approved"
        orders.append(order)
    wait_for(lambda: deliveries_of(stack) == called + 3, "each number to be called once")

    for order in orders:
        assert steps_of(kiosk, order) == ["awaiting_payment", "received", "in_preparation", "ready", "finished"]
    assert deliveries_of(stack) == called + 3
    assert audit(stack)["ok"]


def test_same_key_after_valkey_was_emptied_is_still_one_order(stack: Stack, kiosk: Caller) -> None:
    menu = kiosk.get("/api/v1/menu").body
    coffee = next(p for shelf in menu["categories"] for p in shelf["products"] if p["slug"] == "cafe-coado")
    body, key = {"dining_option": "eat_in", "items": [{"product": coffee["id"], "quantity": 1}]}, new_key()
    first = kiosk.post("/api/v1/orders/checkout", body, key=key)
    redis.Redis.from_url(stack.env["REDIS_URL"]).flushall()
    second = kiosk.post("/api/v1/orders/checkout", body, key=key)

    assert (first.status, second.status) == (201, 201)
    assert second.raw == first.raw
    assert second.headers["Idempotent-Replayed"] == "true"


def available(kiosk: Caller, slug: str) -> bool:
    menu = kiosk.get("/api/v1/menu").body
    return bool(next(p["available"] for shelf in menu["categories"] for p in shelf["products"] if p["slug"] == slug))

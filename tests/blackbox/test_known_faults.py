"""Faults that other self-ordering systems are known for do not exist here; one test each, from outside."""

import threading
from typing import Any

from tests.blackbox.client import Caller, Reply, new_key, product, wait_for
from tests.blackbox.flow import audit, pay, place, status_of
from tests.stack import Stack

KNOWN_CPF, UNKNOWN_CPF = "52998224725", "11144477735"


def checkout(kiosk: Caller, items: list[dict[str, Any]], **fields: Any) -> Reply:
    return kiosk.post("/api/v1/orders/checkout", {"dining_option": "eat_in", "items": items, **fields}, key=new_key())


def stock_of(manager: Caller, name: str) -> dict[str, Any]:
    rows = manager.get("/api/v1/inventory/items?page_size=200").body["results"]
    return dict(next(row for row in rows if row["name"] == name))


def test_each_quantity_stays_with_its_product_and_option(kiosk: Caller) -> None:
    menu = kiosk.get("/api/v1/menu").body
    toast, burger, drink = (product(menu, slug) for slug in ("pao-na-chapa", "x-salada", "refrigerante-guarana"))
    golden = toast["modifier_groups"][0]["options"][1]["id"]
    extras = next(g for g in burger["modifier_groups"] if g["options"][0]["max_quantity"] >= 2)["options"]
    asked = [
        {"product": drink["id"], "quantity": 3},
        {"product": burger["id"], "quantity": 2, "options": [{"option": extras[0]["id"], "quantity": 2}]},
        {"product": toast["id"], "quantity": 1, "options": [{"option": golden, "quantity": 1}]},
        {"product": burger["id"], "quantity": 1, "options": [{"option": extras[1]["id"], "quantity": 1}]},
    ]
    sold = checkout(kiosk, asked).body["items"]
    told = [(i["product"], i["quantity"], [(o["option"], o["quantity"]) for o in i["options"]]) for i in sold]
    assert told == [
        (i["product"], i["quantity"], [(o["option"], o["quantity"]) for o in i.get("options", [])]) for i in asked
    ]


def test_no_total_is_below_zero(kiosk: Caller) -> None:
    menu = kiosk.get("/api/v1/menu").body
    pudding, toast = product(menu, "pudim"), product(menu, "pao-na-chapa")
    golden = toast["modifier_groups"][0]["options"][1]["id"]
    for items in (
        [{"product": pudding["id"], "quantity": -1}],
        [{"product": pudding["id"], "quantity": 0}],
        [{"product": toast["id"], "quantity": 1, "options": [{"option": golden, "quantity": -5}]}],
        [{"product": pudding["id"], "quantity": 1}, {"product": toast["id"], "quantity": -3}],
    ):
        refused = checkout(kiosk, items)
        assert (refused.status, refused.body["code"]) == (400, "invalid")
    for forged in ({"total": "-5.00"}, {"discount": "99.00"}, {"expected_total": "-1.00"}):
        assert checkout(kiosk, [{"product": pudding["id"], "quantity": 1}], **forged).status in (400, 409)


def test_ten_thousand_units_of_a_stock_of_ten_are_not_sold(stack: Stack, kiosk: Caller, manager: Caller) -> None:
    menu = kiosk.get("/api/v1/menu").body
    cake = product(menu, "torta-de-limao")
    item = stock_of(manager, cake["name"])
    counted = manager.patch("/api/v1/inventory/items", {"item": item["id"], "on_hand": 10})
    assert counted.status == 200, counted.raw

    too_many = checkout(kiosk, [{"product": cake["id"], "quantity": 10_000}])
    assert (too_many.status, too_many.body["code"]) == (400, "invalid")
    one_line = checkout(kiosk, [{"product": cake["id"], "quantity": 11}])
    three_lines = checkout(kiosk, [{"product": cake["id"], "quantity": 4}] * 3)
    for refused in (one_line, three_lines):
        assert (refused.status, refused.body["code"]) == (409, "out_of_stock")
        assert [(e["product"], e["available"]) for e in refused.body["errors"]] == [(cake["id"], 10)]
    assert checkout(kiosk, [{"product": cake["id"], "quantity": 10}]).status == 201
    assert checkout(kiosk, [{"product": cake["id"], "quantity": 1}]).status == 409
    assert audit(stack)["ok"]


def test_one_centavo_does_not_pay_an_order(stack: Stack, kiosk: Caller, board: Caller, simulator: Caller) -> None:
    order = place(kiosk)
    payment = kiosk.post("/api/v1/payments", {"order": order["id"], "method": "mercado_pago_qr"}, key=new_key()).body
    paid = simulator.post(f"/_sim/orders/{payment['provider_reference']}/pay", {"amount": "0.01"})
    assert paid.status == 200, paid.raw
    wait_for(lambda: kiosk.get(f"/api/v1/payments/{payment['id']}").body["status"] == "mismatch", "the short payment")
    assert status_of(kiosk, order) == "awaiting_payment"
    assert order["id"] not in [shown["id"] for shown in board.get("/api/v1/orders").body["results"]]
    assert audit(stack)["ok"]


def test_webhook_that_says_paid_is_not_believed(stack: Stack, kiosk: Caller, simulator: Caller) -> None:
    order = place(kiosk)
    payment = kiosk.post("/api/v1/payments", {"order": order["id"], "method": "mercado_pago_qr"}, key=new_key()).body
    reference = payment["provider_reference"]
    data = {"id": reference, "status": "processed", "total_paid_amount": order["total"]}
    asked = f"/v1/orders/{reference}"
    before = calls(simulator, asked)
    told = Caller(stack.base_url).post("/api/v1/payments/webhook", {"action": "order.processed", "data": data})
    assert told.status == 200
    wait_for(lambda: calls(simulator, asked) > before, "the question to the provider itself")
    assert status_of(kiosk, order) == "awaiting_payment"
    assert kiosk.get(f"/api/v1/payments/{payment['id']}").body["status"] == "pending"


def calls(simulator: Caller, path: str) -> int:
    return sum(entry.get("path") == path for entry in simulator.get("/_sim/journal").body["entries"])


def test_nobody_gets_a_list_of_customers_or_learns_who_is_one(stack: Stack, kiosk: Caller, board: Caller) -> None:
    stranger = Caller(stack.base_url)
    person = {"cpf": KNOWN_CPF, "name": "Ana Prado", "consents": []}
    assert stranger.post("/api/v1/users", person).status in (200, 201, 202)
    for asker in (stranger, kiosk, board):
        assert asker.get("/api/v1/users").status in (401, 403, 405)
        assert asker.get(f"/api/v1/users/cpf/{KNOWN_CPF}").status in (401, 403)
    known, unknown = (kiosk.post("/api/v1/users/lookup", {"cpf": cpf}) for cpf in (KNOWN_CPF, UNKNOWN_CPF))
    assert (known.status, unknown.status) == (200, 200)
    assert known.body.keys() == unknown.body.keys() == {"customer", "cpf"}
    assert (known.body["cpf"], unknown.body["cpf"]) == ("***.982.247-**", "***.444.777-**")
    assert b"Ana" not in known.raw


def test_paid_order_is_one_ticket_however_often_it_is_announced(
    stack: Stack, kiosk: Caller, board: Caller, simulator: Caller
) -> None:
    order = place(kiosk)
    payment = pay(kiosk, simulator, order)
    reference = payment["provider_reference"]
    notice = {"action": "order.processed", "type": "order", "data": {"id": reference, "version": 2}}
    senders = [
        threading.Thread(target=Caller(stack.base_url).post, args=("/api/v1/payments/webhook", notice | {"id": number}))
        for number in range(10)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    wait_for(lambda: status_of(kiosk, order) == "received", "the payment")
    kiosk.post(f"/api/v1/payments/{payment['id']}/check")

    shown = [ticket for ticket in board.get("/api/v1/orders").body["results"] if ticket["id"] == order["id"]]
    assert len(shown) == 1
    assert [(item["quantity"], item["state"]) for item in shown[0]["items"]] == [(2, "queued"), (1, "queued")]
    steps = kiosk.get(f"/api/v1/orders/{order['id']}/history").body["results"]
    assert [step["to"] for step in steps] == ["awaiting_payment", "received"]
    assert audit(stack)["ok"]

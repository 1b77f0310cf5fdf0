"""Every operation of the schema is driven once with success against a running stack; a new one fails until it is too.

Each of those answers is held against the schema: no field is missing, none is there that the schema does not name.
"""

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.blackbox.client import Caller, Reply, new_key, product, wait_for
from tests.blackbox.flow import audit, basket, status_of
from tests.contract import Contract
from tests.stack import Stack

API = "/api/v1"
PARAMETER = re.compile(r"\{([^}]+)\}")
UUID_FORM = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
WORKS = (200, 201, 202, 204)


@dataclass
class Schema:
    """What the schema names, and what of it was driven."""

    operations: dict[tuple[str, str], re.Pattern[str]]
    contract: Contract
    driven: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def read(cls, stranger: Caller) -> "Schema":
        reply = stranger.call("GET", f"{API}/schema/?format=json")
        assert reply.status == 200, reply.raw
        document = json.loads(reply.raw)
        return cls(
            {
                (method.upper(), path): form_of(path)
                for path, item in document["paths"].items()
                for method in item
                if method != "parameters"
            },
            Contract(document),
        )

    def note(self, method: str, path: str, reply: Reply) -> None:
        fitting = [key for key, pattern in self.operations.items() if key[0] == method and pattern.fullmatch(path)]
        # "/products/bebida" is told from "/products/{uuid}" by its form, "/users/me" from "/users/{…}" by having no parameter.
        if fitting:
            operation = min(fitting, key=lambda key: (key[1].count("{"), "_id}" not in key[1]))
            self.contract.check(*operation, reply.status, reply.headers.get("Content-Type", ""), reply.raw)
            self.driven.add(operation)


def form_of(path: str) -> re.Pattern[str]:
    """What requests to a path of the schema look like; a parameter that ends in ``_id`` is a UUID."""
    return re.compile(PARAMETER.sub(lambda name: UUID_FORM if name[1].endswith("_id") else "[^/]+", path))


@dataclass(frozen=True)
class Guide(Caller):
    """A caller who notes what worked, and insists that it works."""

    schema: Schema = field(default_factory=lambda: Schema({}, Contract({})))

    def call(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Reply:
        reply = super().call(method, f"{API}{path}", body, headers=headers)
        assert reply.status in WORKS, f"{method} {path}: {reply.status} {reply.raw[:400]!r}"
        self.schema.note(method, f"{API}{path}".partition("?")[0], reply)
        return reply

    def put(self, path: str, body: Any) -> Reply:
        return self.call("PUT", path, body)

    def delete(self, path: str, body: Any = None) -> Reply:
        return self.call("DELETE", path, body)

    def watch(self, path: str, url: str) -> bytes:
        """Open a live stream at the address where it is served and return its first event."""
        reply = first_event(url, f"{self.scheme} {self.token}")
        self.schema.note("GET", f"{API}{path}", reply)
        return reply.raw

    def by(self, caller: Caller) -> "Guide":
        """The same note-book in another caller's hands."""
        return Guide(caller.base_url, caller.token, caller.scheme, self.schema)


@pytest.fixture
def stranger(stack: Stack) -> Guide:
    bare = Caller(stack.base_url)
    return Guide(stack.base_url, schema=Schema.read(bare))


@pytest.fixture
def owner(stack: Stack) -> Caller:
    signed_in = Caller(stack.base_url).post(f"{API}/auth/token", stack.demo["staff"]["owner"])
    return Caller(stack.base_url, signed_in.body["access"], "Bearer")


def keep_the_menu(owner: Guide, manager: Guide, board: Guide, stranger: Guide, store: str) -> None:
    """A category, a product, its price here, its pause, and all of them gone again."""
    stranger.get("/products?q=pudim")
    stranger.get("/products/sobremesa")
    stranger.get("/categories")
    shelf = owner.post("/categories", {"name": "Sazonais"}).body
    stranger.get(f"/categories/{shelf['id']}")
    owner.patch(f"/categories/{shelf['id']}", {"position": 90})
    owner.put(f"/categories/{shelf['id']}", {"name": "Da estação"})
    chain = {"category": shelf["id"], "name": "Pamonha", "price": "9.00"}
    pamonha = owner.post("/products", chain).body
    owner.put(f"/products/{pamonha['id']}", chain | {"description": "De milho verde."})
    owner.patch(f"/products/{pamonha['id']}", {"price": "9.50"})
    manager.patch(f"/products/{pamonha['id']}?store={store}", {"price": "8.50"})
    assert stranger.get(f"/products/{pamonha['id']}?store={store}").body["price"] == "8.50"
    board.post(f"/products/{pamonha['id']}/pause", {"hours": 1})
    board.delete(f"/products/{pamonha['id']}/pause")
    options = product(stranger.get(f"/menu?store={store}").body, "pao-na-chapa")["modifier_groups"][0]["options"]
    board.post(f"/options/{options[1]['id']}/pause", {"hours": 2})
    board.delete(f"/options/{options[1]['id']}/pause")
    owner.delete(f"/products/{pamonha['id']}")
    owner.delete(f"/categories/{shelf['id']}")


def keep_the_stock(manager: Guide) -> None:
    item = manager.get("/inventory/items").body["results"][0]["id"]
    manager.post("/inventory/movements", {"item": item, "quantity": 3, "reason": "purchase", "note": "nota 12"})
    manager.patch("/inventory/items", {"item": item, "on_hand": 40})
    manager.get(f"/inventory/items/{item}/movements")


def sell_by_qr(kiosk: Guide, board: Guide, simulator: Caller) -> None:
    """The brief's flow: menu, quote, checkout, QR, paid, cooked, handed over."""
    menu = kiosk.get("/menu").body
    kiosk.post("/orders/quote", {"items": basket(menu)["items"]})
    order = kiosk.post("/orders/checkout", basket(menu), key=new_key()).body
    payment = kiosk.post("/payments", {"order": order["id"], "method": "mercado_pago_qr"}, key=new_key()).body
    assert simulator.post(f"/_sim/orders/{payment['provider_reference']}/pay").status == 200
    wait_for(lambda: status_of(Caller(kiosk.base_url, kiosk.token), order) == "received", "the payment", seconds=2)
    assert order["id"] in [shown["id"] for shown in board.get("/orders").body["results"]]
    kiosk.get(f"/payments/{payment['id']}")
    kiosk.post(f"/payments/{payment['id']}/check")
    kiosk.get(f"/orders/{order['id']}")
    kiosk.get(f"/orders/{order['id']}/status")
    for made in ("bump", "recall"):
        board.post(f"/orders/{order['id']}/items/{order['items'][0]['id']}/{made}")
    for step in ("in_preparation", "ready"):
        board.patch(f"/orders/{order['id']}/status", {"status": step})
    board.post(f"/orders/{order['id']}/recall")
    board.patch(f"/orders/{order['id']}/status", {"status": "ready"})
    board.patch(f"/orders/{order['id']}/status", {"status": "finished"})
    board.post(f"/orders/{order['id']}/undo")
    board.patch(f"/orders/{order['id']}/status", {"status": "finished"})
    kiosk.get(f"/orders/{order['id']}/history")


def sell_at_the_counter(kiosk: Guide, cashier: Guide) -> None:
    order = kiosk.post("/orders/checkout", basket(kiosk.get("/menu").body), key=new_key()).body
    payment = kiosk.post("/payments", {"order": order["id"], "method": "counter"}, key=new_key()).body
    cashier.post(f"/payments/{payment['id']}/confirm", {"tender": "cash", "received": "20.00"})
    menu = kiosk.get("/menu").body
    beer = {"dining_option": "eat_in", "items": [{"product": product(menu, "chope")["id"], "quantity": 1}]}
    waiting = kiosk.post("/orders/checkout", beer, key=new_key()).body
    assert waiting["release"] == "waiting"
    cashier.post(f"/orders/{waiting['id']}/release", {"release": True})
    kiosk.post("/payments", {"order": waiting["id"], "method": "counter"}, key=new_key())
    left = kiosk.post("/orders/checkout", basket(menu), key=new_key()).body
    kiosk.post(f"/orders/{left['id']}/cancel", {"reason": "desistiu"})
    kiosk.delete(f"/orders/{left['id']}")


def give_money_back(kiosk: Guide, cashier: Guide, board: Guide) -> None:
    """An item out of a paid order, some of its money back, and then all of it; the kitchen sees both."""
    goods = basket(kiosk.get("/menu").body)
    two = goods | {"items": [*goods["items"], *goods["items"]]}
    order = kiosk.post("/orders/checkout", two, key=new_key()).body
    payment = kiosk.post("/payments", {"order": order["id"], "method": "counter"}, key=new_key()).body
    cashier.post(f"/payments/{payment['id']}/confirm", {"tender": "card_machine"})
    cashier.post(f"/orders/{order['id']}/items/{order['items'][0]['id']}/void", {"reason": "acabou o queijo"})
    board.post(f"/orders/{order['id']}/items/{order['items'][0]['id']}/acknowledge")
    cashier.post(f"/payments/{payment['id']}/refunds", {"amount": "1.00", "reason": "demorou"}, key=new_key())
    cashier.delete(f"/orders/{order['id']}", {"reason": "desistiu"})
    board.post(f"/orders/{order['id']}/acknowledge")
    told = cashier.get(f"/payments/{payment['id']}").body
    assert (told["status"], told["refunded_amount"], len(told["refunds"])) == ("refunded", order["total"], 3)


def know_a_guest(stranger: Guide, kiosk: Guide, cashier: Guide) -> None:
    stranger.post("/users", {"cpf": "39053344705", "name": "Rosa Nogueira", "consents": []})
    kiosk.post("/users/lookup", {"cpf": "39053344705"})
    cashier.get("/users/cpf/39053344705")


def live_as_a_customer(stranger: Guide, stack: Stack) -> None:
    """An account claimed with the code of the demo's log, an order at a named store, all of it exported and erased."""
    account = {"email": "rosa@example.org", "password": "rosca de coco fresca"}
    claim = stranger.post("/users", {"name": "Rosa", "consents": ["loyalty"], **account}).body["claim"]
    wait_for(lambda: codes_in(stack), "the code", seconds=10)
    stranger.post("/users/claim", {"claim": claim, "code": codes_in(stack)[-1]})
    access = stranger.post("/auth/token", account).body["access"]
    rosa = stranger.by(Caller(stack.base_url, access, "Bearer"))
    rosa.get("/users/me")
    assert rosa.patch("/users/me", {"consents": []}).body["consents"] == []
    store = stack.demo["stores"][0]["id"]
    cart = {**basket(stranger.get(f"/menu?store={store}").body), "store": store}
    order = rosa.post("/orders/checkout", cart, key=new_key()).body
    assert [each["id"] for each in rosa.get("/orders").body["results"]] == [order["id"]]
    assert rosa.watch(f"/orders/{order['id']}/stream", order["stream_url"]) == b"event: order"
    assert first_event(order["stream_url"], "Bearer nobody").status == 404
    rosa.post(f"/orders/{order['id']}/cancel", {"reason": "desisti"})
    assert rosa.get("/users/me/export").body["orders"][0]["id"] == order["id"]
    rosa.delete("/users/me")
    assert Caller(stack.base_url, access, "Bearer").get(f"{API}/users/me").status == 401


def codes_in(stack: Stack) -> list[str]:
    """The codes that the demo shop wrote down, for want of a way to send them."""
    return re.findall(r"the code of customer \S+ is (\d{6})", (stack.run_dir / "log" / "engine.log").read_text())


def first_event(url: str, authorization: str) -> Reply:
    """A stream up to the name of its first event, or a refusal."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers={"Authorization": authorization}), timeout=15
        ) as stream:
            first = next(line.strip() for line in stream if line.startswith(b"event:"))
            return Reply(stream.status, dict(stream.headers), first)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Reply(refusal.code, dict(refusal.headers), refusal.read())


def stay_signed_in(stranger: Guide, stack: Stack) -> None:
    pair = stranger.post("/auth/token", stack.demo["staff"]["kitchen"]).body
    stranger.post("/auth/token/refresh", {"refresh": pair["refresh"]})


NEW_PANEL = """
from django.utils import timezone
from apps.stores import services
from apps.stores.models import Device, Store
panel = Device.objects.create(store=Store.objects.first(), kind="panel", name="Painel do salão")
print(services.issue_pairing_code(device_id=panel.id, at=timezone.now()))
"""


def pair_a_screen(stranger: Guide, stack: Stack) -> None:
    code = stack.manage("shell", "-v0", "-c", NEW_PANEL).stdout.strip()
    stranger.post("/devices/pair", {"code": code})


def test_every_operation_of_the_schema_works_from_outside(
    stack: Stack, stranger: Guide, owner: Caller, manager: Caller, cashier: Caller, kiosk: Caller, board: Caller,
    simulator: Caller,
) -> None:  # fmt: skip
    at_kiosk, at_board, at_counter = stranger.by(kiosk), stranger.by(board), stranger.by(cashier)
    keep_the_menu(stranger.by(owner), stranger.by(manager), at_board, stranger, stack.demo["stores"][0]["id"])
    keep_the_stock(stranger.by(manager))
    sell_by_qr(at_kiosk, at_board, simulator)
    sell_at_the_counter(at_kiosk, at_counter)
    give_money_back(at_kiosk, at_counter, at_board)
    know_a_guest(stranger, at_kiosk, at_counter)
    live_as_a_customer(stranger, stack)
    at_board.post("/devices/heartbeat", {"version": "1"})
    assert at_kiosk.watch("/menu/stream", f"{stack.demo['stream_url']}{API}/menu/stream") == b"event: menu"
    stay_signed_in(stranger, stack)
    pair_a_screen(stranger, stack)

    missed = stranger.schema.operations.keys() - stranger.schema.driven
    assert sorted(missed) == []
    assert audit(stack)["ok"]

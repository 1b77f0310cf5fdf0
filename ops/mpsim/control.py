"""The tester's side: ``/_sim/*`` moves time, plays the buyer and plans trouble."""

import re
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from ops.mpsim.clock import stamp
from ops.mpsim.errors import ApiError, bad_value
from ops.mpsim.faults import Fault
from ops.mpsim.messages import Answer, Request, error_answer, json_answer, not_found
from ops.mpsim.simulator import Simulator
from ops.mpsim.state import METHODS, ZERO, Order
from ops.mpsim.validation import AMOUNT, parse
from ops.mpsim.webhooks import Policy
from ops.mpsim.wire import Json, money, order_json, status_detail

Handler = Callable[[Request, str], Answer]


class ControlApi:
    """Answers tests, demos and load runs; its refusals have the same form as the merchant API's."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            ("GET", re.compile("/_sim/health"), self._health),
            ("POST", re.compile("/_sim/reset"), self._reset),
            ("POST", re.compile("/_sim/clock"), self._clock),
            ("GET", re.compile("/_sim/journal"), self._journal),
            ("GET", re.compile("/_sim/ledger"), self._ledger),
            ("GET", re.compile("/_sim/orders"), self._orders),
            ("GET", re.compile("/_sim/orders/([^/]+)"), self._order),
            ("POST", re.compile("/_sim/orders/([^/]+)/pay"), self._pay),
            ("POST", re.compile("/_sim/orders/([^/]+)/decline"), self._decline),
            ("POST", re.compile("/_sim/orders/([^/]+)/expire"), self._expire),
            ("POST", re.compile("/_sim/orders/([^/]+)/refund_by_seller"), self._refund_by_seller),
            ("POST", re.compile("/_sim/orders/([^/]+)/chargeback"), self._chargeback),
            ("GET", re.compile("/_sim/faults"), self._list_faults),
            ("POST", re.compile("/_sim/faults"), self._add_faults),
            ("DELETE", re.compile("/_sim/faults"), self._clear_faults),
            ("GET", re.compile("/_sim/settings"), self._settings),
            ("POST", re.compile("/_sim/settings"), self._change_settings),
            ("GET", re.compile("/_sim/webhooks/policy"), self._policy),
            ("POST", re.compile("/_sim/webhooks/policy"), self._change_policy),
            ("POST", re.compile("/_sim/webhooks/resend"), self._resend),
            ("POST", re.compile("/_sim/webhooks/forge"), self._forge),
        ]

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if method == request.method and match:
                try:
                    return handler(request, match.group(1) if pattern.groups else "")
                except ApiError as error:
                    return error_answer(error)
        return not_found(request.path)

    def _health(self, request: Request, _: str) -> Answer:
        clock = self._sim.clock
        with self._sim.orders() as book:
            count = len(book.orders)
        now = stamp(clock.now())
        return json_answer(200, {"status": "ok", "now": now, "offset_s": clock.offset_seconds, "orders": count})

    def _reset(self, request: Request, _: str) -> Answer:
        self._sim.reset()
        return json_answer(200, {"status": "ok"})

    def _clock(self, request: Request, _: str) -> Answer:
        seconds = options(request, advance_s=0.0)["advance_s"]
        if not 0 <= seconds <= 10**9:
            raise bad_value("The clock moves forward, by at most 10^9 seconds.", "advance_s")
        self._sim.advance(seconds)
        return self._health(request, "")

    def _journal(self, request: Request, _: str) -> Answer:
        since = request.query.get("since", "0")
        if not since.isascii() or not since.isdigit():
            raise bad_value("since is the number of an entry.", "since")
        return json_answer(200, self._sim.journal.since(int(since)))

    def _ledger(self, request: Request, _: str) -> Answer:
        with self._sim.orders() as book:
            return json_answer(200, ledger(list(book.orders.values())))

    def _orders(self, request: Request, _: str) -> Answer:
        query = request.query
        with self._sim.orders() as book:
            found = [
                order
                for order in reversed(book.orders.values())
                if query.get("status", order.status) == order.status
                and query.get("external_reference", order.external_reference) == order.external_reference
            ]
            return json_answer(200, {"orders": [row(order) for order in found], "ledger": ledger(found)})

    def _order(self, request: Request, order_id: str) -> Answer:
        with self._sim.orders() as book:
            order = book.find(order_id)
            return json_answer(200, row(order) | {"order": order_json(order)})

    def _pay(self, request: Request, order_id: str) -> Answer:
        wish = options(request, method="pix", amount=None, delay_ms=0, lock_ms=0, force_after_expiry=False)
        if wish["method"] not in METHODS:
            raise bad_value(f"method is one of {', '.join(METHODS)}", "method")
        if min(wish["delay_ms"], wish["lock_ms"]) < 0:
            raise bad_value("Times are not negative.", "delay_ms", "lock_ms")
        with self._sim.orders() as book:
            order = book.find(order_id)
            book.pay(
                order,
                method=wish["method"],
                amount=amount_of(wish["amount"]),
                delay=timedelta(milliseconds=wish["delay_ms"]),
                lock=timedelta(milliseconds=wish["lock_ms"]),
                force=wish["force_after_expiry"],
            )
            return json_answer(202 if order.pending else 200, row(order))

    def _decline(self, request: Request, order_id: str) -> Answer:
        with self._sim.orders() as book:
            order = book.find(order_id)
            book.decline(order)
            return json_answer(200, row(order))

    def _expire(self, request: Request, order_id: str) -> Answer:
        with self._sim.orders() as book:
            order = book.find(order_id)
            book.expire(order)
            return json_answer(200, row(order))

    def _refund_by_seller(self, request: Request, order_id: str) -> Answer:
        wish = options(request, amount=None)
        with self._sim.orders() as book:
            order = book.find(order_id)
            self._sim.refund(book, order, amount_of(wish["amount"]))
            return json_answer(200, row(order))

    def _chargeback(self, request: Request, order_id: str) -> Answer:
        with self._sim.orders() as book:
            order = book.find(order_id)
            book.charge_back(order)
            return json_answer(200, row(order))

    def _list_faults(self, request: Request, _: str) -> Answer:
        left = [asdict(fault) for fault in self._sim.faults.left()]
        for fault in left:
            fault.pop("planned_at")
        return json_answer(200, {"faults": left})

    def _add_faults(self, request: Request, _: str) -> Answer:
        wishes = parse(request.body)
        if not isinstance(wishes, list) or not all(isinstance(wish, dict) for wish in wishes):
            raise bad_value("The body is a list of faults.")
        defaults = {"match": "", "times": 1, "phase": "before", "do": "status"}
        defaults |= {"status": 503, "headers": {}, "delay_ms": 0, "for_s": 0.0}
        self._sim.faults.add([Fault(**checked(wish, defaults)) for wish in wishes])
        return self._list_faults(request, "")

    def _clear_faults(self, request: Request, _: str) -> Answer:
        self._sim.faults.clear()
        return self._list_faults(request, "")

    def _settings(self, request: Request, _: str) -> Answer:
        return json_answer(200, asdict(self._sim.settings))

    def _change_settings(self, request: Request, _: str) -> Answer:
        self._sim.change_settings(changes(request, self._sim.settings))
        return self._settings(request, "")

    def _policy(self, request: Request, _: str) -> Answer:
        return json_answer(200, asdict(self._sim.courier.policy))

    def _change_policy(self, request: Request, _: str) -> Answer:
        courier = self._sim.courier
        new: Policy = replace(courier.policy, **changes(request, courier.policy))
        courier.policy = new
        return self._policy(request, "")

    def _resend(self, request: Request, _: str) -> Answer:
        wish = options(request, order_id="", version=None)
        self._sim.courier.resend(wish["order_id"], wish["version"])
        return json_answer(202, {"status": "queued"})

    def _forge(self, request: Request, _: str) -> Answer:
        wish = options(request, data_id="", action="order.processed", sign="none")
        user_id = str(next(iter(self._sim.users.values())))
        self._sim.courier.forge(wish["data_id"], wish["action"], wish["sign"], user_id)
        return json_answer(202, {"status": "queued"})


def row(order: Order) -> Json:
    """Describe one order to the tester, with its line of the ledger."""
    return {
        "id": order.id,
        "kind": order.kind,
        "payment_id": order.payment_reference,
        "chargeback_id": order.chargeback_id,
        "external_reference": order.external_reference,
        "description": order.description,
        "external_pos_id": order.pos,
        "user_id": order.user_id,
        "status": order.status,
        "status_detail": status_detail(order),
        "version": order.version,
        "total": money(order.total),
        "paid": money(order.paid),
        "refunded": money(order.refunded),
        "refunds": len(order.refunds),
        "declines": order.declines,
        "payment_under_way": order.pending is not None,
        "created_at": stamp(order.created_at),
        "expires_at": stamp(order.expires_at),
        "pay_path": f"/sim/pay/{order.id}",
    }


def ledger(orders: list[Order]) -> Json:
    """Sum up the money of some orders."""
    paid = sum((order.paid for order in orders), ZERO)
    refunded = sum((order.refunded for order in orders), ZERO)
    return {"orders": len(orders), "paid": money(paid), "refunded": money(refunded), "net": money(paid - refunded)}


def amount_of(value: object) -> Decimal | None:
    """Read an amount, None when there is none."""
    if value is None:
        return None
    if not isinstance(value, str) or not AMOUNT.fullmatch(value) or Decimal(value) <= ZERO:
        raise bad_value('An amount is text such as "47.50".', "amount")
    return Decimal(value).quantize(ZERO)


def options(request: Request, **defaults: object) -> dict[str, Any]:
    """Complete the members of a JSON body by defaults; an empty body means all defaults."""
    wish = parse(request.body) if request.body.strip() else {}
    if not isinstance(wish, dict):
        raise bad_value("The body is an object.")
    return checked(wish, defaults)


def changes(request: Request, present: Any) -> dict[str, Any]:
    """Read the members of a body that change a frozen dataclass, lists made tuples like its own."""
    known = {field.name: getattr(present, field.name) for field in fields(present)}
    wish = options(request, **known)
    return {name: tuple(value) if isinstance(value, list) else value for name, value in wish.items()}


def checked(wish: dict[str, object], defaults: dict[str, Any]) -> dict[str, Any]:
    """Complete ``wish``; refuse names that are not in ``defaults`` and values of another type."""
    for name, value in wish.items():
        if name not in defaults:
            raise ApiError(400, "unsupported_properties", f"Known names: {', '.join(defaults)}.", [name])
        if not fits(value, defaults[name]):
            raise ApiError(400, "property_type", f"Expected something like {defaults[name]!r}.", [name])
    return defaults | wish


def fits(value: object, default: object) -> bool:
    """Tell whether a value has the type of its default; None takes any."""
    if default is None:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float)
    if isinstance(default, tuple):
        member_type = str if default and isinstance(default[0], str) else int | float
        return isinstance(value, list | tuple) and all(isinstance(member, member_type) for member in value)
    return type(value) is type(default)

"""The merchant's side: the endpoints of Mercado Pago that BreadMate calls."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from ops.mpsim import places, validation
from ops.mpsim.clock import CHANCE
from ops.mpsim.errors import ApiError, bad_value
from ops.mpsim.faults import Fault
from ops.mpsim.journal import Entry
from ops.mpsim.messages import Answer, Request, error_answer, json_answer, not_found, older_error_answer
from ops.mpsim.payments import PaymentsApi
from ops.mpsim.simulator import Simulator
from ops.mpsim.state import Book, Order
from ops.mpsim.wire import order_json, refund_answer

Handler = Callable[[int, Request, str], Answer]

ORDER_ID = re.compile(r"ORD[0-9A-Z]{26}", re.ASCII)
MAX_KEY = 128
OLDER = ("/v1/payments", "/v1/chargebacks", "/merchant_orders")
"""Where the paths begin whose refusals have the older form."""


class MerchantApi:
    """Answers the seller's program, with faults, keys and the journal around each endpoint."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        # method, path (with at most one id), handler, whether an idempotency key is required
        self._routes: list[tuple[str, re.Pattern[str], Handler, bool]] = [
            ("GET", re.compile(r"/users/me"), self._me, False),
            ("POST", re.compile(r"/users/([^/]+)/stores"), self._create_store, False),
            ("GET", re.compile(r"/users/([^/]+)/stores/search"), self._search_stores, False),
            ("POST", re.compile(r"/pos"), self._create_pos, False),
            ("GET", re.compile(r"/pos"), self._list_pos, False),
            ("GET", re.compile(r"/pos/([^/]+)"), self._get_pos, False),
            ("POST", re.compile(r"/v1/orders"), self._create_order, True),
            ("GET", re.compile(r"/v1/orders"), self._search_orders, False),
            ("GET", re.compile(r"/v1/orders/([^/]+)"), self._get_order, False),
            ("POST", re.compile(r"/v1/orders/([^/]+)/cancel"), self._cancel_order, True),
            ("POST", re.compile(r"/v1/orders/([^/]+)/refund"), self._refund_order, True),
            ("POST", re.compile(r"/v1/orders/([^/]+)/events"), self._simulate_event, False),
            *PaymentsApi(sim).routes(),
        ]

    def answer(self, request: Request, request_id: str) -> Answer:
        """Answer one request and journal it."""
        sim = self._sim
        token = bearer(request)
        entry = sim.journal.add(
            "request",
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers | {"authorization": known_only(token, sim)},
            body=request.body.decode(errors="replace"),
            idempotency_key=request.headers.get("x-idempotency-key"),
            request_id=request_id,
            replayed=False,
            fault=None,
            status=None,
        )
        answer = self._with_trouble(request, token, entry)
        sim.journal.amend(entry, status=answer.status or None)
        return answer

    def _with_trouble(self, request: Request, token: str, entry: Entry) -> Answer:
        sim = self._sim
        settings = sim.settings
        if settings.latency_ms[1]:
            sim.stopping.wait(CHANCE.uniform(*settings.latency_ms) / 1000)
        if settings.rate_limit_rps and not sim.rate_limit.allows(settings.rate_limit_rps):
            limited = json_answer(429, {"message": "too many requests", "status": 429})
            return replace(limited, headers={"Retry-After": "1"})
        fault = sim.faults.take(request.method, request.path)
        if fault is None:
            return self._refusable(request, token, entry, None)
        sim.journal.amend(entry, fault=f"{fault.phase} {fault.do}")
        if fault.do == "slow":
            answer = self._refusable(request, token, entry, fault)
            if fault.phase == "after":
                sim.stopping.wait(fault.delay_ms / 1000)
            return answer
        done = self._refusable(request, token, entry, None) if fault.phase == "after" else None
        return fault.spoil(done)

    def _refusable(self, request: Request, token: str, entry: Entry, slow: Fault | None) -> Answer:
        try:
            return self._routed(request, token, entry, slow)
        except ApiError as error:
            return older_error_answer(error) if request.path.startswith(OLDER) else error_answer(error)

    def _routed(self, request: Request, token: str, entry: Entry, slow: Fault | None) -> Answer:
        for method, pattern, handler, keyed in self._routes:
            match = pattern.fullmatch(request.path)
            if method == request.method and match:
                user_id = self._user(token)
                argument = match.group(1) if pattern.groups else ""
                wait_seconds = slow.delay_ms / 1000 if slow and slow.phase == "before" else 0.0
                if keyed:
                    return self._once(user_id, request, argument, handler, token, entry, wait_seconds)
                self._sim.stopping.wait(wait_seconds)
                return handler(user_id, request, argument)
        return not_found(request.path)

    def _user(self, token: str) -> int:
        if not token:
            raise ApiError(401, "unauthorized", "The request carries no access token.")
        if token not in self._sim.users:
            raise ApiError(401, "invalid_credentials", "The access token is not valid.")
        return self._sim.users[token]

    def _once(
        self,
        user_id: int,
        request: Request,
        argument: str,
        handler: Handler,
        token: str,
        entry: Entry,
        wait_seconds: float,
    ) -> Answer:
        """Run a handler under its idempotency key, or repeat the answer that the key already has."""
        key = request.headers.get("x-idempotency-key", "").strip()
        if not key:
            raise ApiError(400, "empty_required_header", "The X-Idempotency-Key header is required.")
        if len(key) > MAX_KEY:
            raise ApiError(400, "invalid_idempotency_key_length", f"A key has at most {MAX_KEY} characters.")
        keys = self._sim.keys
        scope = (token, request.method, request.path, key)
        kept = keys.begin(scope, request.body)
        if kept is not None:
            self._sim.journal.amend(entry, replayed=True)
            return Answer(kept.status, kept.body)
        try:
            self._sim.stopping.wait(wait_seconds)
            answer = handler(user_id, request, argument)
            keys.keep(scope, request.body, answer.status, answer.body)
            return answer
        finally:
            keys.release(scope)

    def _me(self, user_id: int, request: Request, _: str) -> Answer:
        return json_answer(200, {"id": user_id, "site_id": "MLB", "nickname": "SIMSELLER"})

    def _create_store(self, user_id: int, request: Request, owner: str) -> Answer:
        check_owner(user_id, owner)
        with self._sim.orders():
            return json_answer(201, places.create_store(self._sim, user_id, request.body))

    def _search_stores(self, user_id: int, request: Request, owner: str) -> Answer:
        check_owner(user_id, owner)
        with self._sim.orders():
            return json_answer(200, places.listed(self._sim.stores.items(), user_id, request.query.get("external_id")))

    def _create_pos(self, user_id: int, request: Request, _: str) -> Answer:
        with self._sim.orders():
            return json_answer(201, places.create_pos(self._sim, user_id, request.body))

    def _list_pos(self, user_id: int, request: Request, _: str) -> Answer:
        with self._sim.orders():
            return json_answer(200, places.listed(self._sim.pos.items(), user_id, request.query.get("external_id")))

    def _get_pos(self, user_id: int, request: Request, number: str) -> Answer:
        with self._sim.orders():
            for (owner, _), place in self._sim.pos.items():
                if owner == user_id and str(place["id"]) == number:
                    return json_answer(200, place)
        raise ApiError(404, "pos_not_found", "Point of sale not found.")

    def _create_order(self, user_id: int, request: Request, _: str) -> Answer:
        wish = validation.new_order(request.body, lenient_amounts=self._sim.settings.lenient_amounts)
        with self._sim.orders():
            return json_answer(201, order_json(self._sim.create(user_id, wish)))

    def _get_order(self, user_id: int, request: Request, order_id: str) -> Answer:
        check_order_id(order_id)
        sim = self._sim
        with sim.orders() as book:
            order = qr_order(book, order_id, user_id)
            oldest = timedelta(days=sim.settings.get_max_age_days)
            if oldest and sim.clock.now() - order.created_at > oldest:
                raise ApiError(404, "order_not_found", "Orders older than three months are not told.")
            return json_answer(200, order_json(order))

    def _cancel_order(self, user_id: int, request: Request, order_id: str) -> Answer:
        check_order_id(order_id)
        with self._sim.orders() as book:
            order = qr_order(book, order_id, user_id)
            book.cancel(order)
            return json_answer(200, order_json(order))

    def _refund_order(self, user_id: int, request: Request, order_id: str) -> Answer:
        check_order_id(order_id)
        with self._sim.orders() as book:
            order = qr_order(book, order_id, user_id)
            amount = validation.refund_amount(request.body, order.payment_id)
            refund = self._sim.refund(book, order, amount)
            return json_answer(201, refund_answer(order, refund))

    def _simulate_event(self, user_id: int, request: Request, order_id: str) -> Answer:
        check_order_id(order_id)
        status = validation.event_status(request.body)
        with self._sim.orders() as book:
            order = qr_order(book, order_id, user_id)
            if status == "processed":
                book.pay(order)
            elif status == "failed":
                book.decline(order)
            elif status == "expired":
                book.expire(order)
            elif status == "canceled":
                book.cancel(order)
            else:
                self._sim.refund(book, order, None)
        return Answer(204)

    def _search_orders(self, user_id: int, request: Request, _: str) -> Answer:
        query = request.query
        if not (query.get("begin_date") and query.get("end_date")):
            raise ApiError(400, "missing_required_params", "begin_date and end_date are required.")
        begin, end = moment(query, "begin_date"), moment(query, "end_date")
        page, size = whole(query, "page", 1, 1_000_000), whole(query, "page_size", 20, 100)

        def wanted(order: Order) -> bool:
            return (
                order.user_id == user_id
                and order.kind == "qr"
                and begin <= order.created_at <= end
                and query.get("external_reference", order.external_reference) == order.external_reference
                and query.get("status", order.status) == order.status
            )

        with self._sim.orders() as book:
            found = [order for order in reversed(book.orders.values()) if wanted(order)]
            first = (page - 1) * size
            data = [order_json(order) for order in found[first : first + size]]
        paging = {"total": len(found), "total_pages": -(-len(found) // size), "offset": first, "limit": size}
        return json_answer(200, {"data": data, "paging": paging})


def qr_order(book: Book, order_id: str, user_id: int) -> Order:
    """Return a QR order of one seller; a Pix payment has no order here."""
    order = book.find(order_id, user_id)
    if order.kind != "qr":
        raise ApiError(404, "order_not_found", "Order not found.")
    return order


def bearer(request: Request) -> str:
    """Return the access token of a request, empty when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def known_only(token: str, sim: Simulator) -> str:
    """Write a token for the journal, where one that is not the simulator's own might be a real one."""
    return f"Bearer {token}" if token in sim.users else "Bearer (unknown)" if token else ""


def check_owner(user_id: int, owner: str) -> None:
    """Refuse a path that names another seller."""
    if owner != str(user_id):
        raise ApiError(403, "user_not_authorized", "The token belongs to another seller.")


def check_order_id(order_id: str) -> None:
    """Refuse an id that no order can have."""
    if not ORDER_ID.fullmatch(order_id):
        raise ApiError(400, "invalid_path_param", "The order id is ORD and 26 capital letters or digits.")


def moment(query: dict[str, str], name: str) -> datetime:
    """Read a date of the query, RFC 3339 with its offset."""
    try:
        value = datetime.fromisoformat(query[name].replace(" ", "+"))  # an unescaped plus arrives as a space
    except ValueError:
        raise bad_value("The date must follow RFC 3339.", name) from None
    if value.tzinfo is None:
        raise bad_value("The date must name its offset.", name)
    return value


def whole(query: dict[str, str], name: str, default: int, largest: int) -> int:
    """Read a number of the query, from 1 to ``largest``."""
    value = query.get(name, str(default))
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= largest):
        raise bad_value(f"Use a number from 1 to {largest}.", name)
    return int(value)

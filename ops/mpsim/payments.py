"""The older side of the merchant API: Pix payments, their refunds, merchant orders and chargebacks.

It speaks numbers where the Orders API speaks text, spells ``cancelled`` with two l, and has its own form of refusal.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from ops.mpsim.clock import stamp
from ops.mpsim.errors import ApiError
from ops.mpsim.messages import Answer, Request, json_answer
from ops.mpsim.simulator import Simulator
from ops.mpsim.state import ZERO, Book, NewOrder, Order, Refund
from ops.mpsim.validation import parse
from ops.mpsim.wire import Json, merchant_order_json

Handler = Callable[[int, Request, str], Answer]

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", re.ASCII)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
SHORTEST, USUAL, LONGEST = timedelta(minutes=30), timedelta(hours=24), timedelta(days=30)
STATUSES = {
    "created": ("pending", "pending_waiting_transfer"),
    "processed": ("approved", "accredited"),
    "canceled": ("cancelled", "by_collector"),
    "expired": ("cancelled", "expired"),
    "refunded": ("refunded", "refunded"),
    "charged_back": ("charged_back", "in_process"),
}
LIMIT = 50


class PaymentsApi:
    """Handlers of the older endpoints; ``routes`` is read by ``MerchantApi``."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    def routes(self) -> list[tuple[str, re.Pattern[str], Handler, bool]]:
        """Return method, path with at most one id, handler and whether an idempotency key is required."""
        return [
            ("POST", re.compile(r"/v1/payments"), self._create, True),
            ("GET", re.compile(r"/v1/payments/search"), self._search, False),
            ("GET", re.compile(r"/v1/payments/([^/]+)"), self._get, False),
            ("PUT", re.compile(r"/v1/payments/([^/]+)"), self._update, False),
            ("POST", re.compile(r"/v1/payments/([^/]+)/refunds"), self._refund, True),
            ("GET", re.compile(r"/v1/payments/([^/]+)/refunds"), self._refunds, False),
            ("GET", re.compile(r"/v1/payments/([^/]+/refunds/[^/]+)"), self._get_refund, False),
            ("GET", re.compile(r"/merchant_orders/search"), self._search_merchant_orders, False),
            ("GET", re.compile(r"/merchant_orders/([^/]+)"), self._get_merchant_order, False),
            ("GET", re.compile(r"/v1/chargebacks/search"), self._search_chargebacks, False),
            ("GET", re.compile(r"/v1/chargebacks/([^/]+)"), self._get_chargeback, False),
        ]

    def _create(self, user_id: int, request: Request, _: str) -> Answer:
        with self._sim.orders():
            wish = new_payment(request.body, self._sim.clock.now())
            return json_answer(201, payment_json(self._sim.create(user_id, wish)))

    def _get(self, user_id: int, request: Request, number: str) -> Answer:
        with self._sim.orders() as book:
            return json_answer(200, payment_json(find(book, user_id, number)))

    def _search(self, user_id: int, request: Request, _: str) -> Answer:
        with self._sim.orders() as book:
            payments = [payment_json(order) for order in reversed(book.orders.values()) if paid_by(order, user_id)]
        return listed(payments, request.query, "external_reference", "status")

    def _update(self, user_id: int, request: Request, number: str) -> Answer:
        wish = object_of(request.body)
        with self._sim.orders() as book:
            order = find(book, user_id, number)
            if wish != {"status": "cancelled"}:
                raise ApiError(400, "2063", "Only a pending payment's status may be set, and only to cancelled.")
            if order.status != "created" or order.kind != "pix":
                raise invalid_state()
            book.cancel(order)
            return json_answer(200, payment_json(order))

    def _refund(self, user_id: int, request: Request, number: str) -> Answer:
        amount = refund_amount(request.body)
        with self._sim.orders() as book:
            order = find(book, user_id, number)
            if order.status != "processed" or order.refundable == ZERO:
                raise invalid_state()
            if amount is not None and amount > order.refundable:
                raise ApiError(400, "4040", "The amount is greater than what is left of the payment.")
            if amount not in (None, order.paid) and not self._sim.settings.partial_refunds:
                raise ApiError(400, "3024", "Partial refunds are not available.")
            return json_answer(201, refund_json(order, self._sim.refund(book, order, amount)))

    def _refunds(self, user_id: int, request: Request, number: str) -> Answer:
        with self._sim.orders() as book:
            order = find(book, user_id, number)
            return json_answer(200, [refund_json(order, refund) for refund in order.refunds])

    def _get_refund(self, user_id: int, request: Request, names: str) -> Answer:
        number, _, refund_id = names.partition("/refunds/")
        with self._sim.orders() as book:
            order = find(book, user_id, number)
            for refund in order.refunds:
                if refund.reference_id == refund_id:
                    return json_answer(200, refund_json(order, refund))
        raise ApiError(404, "2000", "Refund not found.")

    def _get_merchant_order(self, user_id: int, request: Request, number: str) -> Answer:
        with self._sim.orders() as book:
            for order in book.orders.values():
                if order.user_id == user_id and order.merchant_order_id == number:
                    return json_answer(200, merchant_order_json(order))
        raise ApiError(404, "not_found", "Merchant order not found.")

    def _search_merchant_orders(self, user_id: int, request: Request, _: str) -> Answer:
        wanted = request.query.get("external_reference")
        with self._sim.orders() as book:
            found = [
                merchant_order_json(order)
                for order in reversed(book.orders.values())
                if order.user_id == user_id and wanted in (None, order.external_reference)
            ]
        return json_answer(200, {"elements": found[:LIMIT], "next_offset": 0, "total": len(found)})

    def _get_chargeback(self, user_id: int, request: Request, chargeback_id: str) -> Answer:
        with self._sim.orders() as book:
            for order in book.orders.values():
                if order.user_id == user_id and order.chargeback_id == chargeback_id:
                    return json_answer(200, chargeback_json(order))
        raise ApiError(404, "not_found", "Chargeback not found.")

    def _search_chargebacks(self, user_id: int, request: Request, _: str) -> Answer:
        wanted = request.query.get("payment_id")
        with self._sim.orders() as book:
            found = [
                chargeback_json(order)
                for order in reversed(book.orders.values())
                if order.user_id == user_id and order.chargeback_id and wanted in (None, order.payment_reference)
            ]
        return listed(found, {})


def invalid_state() -> ApiError:
    """Make the refusal of what a payment's state does not allow."""
    return ApiError(400, "2063", "The action requested is not valid for the current payment state.")


def paid_by(order: Order, user_id: int) -> bool:
    """Tell whether an order has a payment of this seller: a QR order only once it is paid."""
    return order.user_id == user_id and order.payment_reference != ""


def find(book: Book, user_id: int, number: str) -> Order:
    """Return the order behind a payment's number."""
    if not (number.isascii() and number.isdigit()):
        raise ApiError(400, "1", "The payment id is a number.")
    for order in book.orders.values():
        if paid_by(order, user_id) and order.payment_reference == number:
            return order
    raise ApiError(404, "2000", "Payment not found.")


def object_of(body: bytes) -> dict[str, Any]:
    """Read a JSON object."""
    wish = parse(body)
    if not isinstance(wish, dict):
        raise ApiError(400, "1", "The body must be an object.")
    return wish


def new_payment(body: bytes, now: datetime) -> NewOrder:
    """Read the body of a Pix payment request."""
    wish = object_of(body)
    if "transaction_amount" not in wish:
        raise ApiError(400, "4002", "transaction_amount can't be null.")
    amount = amount_of(wish["transaction_amount"], "4003")
    if amount <= ZERO:
        raise ApiError(400, "4037", "Invalid transaction_amount.")
    if wish.get("payment_method_id") != "pix":
        raise ApiError(400, "4001", "payment_method_id must be pix here.")
    payer = wish.get("payer")
    if not isinstance(payer, dict):
        raise ApiError(400, "4006", "payer can't be null.")
    if not EMAIL.fullmatch(str(payer.get("email", ""))):
        raise ApiError(400, "4050", "payer.email must be a valid email.")
    return NewOrder(
        external_reference=str(wish.get("external_reference") or ""),
        description=str(wish.get("description") or ""),
        total=amount,
        duration="",
        lifetime=lifetime(wish.get("date_of_expiration"), now),
        pos="",
        mode="dynamic",
        kind="pix",
    )


def lifetime(until: object, now: datetime) -> timedelta:
    """Return how long a payment may be made: half an hour at least, thirty days at most."""
    if until is None:
        return USUAL
    try:
        if not isinstance(until, str) or not DATE.fullmatch(until):
            raise ValueError  # noqa: TRY301 - told in one way
        span = datetime.fromisoformat(until) - now
    except ValueError:
        raise ApiError(400, "23", "date_of_expiration must be yyyy-MM-dd'T'HH:mm:ss.SSSXXX.") from None
    # A minute is granted, for the caller's clock and the way here.
    if not SHORTEST - timedelta(minutes=1) <= span <= LONGEST + timedelta(minutes=1):
        raise ApiError(400, "23", "date_of_expiration must lie between 30 minutes and 30 days ahead.")
    return span


def refund_amount(body: bytes) -> Decimal | None:
    """Read the body of a refund request: an amount, or None for a full refund."""
    if body.strip() in (b"", b"null", b"{}"):
        return None
    wish = object_of(body)
    amount = amount_of(wish.get("amount"), "4041")
    if amount <= ZERO:
        raise ApiError(400, "4040", "The amount must be positive.")
    return amount


def amount_of(value: object, code: str) -> Decimal:
    """Read an amount, which is a JSON number of at most two decimals here."""
    if type(value) not in (int, float):
        raise ApiError(400, code, "The amount must be numeric.")
    try:
        amount = Decimal(str(value))
        if amount != amount.quantize(ZERO):
            raise ApiError(400, "4037", "Use at most two decimals.")
    except InvalidOperation:
        raise ApiError(400, "4037", "The amount is too large.") from None
    return amount.quantize(ZERO)


def payment_json(order: Order) -> Json:
    """Return a payment: a Pix one, or the one by which a QR order was paid."""
    status, detail = STATUSES[order.status]
    if order.status == "processed" and order.refunded:
        detail = "partially_refunded"
    body: Json = {
        "id": int(order.payment_reference),
        "status": status,
        "status_detail": detail,
        "currency_id": "BRL",
        "description": order.description,
        "external_reference": order.external_reference,
        "collector_id": order.user_id,
        "transaction_amount": float(order.paid or order.total),
        "transaction_amount_refunded": float(order.refunded),
        "payment_method_id": "pix" if order.kind == "pix" else order.method,
        "payment_type_id": "bank_transfer",
        "date_created": stamp(order.created_at),
        "date_last_updated": stamp(order.updated_at),
        "refunds": [refund_json(order, refund) for refund in order.refunds],
        "order": {"id": int(order.merchant_order_id), "type": "mercadopago"},
    }
    if order.kind == "pix":
        data = {"qr_code": order.qr_data, "ticket_url": f"https://www.mercadopago.com.br/payments/{body['id']}/ticket"}
        body["date_of_expiration"] = stamp(order.expires_at)
        body["point_of_interaction"] = {"type": "PIX", "transaction_data": data}
    return body


def refund_json(order: Order, refund: Refund) -> Json:
    """Return a refund of a payment."""
    return {
        "id": int(refund.reference_id),
        "payment_id": int(order.payment_reference),
        "amount": float(refund.amount),
        "status": "approved" if refund.status == "processed" else "in_process",
        "source": {"id": str(order.user_id), "type": "collector"},
    }


def chargeback_json(order: Order) -> Json:
    """Return the chargeback of an order's payment."""
    return {
        "id": order.chargeback_id,
        "payments": [int(order.payment_reference)],
        "currency": "BRL",
        "amount": float(order.paid),
        "coverage_applied": None,
        "documentation_required": True,
        "documentation_status": "pending",
        "date_created": stamp(order.updated_at),
    }


def listed(found: list[Json], query: dict[str, str], *names: str) -> Answer:
    """Answer a search: the first of what has the values that the query asks for."""
    wanted = {name: query[name] for name in names if name in query}
    results = [one for one in found if all(one[name] == value for name, value in wanted.items())]
    paging = {"total": len(results), "limit": LIMIT, "offset": 0}
    return json_answer(200, {"paging": paging, "results": results[:LIMIT]})

"""JSON as Mercado Pago writes it: orders, refunds, searches and webhook bodies."""

import json
import uuid
from datetime import datetime
from decimal import Decimal

from ops.mpsim.clock import stamp
from ops.mpsim.state import METHODS, ZERO, Order, Refund

APPLICATION_ID = "7364289770550796"

Json = dict[str, object]


def dumps(value: object) -> bytes:
    """Write compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def money(value: Decimal) -> str:
    """Write an amount with two decimals."""
    return f"{value:.2f}"


def status_detail(order: Order) -> str:
    """Return the order's finer status."""
    if order.status == "processed":
        return "partially_refunded" if order.refunded else "accredited"
    if order.status == "charged_back":
        return "in_process"
    return order.status


def payment_json(order: Order) -> Json:
    """Return the single payment of an order."""
    detail = {"created": "ready_to_process", "canceled": "canceled_by_api"}.get(order.status, status_detail(order))
    payment: Json = {"id": order.payment_id, "amount": money(order.total)}
    if order.paid > ZERO:
        payment |= {
            "paid_amount": money(order.paid),
            "refunded_amount": money(order.refunded),
            "reference_id": order.payment_reference,
            "payment_method": METHODS[order.method],
        }
    return payment | {"status": order.status, "status_detail": detail}


def refund_json(order: Order, refund: Refund) -> Json:
    """Return one refund."""
    return {
        "id": refund.id,
        "transaction_id": order.payment_id,
        "reference_id": refund.reference_id,
        "amount": money(refund.amount),
        "status": refund.status,
    }


def order_json(order: Order) -> Json:
    """Return the full order, as create, get, cancel and search answer it."""
    transactions: Json = {"payments": [payment_json(order)]}
    body: Json = {
        "id": order.id,
        "type": "qr",
        "processing_mode": "automatic",
        "external_reference": order.external_reference,
        "description": order.description,
        "total_amount": money(order.total),
        "expiration_time": order.duration,
        "country_code": "BRA",
        "user_id": str(order.user_id),
        "status": order.status,
        "status_detail": status_detail(order),
        "currency": "BRL",
        "created_date": stamp(order.created_at),
        "last_updated_date": stamp(order.updated_at),
        "integration_data": {"application_id": APPLICATION_ID},
        "transactions": transactions,
        "config": {"qr": {"external_pos_id": order.pos, "mode": order.mode}},
    }
    if order.paid > ZERO:
        body["total_paid_amount"] = money(order.paid)
        transactions["refunds"] = [refund_json(order, refund) for refund in order.refunds]
    if order.qr_data:
        body["type_response"] = {"qr_data": order.qr_data}
    return body


def refund_answer(order: Order, refund: Refund) -> Json:
    """Return the order's state and the refund just made."""
    return {
        "id": order.id,
        "status": order.status,
        "status_detail": status_detail(order),
        "transactions": {"refunds": [refund_json(order, refund)]},
    }


def webhook_json(order: Order, action: str, at: datetime) -> Json:
    """Return the body of an order event; only a paid order tells of its transactions."""
    data: Json = {
        "id": order.id,
        "external_reference": order.external_reference,
        "status": order.status,
        "status_detail": status_detail(order),
        "total_amount": money(order.total),
        "type": "qr",
        "version": order.version,
    }
    if action == "order.processed":
        payment = payment_json(order)
        payment["reference"] = {"id": payment.pop("reference_id")}
        payment.pop("refunded_amount")
        data |= {"total_paid_amount": money(order.paid), "transactions": {"payments": [payment]}}
    return envelope(data, action, str(order.user_id), at)


def merchant_order_json(order: Order) -> Json:
    """Return the order as the older interface tells it: numbers, and ``closed`` once it is paid in full."""
    settled = ZERO < order.total <= order.paid
    ended = order.status in ("canceled", "expired")
    payment: Json = {
        "id": int(order.payment_reference or 0),
        "status": "refunded" if order.status == "refunded" else "approved",
        "transaction_amount": float(order.paid),
        "currency_id": "BRL",
    }
    return {
        "id": int(order.merchant_order_id),
        "status": "closed" if settled else "expired" if ended else "opened",
        "external_reference": order.external_reference,
        "payments": [payment] if order.paid > ZERO else [],
        "total_amount": float(order.total),
        "paid_amount": float(order.paid),
        "refunded_amount": float(order.refunded),
    }


def merchant_order_event(order: Order, at: datetime) -> Json:
    """Return the body of the older event: it only names what to look up."""
    return {
        "id": order.merchant_order_id,
        "action": "update",
        "application_id": APPLICATION_ID,
        "date_created": stamp(at),
        "live_mode": False,
        "type": "topic_merchant_order_wh",
        "user_id": str(order.user_id),
        "data": {"id": order.merchant_order_id},
    }


def payment_event(order: Order, at: datetime) -> Json:
    """Return the body of a payment's event: it only names the payment."""
    return {
        "id": uuid.uuid4().int % 10**12,
        "action": "payment.updated",
        "api_version": "v1",
        "date_created": stamp(at),
        "live_mode": False,
        "type": "payment",
        "user_id": str(order.user_id),
        "data": {"id": order.payment_reference},
    }


def chargeback_event(order: Order, at: datetime) -> Json:
    """Return the body of a chargeback's event."""
    return {
        "id": uuid.uuid4().int % 10**12,
        "actions": ["new_case"],
        "api_version": "v1",
        "application_id": APPLICATION_ID,
        "date_created": stamp(at),
        "live_mode": False,
        "type": "topic_chargebacks_wh",
        "user_id": str(order.user_id),
        "data": {"id": order.chargeback_id, "payment_id": int(order.payment_reference), "site_id": "MLB"},
    }


def forged_json(data_id: str, action: str, user_id: str, at: datetime) -> Json:
    """Return an event that claims something which never happened."""
    status = action.removeprefix("order.")
    data: Json = {"id": data_id, "status": status, "status_detail": status, "type": "qr", "version": 99}
    return envelope(data, action, user_id, at)


def envelope(data: Json, action: str, user_id: str, at: datetime) -> Json:
    """Wrap the data of an event."""
    return {
        "id": uuid.uuid4().hex,
        "action": action,
        "api_version": "v1",
        "application_id": APPLICATION_ID,
        "date_created": stamp(at),
        "live_mode": False,
        "type": "order",
        "user_id": user_id,
        "data": data,
    }

"""Payments in the shape of api.md."""

from typing import Any

from apps.core.facade import iso, qr_svg
from apps.payments.models import Charge, Refund
from apps.payments.queries import is_practice
from apps.payments.rules import Method, State


def payment_document(charge: Charge) -> dict[str, Any]:
    """Say a charge; the QR is told only while it can be paid. One that pays itself is still the QR that was asked for."""
    payable = charge.state == State.PENDING and charge.qr_data
    return {
        "id": str(charge.id),
        "order": str(charge.order_id),
        "method": Method.MERCADO_PAGO_QR if charge.method == Method.TRAINING else charge.method,
        "training": is_practice(charge),
        "status": charge.state,
        "amount": str(charge.amount),
        "refunded_amount": f"{charge.refunded_amount:.2f}",  # of one just made it is the model's own 0
        "qr_data": charge.qr_data if payable else None,
        "qr_svg": qr_svg(charge.qr_data) if payable else None,
        "expires_at": iso(charge.expires_at),
        "provider_reference": charge.provider_order_id,
    }


def refund_document(refund: Refund, *, staff: bool = True) -> dict[str, Any]:
    """Say a refund; why it was asked for and what went wrong is for staff."""
    told = {
        "id": str(refund.id),
        "payment": str(refund.charge_id),
        "status": refund.state,
        "amount": str(refund.amount),
        "created_at": iso(refund.created_at),
        "done_at": iso(refund.done_at),
    }
    if staff:
        told |= {"cause": refund.cause, "reason": refund.reason, "problem": refund.problem}
    return told

"""Payments in the shape of api.md."""

from typing import Any

from apps.core.facade import iso, qr_svg
from apps.payments.models import Charge
from apps.payments.rules import State


def payment_document(charge: Charge) -> dict[str, Any]:
    """Say a charge; the QR is told only while it can be paid."""
    payable = charge.state == State.PENDING and charge.qr_data
    return {
        "id": str(charge.id),
        "order": str(charge.order_id),
        "method": charge.method,
        "status": charge.state,
        "amount": str(charge.amount),
        "refunded_amount": str(charge.refunded_amount),
        "qr_data": charge.qr_data if payable else None,
        "qr_svg": qr_svg(charge.qr_data) if payable else None,
        "expires_at": iso(charge.expires_at),
        "provider_reference": charge.provider_order_id,
    }

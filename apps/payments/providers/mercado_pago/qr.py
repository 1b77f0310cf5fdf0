"""Dynamic QR by the Orders API (type ``qr``)."""

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import mercadopago
import orjson
import requests
from django.conf import settings
from mercadopago.config import RequestOptions

from apps.payments.errors import ProviderRejectedError, ProviderUnavailableError
from apps.payments.models import Charge
from apps.payments.providers.mercado_pago.client import PooledHttpClient
from apps.payments.rules import ProviderState

TRY_AGAIN = {408, 423, 424, 429}
CONFLICT = 409
SERVER_FAULT = 500
DURATION = re.compile(r"PT(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?")
FRACTION = re.compile(r"\.(\d+)")


def pos_external_id(store_code: str) -> str:
    """Return the id of the store's point of sale at Mercado Pago: letters and digits only, below 40."""
    return f"BM{store_code}"


def create_body(*, reference: str, amount: Decimal, number: str, store_code: str) -> bytes:
    """Return the exact bytes of the create call. Items are left out: the API takes ten at most, a cart may have sixty."""
    return orjson.dumps(
        {
            "type": "qr",
            "total_amount": str(amount),
            "description": f"BreadMate pedido {number}",
            "external_reference": reference,
            "expiration_time": f"PT{settings.MP_QR_TTL_SECONDS}S",
            "config": {"qr": {"external_pos_id": pos_external_id(store_code), "mode": "dynamic"}},
            "transactions": {"payments": [{"amount": str(amount)}]},
        }
    )


def reference_of(charge_id: UUID) -> str:
    """Return the charge's name at the provider: unique, no personal data."""
    return f"bm-{charge_id.hex}"


class MercadoPagoQr:
    """The default provider."""

    def create(self, charge: Charge) -> ProviderState:
        """Create the provider's order; a repeat with the same key returns the one already made."""
        body = orjson.loads(bytes(charge.create_body))
        return _read(self._call(lambda sdk, options: sdk.order().create(body, options), key=charge.create_key))

    def cancel(self, charge: Charge) -> ProviderState:
        """Cancel the provider's order; one that is paid, being paid or already closed is read instead."""
        order_id, key = charge.provider_order_id, f"x-{charge.id}"
        try:
            return _read(self._call(lambda sdk, options: sdk.order().cancel(order_id, options), key=key))
        except ProviderRejectedError as refusal:
            if refusal.http_status != CONFLICT:
                raise
            return self.fetch(charge)

    def fetch(self, charge: Charge) -> ProviderState:
        """Read the provider's order."""
        order_id = charge.provider_order_id
        return _read(self._call(lambda sdk, options: sdk.order().get(order_id, options)))

    def _call(self, send: Any, key: str | None = None) -> dict[str, Any]:
        sdk = mercadopago.SDK(settings.MP_ACCESS_TOKEN, http_client=PooledHttpClient())
        # A fresh RequestOptions each time: the SDK writes its token into the one it is given and would carry it on.
        options = RequestOptions(custom_headers={"x-idempotency-key": key} if key else None)
        try:
            answer = send(sdk, options)
        except requests.RequestException as problem:
            raise ProviderUnavailableError(repr(problem)) from problem
        except mercadopago.errors.MPError as problem:
            raise ProviderUnavailableError(repr(problem)) from problem
        status, body = answer["status"], answer["response"]
        if status in TRY_AGAIN or status >= SERVER_FAULT or not isinstance(body, dict):
            raise ProviderUnavailableError(str(status))
        if status not in (200, 201):
            raise ProviderRejectedError(_error_code(body), status)
        return body


def _error_code(body: dict[str, Any]) -> str:
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return str(errors[0].get("code", "unknown"))[:60]
    return str(body.get("error") or body.get("message") or "unknown")[:60]


def _read(body: dict[str, Any]) -> ProviderState:
    """Translate an order of the provider.

    Raises:
        ProviderUnavailableError: the document lacks what we must know, so nothing may be concluded from it.
    """
    try:
        payments = body["transactions"]["payments"]
        paid = body.get("total_paid_amount") or sum(Decimal(payment.get("paid_amount") or "0") for payment in payments)
        refunds = body["transactions"].get("refunds") or []
        return ProviderState(
            provider_order_id=str(body["id"]),
            status=str(body["status"]),
            amount=Decimal(body["total_amount"]),
            paid=Decimal(paid),
            refunded=sum((Decimal(refund["amount"]) for refund in refunds), Decimal("0.00")),
            currency=str(body.get("currency", "")),
            reference=str(body.get("external_reference", "")),
            account=str(body.get("user_id", "")),
            qr_data=str((body.get("type_response") or {}).get("qr_data", "")),
            expires_at=_expiry(body),
            payment=next((str(one["reference_id"]) for one in payments if one.get("reference_id")), "")[:64],
        )
    except (KeyError, TypeError, ValueError, InvalidOperation) as problem:
        raise ProviderUnavailableError(f"unreadable answer: {problem!r}") from problem


def _expiry(body: dict[str, Any]) -> datetime | None:
    """Return created_date + expiration_time; the API names no moment. Fractions of a second come with 2 to 9 digits."""
    duration = DURATION.fullmatch(str(body.get("expiration_time", "")))
    if duration is None or "created_date" not in body:
        return None
    created = FRACTION.sub(lambda digits: f".{digits[1][:6]:0<6}", str(body["created_date"])).replace("Z", "+00:00")
    parts = {name: int(value) for name, value in duration.groupdict(default="0").items()}
    return datetime.fromisoformat(created) + timedelta(**parts)

"""Dynamic QR by the Orders API (type ``qr``)."""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.conf import settings

from apps.payments import accounts
from apps.payments.accounts import Account
from apps.payments.errors import ProviderRejectedError, ProviderUnavailableError
from apps.payments.models import Charge, Refund
from apps.payments.providers.mercado_pago.calls import Send, call
from apps.payments.providers.mercado_pago.client import OFFICIAL_URL
from apps.payments.rules import Listing, ProviderRefund, ProviderState

logger = logging.getLogger(__name__)

BAD_REQUEST, CONFLICT = 400, 409
DURATION = re.compile(r"PT(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?")
FRACTION = re.compile(r"\.(\d+)")
LONGEST_QR = 1000  # an EMV code has at most 512 characters
LARGEST_AMOUNT = Decimal("99999999.99")


PAGE_SIZE = 100


def create_body(*, reference: str, amount: Decimal, number: str, pos: str) -> bytes:
    """Return the exact bytes of the create call. Items are left out: the API takes ten at most, a cart may have sixty."""
    return orjson.dumps(
        {
            "type": "qr",
            "total_amount": str(amount),
            "description": f"BreadMate pedido {number}",
            "external_reference": reference,
            "expiration_time": f"PT{settings.MP_QR_TTL_SECONDS}S",
            "config": {"qr": {"external_pos_id": pos, "mode": "dynamic"}},
            "transactions": {"payments": [{"amount": str(amount)}]},
        }
    )


def reference_of(charge_id: UUID) -> str:
    """Return the charge's name at the provider: unique, no personal data."""
    return f"bm-{charge_id.hex}"


OURS = re.compile(r"bm-[0-9a-f]{32}")  # what ``reference_of`` makes


class MercadoPagoQr:
    """The default provider."""

    def create(self, charge: Charge) -> ProviderState:
        """Create the provider's order; a repeat with the same key returns the one already made."""
        body = bytes(charge.create_body)
        document = orjson.loads(body)
        return read(
            self._call(
                charge,
                "create",
                lambda sdk, options: sdk.order().create(document, options),
                key=charge.create_key,
                body=body,
            )
        )

    def cancel(self, charge: Charge) -> ProviderState:
        """Cancel the provider's order; one that is paid, being paid or already closed is read instead."""
        order_id, key = charge.provider_order_id, f"x-{charge.id}"
        try:
            return read(
                self._call(charge, "cancel", lambda sdk, options: sdk.order().cancel(order_id, options), key=key)
            )
        except ProviderRejectedError as refusal:
            if refusal.http_status != CONFLICT:
                raise
            return self.fetch(charge)

    def fetch(self, charge: Charge) -> ProviderState:
        """Read the provider's order."""
        order_id = charge.provider_order_id
        return read(self._call(charge, "fetch", lambda sdk, options: sdk.order().get(order_id, options)))

    def refund_body(self, amount: Decimal, told: ProviderState) -> bytes | None:
        """Name the payment and the amount, unless it is all that was paid: some accounts refund only in full, without a body."""
        if amount == told.paid and not told.refunds:
            return None
        return orjson.dumps({"transactions": [{"id": told.payment_id, "amount": str(amount)}]})

    def refund(self, charge: Charge, refund: Refund) -> tuple[ProviderRefund, ...]:
        """Ask for a refund; a repeat with the same key returns the one already made."""
        order_id = charge.provider_order_id
        body = None if refund.body is None else bytes(refund.body)
        if body is not None and settings.MP_PARTIAL_REFUND == "off":
            raise ProviderRejectedError("unsupported_partially_refunds", BAD_REQUEST)
        told = None if body is None else orjson.loads(body)
        answer = self._call(
            charge,
            "refund",
            lambda sdk, options: sdk.order().refund(order_id, told, options),
            key=refund.key,
            body=body,
        )
        try:
            return _refunds(answer)
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as problem:
            raise ProviderUnavailableError(f"unreadable answer: {type(problem).__name__}") from problem

    def search(self, account: Account, *, begin: datetime, end: datetime, page: int) -> Listing:
        """List a page of the account's orders; what is not a charge of this program, or cannot be read, is left out."""
        query = urlencode(
            {"begin_date": begin.isoformat(), "end_date": end.isoformat(), "page": page, "page_size": PAGE_SIZE}
        )
        url = f"{OFFICIAL_URL}/v1/orders?{query}"
        answer = call(
            account, "search", lambda sdk, options: sdk.http_client.get(url=url, headers=options.get_headers())
        )
        try:
            listed, pages = list(answer["data"]), int(answer["paging"]["total_pages"])
        except (KeyError, TypeError, ValueError) as problem:
            raise ProviderUnavailableError(f"unreadable answer: {type(problem).__name__}") from problem
        return Listing(states=tuple(_readable(listed)), is_last=page >= pages or not listed)

    def look_up(self, account: Account, provider_order_id: str) -> ProviderState:
        """Read one order by its number, whether or not a charge of ours names it."""
        return read(call(account, "fetch", lambda sdk, options: sdk.order().get(provider_order_id, options)))

    def give_back(self, account: Account, provider_order_id: str, *, key: str) -> None:
        """Ask to give back all of an order that no charge of ours names; a repeat with the key is the same request."""
        call(account, "refund", lambda sdk, options: sdk.order().refund(provider_order_id, None, options), key=key)

    def _call(self, charge: Charge, op: str, send: Send, *, key: str | None = None, body: bytes | None = None) -> Any:
        return call(accounts.of(charge), op, send, key=key, body=body)


def _readable(listed: list[Any]) -> Iterator[ProviderState]:
    for body in listed:
        try:
            told = read(body)
        except ProviderUnavailableError:
            logger.warning("an order in the provider's list cannot be read")
            continue
        if OURS.fullmatch(told.reference):
            yield told


def read(body: Any) -> ProviderState:
    """Translate an order of the provider.

    Raises:
        ProviderUnavailableError: the document lacks what we must know, so nothing may be concluded from it.
    """
    try:
        payments = body["transactions"]["payments"]
        paid = body.get("total_paid_amount") or sum(_money(payment.get("paid_amount") or 0) for payment in payments)
        refunds = _refunds(body)
        return ProviderState(
            provider_order_id=_text(body["id"], 64),
            status=_text(body["status"], 40),
            amount=_money(body["total_amount"]),
            paid=_money(paid),
            refunded=sum((refund.amount for refund in refunds), Decimal("0.00")),
            currency=_text(body.get("currency"), 8),
            reference=_text(body.get("external_reference"), 64),
            account=_text(body.get("user_id"), 32),
            qr_data=_text((body.get("type_response") or {}).get("qr_data"), LONGEST_QR),
            expires_at=_expiry(body),
            payment_id=_text(payments[0].get("id"), 64) if payments else "",
            refunds=refunds,
            made_at=moment(str(body["created_date"])) if body.get("created_date") else None,
            pos=_pos(body),
            payment=next((str(one["reference_id"]) for one in payments if one.get("reference_id")), "")[:64],
        )
    except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as problem:
        raise ProviderUnavailableError(f"unreadable answer: {type(problem).__name__}") from problem


def _pos(body: dict[str, Any]) -> str:
    config = body.get("config")
    code = config.get("qr") if isinstance(config, dict) else None
    return _text(code.get("external_pos_id"), 64) if isinstance(code, dict) else ""


def _money(told: Any) -> Decimal:
    """Read an amount that our columns can hold."""
    amount = Decimal(str(told))
    if not amount.is_finite() or not 0 <= amount <= LARGEST_AMOUNT:
        raise ValueError(told)
    return amount


def _text(told: Any, most: int) -> str:
    """Read a text that our columns can hold; nothing is an empty one."""
    text = "" if told is None else str(told)
    if len(text) > most or "\x00" in text:
        raise ValueError(most)
    return text


def moment(written: str) -> datetime:
    """Read a moment of the provider: fractions of a second come with 2 to 9 digits; without a zone it is UTC.

    Raises:
        ValueError: it is none.
    """
    six = FRACTION.sub(lambda digits: f".{digits[1][:6]:0<6}", written).replace("Z", "+00:00")
    read_as = datetime.fromisoformat(six)
    return read_as if read_as.tzinfo else read_as.replace(tzinfo=UTC)


def _refunds(body: dict[str, Any]) -> tuple[ProviderRefund, ...]:
    """Read the refunds of an order, or of the answer to a refund."""
    listed = body["transactions"].get("refunds") or []
    return tuple(
        ProviderRefund(id=_text(each["id"], 64), amount=_money(each["amount"]), status=_text(each["status"], 40))
        for each in listed
    )


def _expiry(body: dict[str, Any]) -> datetime | None:
    """Return created_date + expiration_time; the API names no moment."""
    duration = DURATION.fullmatch(str(body.get("expiration_time", "")))
    if duration is None or "created_date" not in body:
        return None
    parts = {name: int(value) for name, value in duration.groupdict(default="0").items()}
    return moment(str(body["created_date"])) + timedelta(**parts)

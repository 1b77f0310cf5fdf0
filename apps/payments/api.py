"""The payments API: parse, call one function, say the answer."""

from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.facade import (
    IDEMPOTENCY_KEY,
    REPLAYED,
    Answer,
    Claim,
    RivalRunningError,
    RivalWonError,
    Role,
    StrictCharField,
    StrictSerializer,
    claim_from,
    correct_answer,
    keep_answer,
    refuses,
    stored_answer,
)
from apps.payments import answers, refunds, services
from apps.payments.documents import payment_document, refund_document
from apps.payments.models import Charge
from apps.payments.queries import refunds_of
from apps.payments.rules import ASKED_FOR, Method, State, Tender
from apps.stores.facade import caller, may

STAFF = (Role.CASHIER, Role.MANAGER, Role.OWNER)


class NewPaymentSerializer(StrictSerializer):
    """What to pay and how."""

    order = serializers.UUIDField()
    method = serializers.ChoiceField(choices=[(each.value, each.label) for each in ASKED_FOR])


class PaymentsView(APIView):
    """Start a payment."""

    permission_classes = [may(Role.KIOSK, Role.CUSTOMER, *STAFF)]

    @extend_schema(
        operation_id="pay_order",
        summary="Start a payment",
        request=NewPaymentSerializer,
        responses={201: answers.Payment, 202: answers.Payment},
        parameters=[IDEMPOTENCY_KEY, REPLAYED],
        extensions=refuses(
            "not_found",
            "already_paid",
            "release_required",
            "charge_locked",
            "idempotency_conflict",
            "idempotency_key_reused",
        ),
    )
    def post(self, request: Request) -> HttpResponse:
        """Answer 201 with the QR, 202 while the provider is away, and a repeat with the same bytes."""
        claim = claim_from(
            request.headers.get("Idempotency-Key"), principal=caller(request).principal, body=request.data
        )
        known = stored_answer(claim)
        if known is None:
            known = self._repeat_of(claim)
        if known is not None:
            response = HttpResponse(known.body, status=known.status, content_type="application/json")
            response["Idempotent-Replayed"] = "true"
            return response
        asked = NewPaymentSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        charge = services.open_charge(
            order_id=asked.validated_data["order"],
            method=Method(asked.validated_data["method"]),
            by=caller(request),
            claim=claim,
            at=timezone.now(),
        )
        answer = _answer(charge)
        if answer.status == 201:  # noqa: PLR2004
            # The key may have been used for something else meanwhile; the charge stands all the same.
            with suppress(RivalWonError), transaction.atomic():
                keep_answer(claim, answer)
        return HttpResponse(answer.body, status=answer.status, content_type="application/json")

    def _repeat_of(self, claim: Claim) -> Answer | None:
        """Answer a key whose charge is there but whose answer was never stored: the caller never got one."""
        charge = services.replayed_charge(claim)
        if charge is None:
            return None
        if charge.state == State.CREATING:
            raise RivalRunningError("Esta cobrança já está sendo criada.")
        return _answer(charge)


class PaymentView(APIView):
    """One payment."""

    permission_classes = [may(Role.KIOSK, Role.CUSTOMER, Role.AUDITOR, *STAFF)]

    @extend_schema(
        operation_id="get_payment",
        summary="See how a payment stands",
        responses={200: answers.PaymentWithRefunds},
    )
    def get(self, request: Request, payment_id: UUID) -> Response:
        """Say how it stands."""
        charge = services.charge_for(payment_id, caller(request))
        staff = caller(request).kind == "staff"
        told = [refund_document(refund, staff=staff) for refund in refunds_of(charge.id)]
        return Response({**payment_document(charge), "refunds": told})


class PaymentCheckView(APIView):
    """The guest says it is paid."""

    permission_classes = [may(Role.KIOSK, Role.CUSTOMER, *STAFF)]

    @extend_schema(
        operation_id="check_payment",
        summary="Ask the provider about a payment at once",
        request=None,
        responses={200: answers.Payment},
        extensions=refuses("throttled"),
    )
    def post(self, request: Request, payment_id: UUID) -> Response:
        """Ask the provider at once, every three seconds at most."""
        charge = services.check_now(charge_id=payment_id, by=caller(request), at=timezone.now())
        return Response(payment_document(charge))


class RefundSerializer(StrictSerializer):
    """How much goes back, all that is left when not said, and why."""

    amount = serializers.DecimalField(max_digits=10, decimal_places=2, min_value=Decimal("0.01"), required=False)
    reason = StrictCharField(max_length=140)


class PaymentRefundsView(APIView):
    """Money back, while the order goes on."""

    permission_classes = [may(*STAFF)]

    @extend_schema(
        operation_id="refund_payment",
        summary="Give money back",
        request=RefundSerializer,
        responses={201: answers.Refund},
        parameters=[IDEMPOTENCY_KEY, REPLAYED],
        extensions=refuses(
            "refund_limit", "invalid_transition", "refund_exceeds", "idempotency_conflict", "idempotency_key_reused"
        ),
    )
    def post(self, request: Request, payment_id: UUID) -> HttpResponse:
        """Owe it, or answer a repeat with the same bytes; the provider is asked by the engine."""
        body = {"payment": str(payment_id), "body": request.data}
        claim = claim_from(request.headers.get("Idempotency-Key"), principal=caller(request).principal, body=body)
        asked = RefundSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        answer = stored_answer(claim)
        if answer is None:
            try:
                answer = self._refund(request, payment_id, claim, asked.validated_data)
            except RivalWonError:
                answer = stored_answer(claim)
        if answer is None:
            raise RivalRunningError("Esta devolução já está sendo pedida.")
        response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
        if answer.replayed:
            response["Idempotent-Replayed"] = "true"
        return response

    @transaction.atomic
    def _refund(self, request: Request, payment_id: UUID, claim: Claim, told: dict[str, Any]) -> Answer:
        """Take the key first, so that a rival waits for it and not for the money."""
        keep_answer(claim, Answer(status=201, body=b"{}"))
        refund = refunds.request_refund(
            charge_id=payment_id,
            amount=told.get("amount"),
            reason=told["reason"],
            by=caller(request),
            at=timezone.now(),
        )
        answer = Answer(status=201, body=orjson.dumps(refund_document(refund)))
        correct_answer(claim, answer)
        return answer


class ConfirmSerializer(StrictSerializer):
    """What the guest handed over."""

    tender = serializers.ChoiceField(choices=Tender.choices)
    received = serializers.DecimalField(max_digits=10, decimal_places=2, min_value=0, required=False)


class PaymentConfirmView(APIView):
    """Paid at the counter."""

    permission_classes = [may(*STAFF)]

    @extend_schema(
        operation_id="confirm_payment",
        summary="Take a payment at the counter",
        request=ConfirmSerializer,
        responses={200: answers.ConfirmedPayment},
        extensions=refuses("invalid_transition"),
    )
    def post(self, request: Request, payment_id: UUID) -> Response:
        """Record it and say the change."""
        asked = ConfirmSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        charge = services.confirm_counter(
            charge_id=payment_id,
            tender=Tender(asked.validated_data["tender"]),
            received=asked.validated_data.get("received"),
            by=caller(request),
            at=timezone.now(),
        )
        change = (charge.received_amount or charge.amount) - charge.amount
        return Response({**payment_document(charge), "change": str(change)})


def _answer(charge: Charge) -> Answer:
    """Say a charge just made: 202 until the provider has it."""
    waiting = charge.state in (State.CREATING, State.QUEUED)
    return Answer(status=202 if waiting else 201, body=orjson.dumps(payment_document(charge)))

"""What the payments API answers, told to its schema; see ``core.answers``. ``documents`` builds it."""

from rest_framework import serializers

from apps.core.facade import Money, Shape
from apps.payments.rules import ASKED_FOR, Cause, RefundState, State


class Payment(Shape):
    """One attempt to be paid for an order."""

    id = serializers.UUIDField()
    order = serializers.UUIDField()
    method = serializers.ChoiceField(choices=[(each.value, each.label) for each in ASKED_FOR])
    training = serializers.BooleanField(help_text="Practice: nobody is charged, and a code pays itself.")
    status = serializers.ChoiceField(choices=State.choices)
    amount = Money()
    refunded_amount = Money()
    qr_data = serializers.CharField(allow_null=True, help_text="What the QR says; null unless it can be paid now.")
    qr_svg = serializers.CharField(
        allow_null=True, help_text="The QR as an SVG document; null unless it can be paid now."
    )
    expires_at = serializers.DateTimeField(allow_null=True)
    provider_reference = serializers.CharField(allow_null=True, help_text="Mercado Pago's id of its order.")


class Refund(Shape):
    """Money on its way back."""

    id = serializers.UUIDField()
    payment = serializers.UUIDField()
    status = serializers.ChoiceField(choices=RefundState.choices)
    amount = Money()
    created_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)
    cause = serializers.ChoiceField(choices=Cause.choices, required=False, help_text="For staff alone.")
    reason = serializers.CharField(required=False, help_text="For staff alone.")
    problem = serializers.CharField(required=False, help_text="For staff alone; empty while nothing went wrong.")


class PaymentWithRefunds(Payment):
    """A payment, and what went back of it."""

    refunds = Refund(many=True)


class ConfirmedPayment(Payment):
    """A payment taken at the counter."""

    change = Money(help_text="To be handed back.")

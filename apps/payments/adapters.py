"""Which provider serves which method."""

from apps.payments.providers import PaymentProvider
from apps.payments.providers.mercado_pago.qr import MercadoPagoQr
from apps.payments.providers.training.qr import TrainingQr
from apps.payments.rules import Method

PROVIDERS: dict[str, PaymentProvider] = {Method.MERCADO_PAGO_QR: MercadoPagoQr(), Method.TRAINING: TrainingQr()}

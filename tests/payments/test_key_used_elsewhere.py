"""One key for a checkout and a payment at the same moment: the charge stands and the guest gets the QR."""

import pytest

from apps.core.idempotency import Answer, Claim, keep_answer
from apps.core.models import IdempotencyKey
from apps.orders.models import Order
from apps.payments.models import Charge
from apps.payments.providers.mercado_pago.qr import MercadoPagoQr
from apps.payments.rules import State
from tests.fixtures import Screen
from tests.payments.conftest import Provider


def test_key_taken_while_the_provider_was_asked_loses_no_charge(
    provider: Provider, order: Order, kiosk: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    principal = kiosk.actor.principal
    asked = MercadoPagoQr.create

    # The real call, with the rival let in right before it: the only moment at which this can happen.
    def rival_first(self: MercadoPagoQr, charge: Charge) -> object:
        keep_answer(Claim(principal, "one-key", b"x" * 32), Answer(201, b'{"other": 1}'))
        return asked(self, charge)

    monkeypatch.setattr(MercadoPagoQr, "create", rival_first)
    reply = kiosk.post("/payments", {"order": str(order.id), "method": "mercado_pago_qr"}, key="one-key")

    assert (reply.status, reply.body["status"]) == (201, State.PENDING)
    assert Charge.objects.get().state == State.PENDING
    assert bytes(IdempotencyKey.objects.get(key="one-key").body) == b'{"other": 1}'

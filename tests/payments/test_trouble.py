"""The provider away, slow or half-way: the charge waits, and the same request is sent again."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments.models import Charge
from apps.payments.rules import Method, State
from apps.payments.services import advance_charge, claim_due, open_charge
from tests.factories import claim
from tests.fixtures import Screen, broken_rules
from tests.payments.conftest import CREATE, READ, Provider

AWAY = [
    {"do": "status", "status": 503},
    {"do": "status", "status": 500},
    {"do": "status", "status": 429},
    {"do": "status", "status": 423},
    {"do": "reset"},
    {"do": "timeout", "delay_ms": 1500},
    {"do": "badjson"},
    {"do": "html"},
]


def name_of(fault: dict[str, object]) -> str:
    return " ".join(str(value) for value in fault.values())


@pytest.fixture
def now(settings: Settings) -> datetime:
    settings.MP_READ_TIMEOUT_SECONDS = 0.4
    return timezone.now()


def charge(order: Order, kiosk: Screen, at: datetime) -> Charge:
    return open_charge(
        order_id=order.id, method=Method.MERCADO_PAGO_QR, by=kiosk.actor, claim=claim(kiosk.actor), at=at
    )


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("fault", AWAY, ids=name_of)
def test_create_without_an_answer_is_sent_again_and_makes_one_order(
    phase: str, fault: dict[str, object], provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    provider.fault(CREATE, phase=phase, **fault)

    queued = charge(order, kiosk, now)
    assert (queued.state, queued.qr_data, queued.provider_order_id) == (State.QUEUED, "", None)
    assert queued.next_check_at == now + timedelta(seconds=2)
    healed = advance_charge(charge_id=queued.id, at=now + timedelta(seconds=15))

    first, second = provider.requests
    assert healed.state == State.PENDING
    assert healed.qr_data != ""
    assert provider.orders == 1
    assert first["idempotency_key"] == second["idempotency_key"] == queued.create_key
    assert first["body"] == second["body"]
    provider.pay(healed.provider_order_id)
    advance_charge(charge_id=healed.id, at=now + timedelta(seconds=30))
    order.refresh_from_db()
    assert order.status == Status.RECEIVED
    assert broken_rules() == {}


@pytest.mark.parametrize("fault", AWAY, ids=name_of)
def test_question_without_an_answer_is_asked_again(
    fault: dict[str, object], provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now)
    provider.pay(opened.provider_order_id)
    provider.fault(READ, **fault)

    postponed = advance_charge(charge_id=opened.id, at=now)
    assert (postponed.state, postponed.leased_until) == (State.PENDING, None)
    order.refresh_from_db()
    assert order.status == Status.AWAITING_PAYMENT

    settled = advance_charge(charge_id=opened.id, at=now + timedelta(seconds=15))
    assert settled.state == State.APPROVED


def test_nobody_at_the_address_queues_the_charge(
    provider: Provider, order: Order, kiosk: Screen, now: datetime, settings: Settings
) -> None:
    real, settings.MP_BASE_URL = settings.MP_BASE_URL, "http://127.0.0.1:9"

    queued = charge(order, kiosk, now)
    assert queued.state == State.QUEUED

    settings.MP_BASE_URL = real
    assert advance_charge(charge_id=queued.id, at=now + timedelta(seconds=15)).state == State.PENDING


def test_charge_whose_process_died_is_due_again_and_made_once(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    """The commit of the charge is the last thing the dead process did."""
    opened = charge(order, kiosk, now)
    Charge.objects.filter(id=opened.id).update(
        state=State.CREATING, provider_order_id=None, qr_data="", next_check_at=now, leased_until=now
    )

    assert claim_due(at=now) == [opened.id]
    healed = advance_charge(charge_id=opened.id, at=now)

    assert (healed.state, healed.amount) == (State.PENDING, Decimal("47.50"))
    assert provider.orders == 1
    assert [request["replayed"] for request in provider.requests] == [False, True]


def test_only_due_charges_are_offered_and_each_once(
    provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now)

    assert claim_due(at=now + timedelta(seconds=1)) == []
    assert claim_due(at=now + timedelta(seconds=2)) == [opened.id]
    assert claim_due(at=now + timedelta(seconds=16)) == []
    assert claim_due(at=now + timedelta(seconds=17)) == [opened.id]


@pytest.mark.parametrize("state", [State.REFUNDED, State.CHARGED_BACK])
def test_ended_charge_is_never_due(
    state: State, provider: Provider, order: Order, kiosk: Screen, now: datetime
) -> None:
    opened = charge(order, kiosk, now)
    Charge.objects.update(state=state, settled_at=now, next_check_at=now)

    assert claim_due(at=now) == []
    assert advance_charge(charge_id=opened.id, at=now) is None
    assert provider.calls == ["POST /v1/orders"]


def test_settled_charge_is_not_due_by_the_clock(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    opened = charge(order, kiosk, now)
    provider.pay(opened.provider_order_id)
    assert advance_charge(charge_id=opened.id, at=now).state == State.APPROVED

    assert claim_due(at=now + timedelta(days=1)) == []

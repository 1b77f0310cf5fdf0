"""Money back on demand: who may give how much, and one effect at the provider whatever is lost on the way."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.actors import Role
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments import lines, refunds
from apps.payments.accounts import FROM_SETTINGS
from apps.payments.errors import (
    NoMoneyError,
    PaymentNotFoundError,
    RefundExceedsError,
    RefundLimitError,
    RefundNotFoundError,
)
from apps.payments.models import Charge, Refund
from apps.payments.providers.mercado_pago.qr import MercadoPagoQr
from apps.payments.services import advance_charge
from apps.stores.models import Store
from tests.factories import StoreFactory, staff
from tests.fixtures import Screen, broken_rules
from tests.payments.back import REFUND, engine_looks, ledger, open_qr, paid_by_qr, paid_in_cash, sent, told_refunded
from tests.payments.conftest import READ, Provider

PAID = Decimal("47.50")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now(settings: Settings) -> datetime:
    settings.MP_READ_TIMEOUT_SECONDS = 0.5
    return timezone.now()


@pytest.fixture
def charge(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> Charge:
    return paid_by_qr(provider, order, kiosk, now)


def ask(charge: Charge, amount: str | None, at: datetime, role: Role = Role.MANAGER) -> Refund:
    return refunds.request_refund(
        charge_id=charge.id,
        amount=Decimal(amount) if amount else None,
        reason="veio frio",
        by=staff(role, charge.order.store),
        at=at,
    )


def test_full_refund_has_no_body_and_the_order_goes_on(
    provider: Provider, charge: Charge, order: Order, now: datetime
) -> None:
    refund = ask(charge, None, now)
    assert (refund.amount, refund.state) == (PAID, "queued")

    engine_looks(now)

    charge.refresh_from_db()
    refund.refresh_from_db()
    order.refresh_from_db()
    assert (charge.state, charge.refunded_amount, refund.state) == ("refunded", PAID, "done")
    assert refund.provider_refund_id
    assert [entry["body"] for entry in sent(provider)] == [""]
    assert (order.status, told_refunded()) == (Status.RECEIVED, [("47.50", "requested")])
    assert broken_rules() == {}


def test_two_parts_and_a_third_that_is_too_much(provider: Provider, charge: Charge, now: datetime) -> None:
    for amount in ("10.00", "20.00"):
        ask(charge, amount, now)
    engine_looks(now)
    engine_looks(now + MINUTE)

    charge.refresh_from_db()
    assert (charge.state, charge.refunded_amount) == ("partially_refunded", Decimal("30.00"))
    with pytest.raises(RefundExceedsError) as refused:
        ask(charge, "17.51", now)
    assert refused.value.extra == {"left": "17.50"}
    assert Refund.objects.count() == 2
    assert ledger(provider) == (PAID, Decimal("30.00"))

    ask(charge, None, now)
    engine_looks(now + 2 * MINUTE)
    charge.refresh_from_db()
    assert (charge.state, ledger(provider)) == ("refunded", (PAID, PAID))
    with pytest.raises(NoMoneyError):
        ask(charge, None, now)
    assert broken_rules() == {}


def test_shop_without_refunds_in_part_asks_for_none(
    provider: Provider, charge: Charge, now: datetime, settings: Settings
) -> None:
    settings.MP_PARTIAL_REFUND = "off"
    part = ask(charge, "10.00", now)
    engine_looks(now)
    part.refresh_from_db()
    assert (part.state, len(sent(provider))) == ("refused", 0)

    ask(charge, None, now)
    engine_looks(now)
    assert ledger(provider) == (PAID, PAID)
    assert broken_rules() == {}


def test_part_that_the_provider_does_not_do_is_for_staff(
    provider: Provider, charge: Charge, order: Order, now: datetime
) -> None:
    provider.control("settings", {"partial_refunds": False})
    refund = ask(charge, "10.00", now)

    engine_looks(now)

    refund.refresh_from_db()
    order.refresh_from_db()
    assert refund.state == "refused"
    assert "unsupported_partially_refunds" in refund.problem
    assert order.attention.startswith("Devolução recusada")
    assert engine_looks(now + MINUTE) == []
    assert (ledger(provider), told_refunded()) == ((PAID, 0), [])

    ask(charge, None, now)  # what was refused does not count
    engine_looks(now)
    assert ledger(provider) == (PAID, PAID)
    assert broken_rules() == {}


def test_refused_refund_is_tried_again_with_its_own_key(provider: Provider, charge: Charge, now: datetime) -> None:
    provider.control("settings", {"partial_refunds": False})
    refund = ask(charge, "10.00", now)
    engine_looks(now)
    provider.control("settings", {"partial_refunds": True})
    with pytest.raises(RefundNotFoundError):
        refunds.retry_refund(refund_id=refund.id, by=staff(Role.MANAGER, StoreFactory()), at=now)

    refunds.retry_refund(refund_id=refund.id, by=staff(Role.CASHIER, charge.order.store), at=now)
    engine_looks(now)

    first, second = sent(provider)
    assert (first["idempotency_key"], first["body"]) == (second["idempotency_key"], second["body"])
    assert ledger(provider) == (PAID, Decimal("10.00"))
    assert broken_rules() == {}


@pytest.mark.parametrize("amount", [None, "12.50"])
@pytest.mark.parametrize("do", ["reset", "timeout", "html", "badjson", "status"])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_refund_without_an_answer_is_sent_again_and_made_once(
    phase: str, do: str, amount: str | None, provider: Provider, charge: Charge, now: datetime
) -> None:
    refund = ask(charge, amount, now)
    provider.fault(REFUND, phase=phase, do=do, delay_ms=900 if do == "timeout" else 0)

    engine_looks(now)
    refund.refresh_from_db()
    assert (refund.state, refund.leased_until) == ("sending", None)
    assert broken_rules() == {}
    engine_looks(now + MINUTE)

    first, second = sent(provider)
    refund.refresh_from_db()
    assert first["idempotency_key"] == second["idempotency_key"] == refund.key
    assert first["body"] == second["body"]
    assert (refund.state, ledger(provider)) == ("done", (PAID, refund.amount))
    assert len(told_refunded()) == 1
    assert broken_rules() == {}


def test_slow_refund_is_asked_about_until_it_is_there(provider: Provider, charge: Charge, now: datetime) -> None:
    provider.control("settings", {"refund_mode": "async", "refund_delay_s": 30})
    refund = ask(charge, None, now)

    engine_looks(now)
    engine_looks(now + MINUTE)
    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.state, charge.state, told_refunded()) == ("processing", "approved", [])
    assert broken_rules() == {}
    provider.control("clock", {"advance_s": 31})
    engine_looks(now + 2 * MINUTE)

    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.state, charge.state, len(sent(provider))) == ("done", "refunded", 1)
    assert told_refunded() == [("47.50", "requested")]


def test_key_that_the_provider_knows_with_other_bytes_is_settled_by_its_list(
    provider: Provider, charge: Charge, now: datetime
) -> None:
    """The refund went through, but with bytes that ours no longer are."""
    refund = ask(charge, "10.00", now)
    provider.fault(REFUND, phase="after", do="reset")
    engine_looks(now)
    Refund.objects.filter(id=refund.id).update(body=bytes(Refund.objects.get().body).replace(b"10.00", b"10.01"))

    engine_looks(now + MINUTE)

    refund.refresh_from_db()
    assert (refund.state, ledger(provider)) == ("done", (PAID, Decimal("10.00")))
    assert broken_rules() == {}


def test_wrong_credentials_make_no_storm_and_lose_nothing(
    provider: Provider, charge: Charge, now: datetime, settings: Settings
) -> None:
    refund = ask(charge, None, now)
    right, settings.MP_ACCESS_TOKEN = settings.MP_ACCESS_TOKEN, "APP_USR-WRONG"
    before = len(provider.requests)

    for seconds in range(0, 240, 20):
        engine_looks(now + timedelta(seconds=seconds))

    refund.refresh_from_db()
    assert (refund.state, len(provider.requests) - before) == ("queued", 1)
    assert "credencial" in refund.problem
    settings.MP_ACCESS_TOKEN = right
    lines.forgive(FROM_SETTINGS)  # as putting in new credentials does
    engine_looks(now + 6 * MINUTE)
    assert ledger(provider) == (PAID, PAID)


def test_money_the_seller_gave_back_is_found_and_flagged(
    provider: Provider, charge: Charge, order: Order, now: datetime
) -> None:
    provider.control(f"orders/{charge.provider_order_id}/refund_by_seller", {"amount": "7.50"})

    advance_charge(charge_id=charge.id, at=now + MINUTE)

    charge.refresh_from_db()
    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.cause, refund.amount, refund.state) == ("outside", Decimal("7.50"), "done")
    assert (charge.state, charge.refunded_amount) == ("partially_refunded", Decimal("7.50"))
    assert (order.status, order.attention) == (Status.RECEIVED, "R$ 7,50 devolvidos direto no provedor")
    assert broken_rules() == {}
    advance_charge(charge_id=charge.id, at=now + 2 * MINUTE)
    assert Refund.objects.count() == 1


def test_refund_shrinks_to_what_the_seller_has_left(provider: Provider, charge: Charge, now: datetime) -> None:
    refund = ask(charge, None, now)
    provider.control(f"orders/{charge.provider_order_id}/refund_by_seller", {"amount": "7.50"})

    engine_looks(now)

    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.amount, refund.state, charge.state) == (Decimal("40.00"), "done", "refunded")
    assert ledger(provider) == (PAID, PAID)
    assert broken_rules() == {}


def test_refund_on_its_way_shrinks_to_what_the_seller_has_left(
    provider: Provider, charge: Charge, now: datetime
) -> None:
    refund = ask(charge, None, now)
    provider.fault(REFUND)
    engine_looks(now)
    provider.control(f"orders/{charge.provider_order_id}/refund_by_seller", {"amount": "20.00"})

    advance_charge(charge_id=charge.id, at=now)
    assert broken_rules() == {}
    engine_looks(now + MINUTE)

    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.state, refund.amount, charge.state) == ("done", Decimal("27.50"), "refunded")
    assert told_refunded() == [("20.00", "outside"), ("27.50", "requested")]
    assert broken_rules() == {}


def test_refund_that_met_the_sellers_own_at_the_provider_comes_to_an_end(
    provider: Provider, charge: Charge, now: datetime
) -> None:
    """No news of the seller's refund has come when ours, of all that is left, turns out to be of less than we asked for."""
    refund = ask(charge, None, now)
    provider.fault(REFUND)
    engine_looks(now)
    provider.control(f"orders/{charge.provider_order_id}/refund_by_seller", {"amount": "20.00"})

    engine_looks(now + MINUTE)

    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.state, refund.amount, charge.state) == ("done", Decimal("27.50"), "refunded")
    assert (ledger(provider), engine_looks(now + timedelta(hours=1))) == ((PAID, PAID), [])
    assert broken_rules() == {}


def test_part_on_its_way_that_is_no_longer_there_is_for_staff(
    provider: Provider, charge: Charge, now: datetime
) -> None:
    refund = ask(charge, "30.00", now)
    provider.fault(REFUND)
    engine_looks(now)
    provider.control(f"orders/{charge.provider_order_id}/refund_by_seller", {"amount": "20.00"})

    advance_charge(charge_id=charge.id, at=now)

    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.state, refund.problem) == ("refused", "Já devolvido direto no provedor.")
    assert (charge.state, charge.refunded_amount) == ("partially_refunded", Decimal("20.00"))
    assert (engine_looks(now + MINUTE), len(sent(provider))) == ([], 1)
    assert broken_rules() == {}


def test_refund_the_seller_made_already_is_not_made_again(provider: Provider, charge: Charge, now: datetime) -> None:
    refund = ask(charge, None, now)
    provider.control(f"orders/{charge.provider_order_id}/refund_by_seller", {})

    engine_looks(now)

    refund.refresh_from_db()
    assert (refund.state, sent(provider), ledger(provider)) == ("done", [], (PAID, PAID))
    assert (Refund.objects.count(), told_refunded()) == (1, [("47.50", "requested")])


def test_forgotten_key_is_not_sent_blindly(provider: Provider, charge: Charge, now: datetime) -> None:
    """After a day the provider would take the same request for a new one."""
    refund = ask(charge, "10.00", now)
    provider.fault(REFUND, phase="after", do="reset")
    engine_looks(now)
    provider.control("clock", {"advance_s": 25 * 3600})

    engine_looks(now + timedelta(hours=25))

    refund.refresh_from_db()
    assert (refund.state, len(sent(provider)), ledger(provider)) == ("done", 1, (PAID, Decimal("10.00")))


CRASHES = ["_lease", "_prepare", "_record"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", CRASHES)
@pytest.mark.parametrize("amount", [None, "12.50"])
def test_crash_at_any_commit_leaves_one_refund(
    amount: str | None,
    step: str,
    after: bool,
    provider: Provider,
    charge: Charge,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process dies right before or right after one of the three commits, or after the call; the next look heals it."""
    refund = ask(charge, amount, now)
    real: Callable[..., object] = getattr(refunds, step)

    def dies(*arguments: object, **named: object) -> object:
        if after:
            real(*arguments, **named)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(refunds, step, dies)
        with pytest.raises(SystemExit):
            refunds.advance_refund(refund_id=refund.id, at=now)
    assert broken_rules() == {}

    for minutes in (1, 2, 3):
        engine_looks(now + minutes * MINUTE)

    refund.refresh_from_db()
    assert (refund.state, ledger(provider)) == ("done", (PAID, refund.amount))
    assert {entry["idempotency_key"] for entry in sent(provider)} == {refund.key}
    assert len(told_refunded()) == 1
    assert broken_rules() == {}


def test_crash_inside_the_call_leaves_one_refund(
    provider: Provider, charge: Charge, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund = ask(charge, "12.50", now)
    real = MercadoPagoQr.refund

    def dies(self: MercadoPagoQr, *arguments: Charge | Refund) -> object:
        real(self, *arguments)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(MercadoPagoQr, "refund", dies)
        with pytest.raises(SystemExit):
            refunds.advance_refund(refund_id=refund.id, at=now)

    engine_looks(now + MINUTE)
    assert (Refund.objects.get().state, ledger(provider)) == ("done", (PAID, Decimal("12.50")))


def test_cash_goes_back_by_hand_at_once(order: Order, kiosk: Screen, now: datetime) -> None:
    charge = paid_in_cash(order, kiosk, now)
    cashier = staff(Role.CASHIER, kiosk.store)

    refund = refunds.request_refund(charge_id=charge.id, amount=None, reason="errado", by=cashier, at=now)

    charge.refresh_from_db()
    assert (refund.state, refund.asked_by_id) == ("done", cashier.id)
    assert refund.done_at is not None
    assert refund.done_at >= now  # the database's clock, in turn with the drawer
    assert (charge.state, engine_looks(now), told_refunded()) == ("refunded", [], [("47.50", "requested")])
    assert broken_rules() == {}


def test_cashier_gives_little_back_and_not_in_slices(
    provider: Provider, charge: Charge, now: datetime, settings: Settings
) -> None:
    settings.REFUND_LIMIT_CASHIER = 15
    ask(charge, "10.00", now, Role.CASHIER)

    for amount in ("5.01", None):
        with pytest.raises(RefundLimitError):
            ask(charge, amount, now, Role.CASHIER)

    ask(charge, "5.00", now, Role.CASHIER)
    ask(charge, None, now, Role.OWNER)
    assert [refund.amount for refund in Refund.objects.order_by("created_at", "id")] == [10, 5, Decimal("32.50")]


@pytest.mark.parametrize(
    ("role", "here"), [(Role.KITCHEN, True), (Role.AUDITOR, True), (Role.KIOSK, True), (Role.MANAGER, False)]
)
def test_only_the_counter_of_the_store_gives_back(
    role: Role, here: bool, charge: Charge, store: Store, now: datetime
) -> None:
    by = staff(role, store if here else StoreFactory())

    with pytest.raises(PaymentNotFoundError):
        refunds.request_refund(charge_id=charge.id, amount=None, reason="x", by=by, at=now)

    assert not Refund.objects.exists()


def test_unpaid_charge_has_nothing_to_give_back(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    charge = open_qr(order, kiosk, now)

    with pytest.raises(NoMoneyError):
        ask(charge, None, now)


def test_question_that_fails_first_sends_nothing(provider: Provider, charge: Charge, now: datetime) -> None:
    refund = ask(charge, None, now)
    provider.fault(READ, do="status", status=503)

    engine_looks(now)
    refund.refresh_from_db()
    assert (refund.state, sent(provider)) == ("queued", [])
    engine_looks(now + MINUTE)
    assert ledger(provider) == (PAID, PAID)


def test_row_of_one_charge_on_its_way_alone(provider: Provider, charge: Charge, now: datetime) -> None:
    """The table itself refuses a second one whose outcome nobody could tell from the first."""
    for _ in range(2):
        ask(charge, "10.00", now)
    provider.fault(REFUND, phase="before", do="reset", times=2)

    engine_looks(now)
    assert sorted(Refund.objects.values_list("state", flat=True)) == ["queued", "sending"]
    for minutes in range(1, 6):
        engine_looks(now + minutes * MINUTE)

    assert list(Refund.objects.values_list("state", flat=True)) == ["done", "done"]
    assert ledger(provider) == (PAID, Decimal("20.00"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT provider_refund_id) FROM payments_refund")
        assert cursor.fetchone() == (2,)

"""A store for training: its orders are paid by nobody, nothing is called, and no figure, closing or desk knows of it."""

from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from apps.catalog.models import Product
from apps.core.actors import Role
from apps.inventory.models import StockLevel
from apps.orders.cancel import cancel_order
from apps.orders.models import CancelStep, Order
from apps.orders.rules import Status
from apps.orders.services import expire_unpaid
from apps.payments import closing, desk, inbox, refunds, services
from apps.payments.errors import ClosingNotFoundError
from apps.payments.models import Charge, Closing, ProviderLine, Refund
from apps.payments.rules import Method, State
from apps.promotions.models import Coupon, CouponUse
from apps.promotions.rules import Kind
from apps.stores.models import Store
from breadmate import doctor
from tests.factories import ProductFactory, StoreFactory, claim, new_menu, place, staff, stocked_product
from tests.fixtures import Screen, broken_rules
from tests.payments.back import engine_looks, open_qr, paid_in_cash
from tests.payments.conftest import Provider
from tests.trail.conftest import browser_of, page_of, person

pytestmark = pytest.mark.django_db

PRICE = Decimal("47.50")
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(db: None) -> Store:
    """The store of this module's kiosk and order is one for training."""
    return StoreFactory(code="CENTROTREINO", name="Centro · treino", training=True)


@pytest.fixture
def past() -> datetime:
    """A minute ago: whatever was asked for then has waited for long enough to be paid by itself."""
    return timezone.now() - A_MINUTE


def engine_asks(at: datetime) -> list[Charge]:
    """Take every charge that is due one step on."""
    ids = services.claim_due(at=at)
    for charge_id in ids:
        services.advance_charge(charge_id=charge_id, at=at)
    return list(Charge.objects.filter(id__in=ids))


def ended(order: Order) -> Status:
    """Let the order's time be over, and the engine look."""
    Order.objects.filter(id=order.id).update(expires_at=timezone.now() - A_MINUTE)
    expire_unpaid(at=timezone.now())
    order.refresh_from_db()
    return Status(order.status)


def answer(screen: Screen, charge: Charge) -> dict[str, Any]:
    return dict(screen.get(f"/payments/{charge.id}").body)


def counted(state: str) -> float:
    return REGISTRY.get_sample_value("mp_attempts_total", {"state": state}) or 0.0


def test_code_pays_itself_and_the_kitchen_gets_the_order(
    provider: Provider, order: Order, kiosk: Screen, settings: Settings
) -> None:
    settings.TRAINING_PAYS_AFTER_SECONDS = 3600
    before = counted("approved")
    reply = kiosk.post("/payments", {"order": str(order.id), "method": "mercado_pago_qr"}, key="k")
    told = reply.body

    assert (reply.status, told["status"], told["method"], told["training"]) == (201, "pending", "mercado_pago_qr", True)
    assert told["qr_data"].startswith("TREINO BREADMATE")
    assert "br.gov.bcb.pix" not in told["qr_data"].lower()
    assert "<svg" in told["qr_svg"]
    charge = Charge.objects.get()
    assert (charge.method, charge.account_id, bytes(charge.create_body)) == (Method.TRAINING, None, b"")

    assert [each.state for each in engine_asks(timezone.now() + A_MINUTE)] == [State.PENDING]
    settings.TRAINING_PAYS_AFTER_SECONDS = 0
    assert [each.state for each in engine_asks(timezone.now() + 2 * A_MINUTE)] == [State.APPROVED]
    order.refresh_from_db()
    assert order.status == Status.RECEIVED
    assert kiosk.get(f"/payments/{charge.id}").body["status"] == "approved"
    assert kiosk.get(f"/orders/{order.id}").body["training"] is True
    assert (provider.requests, ProviderLine.objects.count()) == ([], 0)
    assert counted("approved") == before
    assert broken_rules() == {}


def test_pace_does_not_hang_on_notifications_of_real_accounts(
    provider: Provider, order: Order, kiosk: Screen, settings: Settings
) -> None:
    settings.TRAINING_PAYS_AFTER_SECONDS = 3600
    now = timezone.now()
    ProviderLine.objects.create(key="settings", filled_at=now, last_webhook_at=now)

    charge = open_qr(order, kiosk, now)

    assert charge.next_check_at == now + timedelta(seconds=2)


def test_news_of_the_account_is_no_reason_to_ask(order: Order, kiosk: Screen, settings: Settings) -> None:
    settings.TRAINING_PAYS_AFTER_SECONDS = 3600
    now = timezone.now()
    due = open_qr(order, kiosk, now).next_check_at

    assert inbox._sweep("", now)

    assert Charge.objects.get().next_check_at == due


def test_nobody_asks_for_training_by_name(provider: Provider, order: Order, kiosk: Screen) -> None:
    reply = kiosk.post("/payments", {"order": str(order.id), "method": "training"}, key="k")

    assert (reply.code, reply.errors) == ((400, "invalid"), [("method", "invalid_choice")])


def test_real_store_is_never_paid_by_itself(provider: Provider, past: datetime) -> None:
    real = Screen(StoreFactory(code="CENTRO"))
    order = place(real.device, stocked_product(real.store, 5))
    by = real.actor

    charge = services.open_charge(order_id=order.id, method=Method.TRAINING, by=by, claim=claim(by), at=past)

    assert (charge.method, provider.calls) == (Method.MERCADO_PAGO_QR, ["POST /v1/orders"])
    assert answer(real, charge)["training"] is False


def test_counter_of_training_takes_its_own_money(provider: Provider, order: Order, kiosk: Screen) -> None:
    before = counted("approved")
    charge = paid_in_cash(order, kiosk, timezone.now())

    assert (order.status, charge.method, counted("approved")) == (Status.RECEIVED, Method.COUNTER, before)
    assert (answer(kiosk, charge)["training"], provider.requests) == (True, [])
    assert broken_rules() == {}


def paid(order: Order, kiosk: Screen, at: datetime) -> Charge:
    charge = open_qr(order, kiosk, at)
    [settled] = engine_asks(at + A_MINUTE)
    assert (settled.id, settled.state) == (charge.id, State.APPROVED)
    order.refresh_from_db()
    return settled


def test_money_goes_back_in_part_and_whole(provider: Provider, order: Order, kiosk: Screen, past: datetime) -> None:
    charge, manager, now = paid(order, kiosk, past), staff(Role.MANAGER, kiosk.store), timezone.now()

    for amount in (Decimal("7.50"), None):
        refunds.request_refund(charge_id=charge.id, amount=amount, reason="treino", by=manager, at=now)
        assert [each.state for each in engine_looks(now)] == ["done"]

    charge.refresh_from_db()
    assert (charge.state, charge.refunded_amount) == (State.REFUNDED, PRICE)
    assert [row.amount for row in Refund.objects.order_by("amount")] == [Decimal("7.50"), Decimal("40.00")]
    assert provider.requests == []
    assert broken_rules() == {}


def test_lost_answer_to_a_refund_gives_it_back_once(order: Order, kiosk: Screen, past: datetime) -> None:
    charge, manager, now = paid(order, kiosk, past), staff(Role.MANAGER, kiosk.store), timezone.now()
    refund = refunds.request_refund(charge_id=charge.id, amount=None, reason="treino", by=manager, at=now)
    Refund.objects.filter(id=refund.id).update(state="sending", sent_at=now, next_check_at=now)

    engine_looks(now)

    charge.refresh_from_db()
    assert (charge.state, charge.refunded_amount, Refund.objects.count()) == (State.REFUNDED, PRICE, 1)


def test_paid_order_is_cancelled_step_by_step(
    provider: Provider, order: Order, product: Product, kiosk: Screen, past: datetime
) -> None:
    paid(order, kiosk, past)
    now = timezone.now()

    cancel_order(order_id=order.id, by=staff(Role.MANAGER, kiosk.store), at=now, reason="treino")
    engine_looks(now)

    assert dict(CancelStep.objects.values_list("kind", "state"))["refund"] == "done"
    assert (Charge.objects.get().state, StockLevel.objects.get().on_hand) == (State.REFUNDED, 10)
    assert provider.requests == []
    assert broken_rules() == {}


def test_cancelled_before_it_paid_itself_it_never_does(order: Order, kiosk: Screen, past: datetime) -> None:
    charge = open_qr(order, kiosk, past)
    cancel_order(order_id=order.id, by=kiosk.actor, at=past, reason="")
    now = timezone.now()

    assert [each.state for each in engine_asks(now)] == [State.CANCELLED]
    assert services.ask_again(charge_id=charge.id, by=staff(Role.MANAGER, kiosk.store), at=now).state == State.CANCELLED
    assert StockLevel.objects.get().reserved == 0
    assert broken_rules() == {}


def test_code_that_nobody_waits_for_expires_with_its_order(order: Order, kiosk: Screen, settings: Settings) -> None:
    settings.TRAINING_PAYS_AFTER_SECONDS = 3600
    long_ago = timezone.now() - timedelta(seconds=settings.MP_QR_TTL_SECONDS + 90)
    open_qr(order, kiosk, long_ago)

    assert [each.state for each in engine_asks(timezone.now())] == [State.EXPIRED]
    assert ended(order) == Status.EXPIRED
    assert StockLevel.objects.get().reserved == 0
    assert broken_rules() == {}


def test_code_of_an_expired_order_is_closed_and_never_pays(order: Order, kiosk: Screen, past: datetime) -> None:
    open_qr(order, kiosk, past)

    assert ended(order) == Status.EXPIRED
    assert [each.state for each in engine_asks(timezone.now())] == [State.CANCELLED]
    assert broken_rules() == {}


def test_no_closing_no_desk_no_figures(provider: Provider, order: Order, kiosk: Screen, past: datetime) -> None:
    charge, now = paid(order, kiosk, past), timezone.now()
    Charge.objects.filter(id=charge.id).update(state="mismatch", pays_order=False, mismatch="treino")

    assert closing.open_closings(at=now + timedelta(days=2)) == 0
    with pytest.raises(ClosingNotFoundError):
        closing.close_again(
            store_id=kiosk.store.id, day=(now - timedelta(days=9)).date(), by=staff(Role.OWNER, None), at=now
        )
    assert not Closing.objects.exists()
    assert (desk.desk(None, at=now).count, desk._count((None, now))) == (0, 0)
    office = browser_of(person(Role.OWNER, None)).get("/admin/").content.decode()
    assert "R$ 0,00" in office
    assert "R$ 47,50" not in office


def test_charge_in_a_real_store_is_on_the_desk_and_in_the_figures(provider: Provider, past: datetime) -> None:
    """So that the test above can fail."""
    real = Screen(StoreFactory(code="CENTRO"))
    order = place(real.device, stocked_product(real.store, 5, price=PRICE))
    charge = paid_in_cash(order, real, past)
    assert "R$ 47,50" in browser_of(person(Role.OWNER, None)).get("/admin/").content.decode()
    Charge.objects.filter(id=charge.id).update(state="mismatch", pays_order=False, mismatch="x")

    assert desk.desk(None, at=timezone.now()).count == 2
    assert closing.open_closings(at=timezone.now() + timedelta(days=2)) > 0


def test_provider_is_never_told_of_the_store(provider: Provider, store: Store, settings: Settings) -> None:
    out = StringIO()
    for command in ("mp_setup", "mp_doctor"):
        with pytest.raises(CommandError, match="Não há loja de verdade"):
            call_command(command, store=store.code, stdout=out)
        with pytest.raises(CommandError, match="Não há loja de verdade"):
            call_command(command, stdout=out)
    settings.MP_ACCESS_TOKEN = ""
    assert [finding.level.name for finding in doctor._credentials()] == ["OK"]
    assert provider.requests == []


def test_practising_uses_no_coupon_up(provider: Provider, store: Store, kiosk: Screen, product: Product) -> None:
    coupon = Coupon.objects.create(code="UM", name="Um só", kind=Kind.PERCENT, value=Decimal(10), use_limit=1)
    new_menu(store)

    replies = [kiosk.buy(product, coupon="UM") for _ in range(2)]

    assert [reply.body["discount_total"] for reply in replies] == ["4.75", "4.75"]
    coupon.refresh_from_db()
    assert (coupon.used, CouponUse.objects.count()) == (0, 0)
    cancel_order(
        order_id=Order.objects.order_by("-id")[0].id, by=staff(Role.MANAGER, store), at=timezone.now(), reason="treino"
    )
    assert broken_rules() == {}


def test_clients_are_told(provider: Provider, store: Store, kiosk: Screen, board: Screen, order: Order) -> None:
    real, bread = Screen(StoreFactory()), ProductFactory()
    new_menu(store, real.store)

    assert [screen.get("/menu").body["store"]["training"] for screen in (kiosk, real)] == [True, False]
    paid_in_cash(order, kiosk, timezone.now())
    assert [row["training"] for row in board.get("/orders").body["results"]] == [True]
    assert real.buy(bread).body["training"] is False


def test_store_stays_what_it_is(store: Store) -> None:
    for row in (store, StoreFactory()):
        with pytest.raises(IntegrityError, match="first day or never"), transaction.atomic():
            Store.objects.filter(id=row.id).update(training=not row.training)
    store.name = "Outro nome"
    store.save()


def test_lists_of_the_back_office_tell_practice_apart(order: Order, kiosk: Screen, past: datetime) -> None:
    paid(order, kiosk, past)
    owner = browser_of(person(Role.OWNER, None))
    for model in (Order, Charge):
        address = page_of(model, "changelist")
        shown = [owner.get(f"{address}?training={value}").content.decode().count(order.number) for value in (0, 1)]
        assert (shown[0], shown[1] > 0) == (0, True), model
        assert "Centro · treino" in owner.get(address).content.decode()


def test_pages_say_so(order: Order, kiosk: Screen, past: datetime) -> None:
    paid(order, kiosk, past)
    guest = Client()

    assert "TREINO" in guest.get(f"/t/{order.tracking_token}/").content.decode()
    receipt = guest.get(f"/t/{order.tracking_token}/recibo/").content.decode()
    assert "TREINO: sem valor fiscal nem de pagamento" in receipt
    assert "Pago com QR de treino" in receipt

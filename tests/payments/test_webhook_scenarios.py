"""Payments told by webhooks over real HTTP: the simulator posts to a served BreadMate, and an engine turns in this process.

Whatever becomes of the notifications, an order is paid once, by the provider's own answer, and the books are right.
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from apps.contracts.events import PaymentProcessed
from apps.core.models import StoredEvent
from apps.inventory.models import Reservation, StockLevel
from apps.orders.models import Order, StatusChange
from apps.orders.rules import Status
from apps.orders.services import expire_unpaid
from apps.payments import desk, inbox, webhook
from apps.payments.models import Charge, WebhookEvent
from apps.payments.notifications import Outcome
from apps.payments.rules import Method, State
from apps.payments.services import claim_due, open_charge
from apps.payments.tasks import advance_charge
from tests.factories import claim, place
from tests.fixtures import Screen, broken_rules
from tests.payments.conftest import Provider

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/payments/webhook"
SECRET = "breadmate-test-secret"
PATIENCE_SECONDS = 20.0


class Shop:
    """BreadMate as the provider sees it, its engine, and what came of it."""

    def __init__(self, provider: Provider, url: str, kiosk: Screen, product: Any) -> None:
        self.provider = provider
        self.address = urlsplit(url)
        self.kiosk = kiosk
        self.product = product
        self.policy(url=f"{url}{PATH}")

    def policy(self, **changes: Any) -> None:
        self.provider.control("webhooks/policy", changes)

    def charge(self) -> Charge:
        """Place an order and ask to be paid for it."""
        order = place(self.kiosk.device, self.product)
        return open_charge(
            order_id=order.id,
            method=Method.MERCADO_PAGO_QR,
            by=self.kiosk.actor,
            claim=claim(self.kiosk.actor),
            at=timezone.now(),
        )

    def work(self, *, later: float = 0.0) -> None:
        """Turn the engine once, now or so many seconds later."""
        at = timezone.now() + timedelta(seconds=later)
        inbox.process(at=at)
        for charge_id in claim_due(at=at):
            advance_charge(id_=str(charge_id))

    def until(self, condition: Callable[[], bool], *, working: bool = False) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < end, "it never became true"
            if working:
                self.work()
            time.sleep(0.01)

    def arrived(self, count: int) -> None:
        """Wait until so many deliveries were answered with 200."""
        self.until(lambda: [entry.get("status") for entry in self.deliveries].count(200) >= count)

    def post(self, body: bytes, query: str = "", **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=10)
        try:
            connection.request("POST", f"{PATH}{query}", body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    @property
    def deliveries(self) -> list[dict[str, Any]]:
        entries = self.provider.sim.journal.since(0)["entries"]
        return [dict(entry) for entry in entries if entry["kind"] == "webhook"]  # type: ignore[attr-defined]

    @property
    def questions(self) -> int:
        """How often the provider was asked how an order stands."""
        return self.provider.calls.count("GET /v1/orders")

    def paid_once(self, charge: Charge) -> bool:
        """One approved charge, one step to the kitchen, one event, and the books in order."""
        charge.refresh_from_db()
        steps = StatusChange.objects.filter(order_id=charge.order_id, to_status=Status.RECEIVED).count()
        events = StoredEvent.objects.filter(type=PaymentProcessed.type, subject_id=charge.id).count()
        assert broken_rules() == {}
        return (charge.state, steps, events) == (State.APPROVED, 1, 1)

    def untouched(self, charge: Charge) -> bool:
        """Still waiting for money."""
        charge.refresh_from_db()
        waits = Order.objects.get(id=charge.order_id).status == Status.AWAITING_PAYMENT
        assert broken_rules() == {}
        return charge.state == State.PENDING and waits


@pytest.fixture
def shop(
    provider: Provider, live_server: LiveServer, kiosk: Screen, product: Any, settings: Settings
) -> Iterator[Shop]:
    settings.MP_WEBHOOK_SECRETS = [SECRET]
    yield Shop(provider, live_server.url, kiosk, product)
    provider.control("webhooks/policy", {"url": ""})
    connections.close_all()


def test_paid_order_reaches_the_kitchen_once(shop: Shop) -> None:
    charge = shop.charge()
    shop.provider.pay(charge.provider_order_id)
    shop.arrived(1)

    shop.work()

    assert shop.paid_once(charge)
    event = WebhookEvent.objects.get()
    assert (event.signature, event.outcome, event.charge_id) == ("valid", Outcome.LOOK, charge.id)
    assert shop.questions == 1


def test_lost_webhook_is_made_good_by_the_next_question(shop: Shop) -> None:
    shop.policy(drop=1.0)
    charge = shop.charge()
    shop.provider.pay(charge.provider_order_id)

    shop.work()
    assert shop.untouched(charge)
    shop.work(later=15)

    assert shop.paid_once(charge)
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("reorder", ["fifo", "shuffle"])
def test_ten_copies_at_once_pay_once(shop: Shop, reorder: str) -> None:
    shop.policy(duplicates=9, reorder=reorder, delay_ms=[0, 50])
    charge = shop.charge()
    shop.provider.pay(charge.provider_order_id)
    shop.arrived(10)

    for _ in range(5):
        shop.work()

    assert shop.paid_once(charge)
    assert WebhookEvent.objects.get().copies == 10
    assert shop.questions == 1


def test_news_told_backwards_never_takes_a_payment_back(shop: Shop) -> None:
    """``expired`` is told after ``processed``, though it happened before."""
    shop.policy(reorder="lifo", delay_ms=[0, 400])
    charge = shop.charge()
    shop.provider.control(f"orders/{charge.provider_order_id}/expire")
    shop.provider.pay(charge.provider_order_id, force_after_expiry=True)
    shop.arrived(2)
    told = [entry["action"] for entry in shop.deliveries]
    assert told == ["order.processed", "order.expired"]

    shop.work()
    shop.work(later=3)

    assert shop.paid_once(charge)


def test_expired_code_frees_its_goods_once_and_later_news_changes_nothing(shop: Shop) -> None:
    charge = shop.charge()
    assert StockLevel.objects.get().reserved == 1
    shop.provider.control("clock", {"advance_s": 310})
    shop.arrived(1)
    shop.work()
    charge.refresh_from_db()
    assert charge.state == State.EXPIRED

    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert [expire_unpaid(at=timezone.now()) for _ in range(2)] == [1, 0]
    shop.provider.control("webhooks/resend", {"order_id": charge.provider_order_id, "version": None})
    shop.arrived(2)
    shop.work(later=3)

    level, order = StockLevel.objects.get(), Order.objects.get()
    assert (level.on_hand, level.reserved, order.status) == (10, 0, Status.EXPIRED)
    assert [step.to_status for step in order.history.order_by("seq")] == [Status.AWAITING_PAYMENT, Status.EXPIRED]
    assert Reservation.objects.get().state == Reservation.RELEASED
    assert broken_rules() == {}


def test_notification_an_hour_late_changes_nothing_more(shop: Shop) -> None:
    charge = shop.charge()
    shop.policy(drop=1.0)
    shop.provider.pay(charge.provider_order_id)
    shop.work(later=15)
    assert shop.paid_once(charge)
    questions = shop.questions

    shop.provider.control("clock", {"advance_s": 3600})
    shop.policy(drop=0.0)
    shop.provider.control("webhooks/resend", {"order_id": charge.provider_order_id, "version": 2})  # dropped, not lost
    shop.arrived(1)
    shop.work()

    assert shop.paid_once(charge)
    assert (WebhookEvent.objects.get().outcome, shop.questions) == (Outcome.FINAL, questions)


@pytest.mark.parametrize("sign", ["none", "bad", "other_secret"])
@pytest.mark.parametrize("policy", ["observe", "enforce"])
def test_forged_payment_is_not_believed(shop: Shop, sign: str, policy: str, settings: Settings) -> None:
    settings.MP_WEBHOOK_SIGNATURE = policy
    charge = shop.charge()
    shop.provider.control("webhooks/forge", {"data_id": charge.provider_order_id, "sign": sign})
    shop.until(lambda: any("status" in entry for entry in shop.deliveries))

    shop.work()

    assert shop.untouched(charge)
    if policy == "enforce":
        assert (shop.deliveries[0]["status"], WebhookEvent.objects.count(), shop.questions) == (401, 0, 0)
    else:
        assert (shop.deliveries[0]["status"], WebhookEvent.objects.count(), shop.questions) == (200, 1, 1)


def test_thousand_unknown_ids_call_nobody(shop: Shop) -> None:
    """Two hundred a second or more: no fault, no change, no outgoing call, and few of them kept."""
    charge = shop.charge()

    def send(number: int) -> int:
        return shop.post(b'{"type":"order"}', f"?data.id=ORD01{number:024d}&type=order")[0]

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(1000)))
    shop.work()

    assert answers == {200}
    assert shop.untouched(charge)
    asked_about = {entry["path"].rpartition("/")[2] for entry in shop.provider.requests if entry["method"] == "GET"}
    assert asked_about <= {charge.provider_order_id}
    assert WebhookEvent.objects.count() <= webhook.UNKNOWN_OF_AN_ADDRESS + 8


HOSTILE: dict[str, tuple[bytes, str, dict[str, str]]] = {
    "non-ASCII signature": (b"{}", "?data.id={id}&type=order", {"X-Signature": "ts=1742505638683,v1=\xe9\xe9"}),
    "64 KiB": (b'{"a":"' + b"x" * (64 * 1024 - 8) + b'"}', "?data.id={id}&type=order", {}),
    "wrong topic": (b"{}", "?data.id={id}&type=subscription_preapproval", {}),
    "old signature": (b"{}", "?data.id={id}&type=order", {"X-Signature": f"ts=1000000000,v1={'0' * 64}"}),
    "body says paid": (b'{"data":{"status":"processed","total_paid_amount":"47.50"}}', "?data.id={id}&type=order", {}),
    "other account": (b'{"user_id":"42"}', "?data.id={id}&type=order", {}),
    "merchant order of nobody": (b'{"user_id":"42","type":"topic_merchant_order_wh","data":{"id":"1"}}', "", {}),
    "not JSON": (b"\x00\xff{", "", {}),
    "compressed": (b"\x1f\x8b\x08", "", {"Content-Encoding": "gzip"}),
    "endless query": (b"{}", "?" + "&".join(f"a{n}=1" for n in range(2000)), {}),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_notification_is_taken_and_moves_nothing(shop: Shop, case: str) -> None:
    charge = shop.charge()
    body, query, headers = HOSTILE[case]

    status, answer = shop.post(body, query.replace("{id}", charge.provider_order_id or ""), **headers)
    shop.work()

    assert (status, answer) == (200, b"{}")
    assert shop.untouched(charge)
    assert set(shop.provider.calls) <= {"POST /v1/orders", "GET /v1/orders"}


def test_replay_of_one_notification_asks_once(shop: Shop) -> None:
    charge = shop.charge()
    shop.provider.control("webhooks/forge", {"data_id": charge.provider_order_id, "sign": "docs"})
    shop.arrived(1)
    query = f"?data.id={charge.provider_order_id}&type=order"
    begun = time.monotonic()
    for number in range(100):
        assert shop.post(b'{"data":{"version":99}}', query)[0] == 200
        if number % 10 == 0:
            shop.work()

    assert shop.untouched(charge)
    assert 1 <= shop.questions <= 1 + (time.monotonic() - begun) / 2


def test_only_merchant_orders_are_told_and_the_order_is_paid(shop: Shop) -> None:
    shop.policy(topics=["topic_merchant_order_wh"])
    charge = shop.charge()
    shop.provider.pay(charge.provider_order_id)
    shop.arrived(1)

    shop.work()

    assert shop.paid_once(charge)
    assert WebhookEvent.objects.get().outcome == Outcome.SWEPT
    assert set(shop.provider.calls) == {"POST /v1/orders", "GET /v1/orders"}


def test_handler_that_fails_is_tried_again_and_pays_once(shop: Shop, settings: Settings) -> None:
    """Refused for a while, as by a database that is away, the provider's first retry comes after 15 minutes."""
    settings.MP_WEBHOOK_SIGNATURE, settings.MP_WEBHOOK_SECRETS = "enforce", ["not-yet-the-right-one"]
    charge = shop.charge()
    shop.provider.pay(charge.provider_order_id)
    shop.until(lambda: [entry.get("status") for entry in shop.deliveries] == [401])

    settings.MP_WEBHOOK_SECRETS = [SECRET]
    shop.provider.control("clock", {"advance_s": 901})
    shop.arrived(1)
    shop.work()

    assert [entry["retry"] for entry in shop.deliveries] == [0, 1]
    assert shop.paid_once(charge)
    assert WebhookEvent.objects.get().headers["X-Retry"] == "1"


def test_slow_handler_is_tried_again_and_pays_once(shop: Shop) -> None:
    """The first answer never comes in time: the database is locked for longer than the provider waits."""
    shop.policy(timeout_s=0.3)
    charge = shop.charge()
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE payments_webhookevent IN ACCESS EXCLUSIVE MODE")
            locked.set()
            release.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    shop.provider.pay(charge.provider_order_id)
    shop.until(lambda: [entry["outcome"] for entry in shop.deliveries] == ["failed"])
    release.set()
    holder.join()
    shop.provider.control("clock", {"advance_s": 901})
    shop.policy(timeout_s=22)
    shop.arrived(1)

    shop.work()

    assert shop.paid_once(charge)
    assert [entry["retry"] for entry in shop.deliveries] == [0, 1]


@pytest.mark.parametrize("sign", ["docs", "verbatim"])
@pytest.mark.parametrize("ts_unit", ["ms", "s"])
def test_both_ways_of_signing_pass_enforce(shop: Shop, sign: str, ts_unit: str, settings: Settings) -> None:
    settings.MP_WEBHOOK_SIGNATURE = "enforce"
    settings.MP_WEBHOOK_SECRETS = ["the-next-secret", SECRET]  # while one replaces the other
    shop.policy(sign=sign, ts_unit=ts_unit)
    charge = shop.charge()
    shop.provider.pay(charge.provider_order_id)
    shop.arrived(1)

    shop.work()

    assert shop.paid_once(charge)


def test_chargeback_reaches_people_and_the_money_desk(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.policy(topics=["order", "topic_chargebacks_wh"])
    charge = shop.charge()
    shop.provider.pay(charge.provider_order_id)
    shop.arrived(1)
    shop.work()
    assert shop.paid_once(charge)

    shop.provider.control(f"orders/{charge.provider_order_id}/chargeback")
    shop.arrived(2)

    def is_contested() -> bool:
        charge.refresh_from_db()
        return charge.state == State.CHARGED_BACK

    shop.until(is_contested, working=True)

    event = WebhookEvent.objects.get(kind="chargeback")
    assert (event.charge_id, event.outcome) == (charge.id, Outcome.CHARGEBACK)
    assert [record.levelname for record in caplog.records if "provider reports a chargeback" in record.message] == [
        "ERROR"
    ]
    assert [item.title for item in desk.desk(None, at=timezone.now()).items] == ["Contestado pelo banco"]
    assert broken_rules() == {}


def test_metrics_count_by_kind_verdict_and_outcome(shop: Shop) -> None:
    def counted(topic: str, signature: str, outcome: str) -> float:
        return float(webhook._counted.labels(topic, signature, outcome)._value.get())

    before = counted("order", "valid", "kept"), counted("other", "absent", "unknown")
    charge = shop.charge()
    shop.provider.pay(charge.provider_order_id)
    shop.arrived(1)
    shop.post(json.dumps({"type": "whatever-a-stranger-writes"}).encode())

    assert counted("order", "valid", "kept") == before[0] + 1
    assert counted("other", "absent", "unknown") == before[1] + 1

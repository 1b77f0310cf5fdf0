"""Which notifications lead to a question, how often, and what becomes of the others."""

import hashlib
import hmac
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.orders.models import Order
from apps.payments import inbox, webhook
from apps.payments.models import Charge, WebhookEvent
from apps.payments.notifications import Kind, Outcome
from apps.payments.rules import PAID, Method, State
from apps.payments.services import advance_charge, claim_due, open_charge
from apps.payments.tasks import advance_charge as advance_task
from tests.factories import claim, place
from tests.fixtures import Reply, Screen
from tests.payments.conftest import Provider

PATH = "/api/v1/payments/webhook"
SECRET = "breadmate-test-secret"
ACCOUNT = "1403498245"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def charge_of(order: Order, kiosk: Screen, at: datetime) -> Charge:
    return open_charge(
        order_id=order.id, method=Method.MERCADO_PAGO_QR, by=kiosk.actor, claim=claim(kiosk.actor), at=at
    )


@pytest.fixture
def charge(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> Charge:
    return charge_of(order, kiosk, now)


def post(body: Any = None, query: str = "", **headers: str) -> Reply:
    return Reply(Client().post(f"{PATH}{query}", orjson.dumps(body or {}), "application/json", headers=headers))


def told(charge: Charge, version: int = 1) -> dict[str, Any]:
    return {"action": "order.processed", "type": "order", "data": {"id": charge.provider_order_id, "version": version}}


def merchant_order(number: str = "999", account: str = ACCOUNT) -> dict[str, Any]:
    return {"id": f"e{number}", "type": "topic_merchant_order_wh", "user_id": account, "data": {"id": number}}


def signed(resource: str, secret: str = SECRET) -> dict[str, str]:
    ts = "1742505638683"
    v1 = hmac.new(secret.encode(), f"id:{resource.lower()};request-id:r-1;ts:{ts};".encode(), hashlib.sha256)
    return {"X-Request-Id": "r-1", "X-Signature": f"ts={ts},v1={v1.hexdigest()}"}


def due(charge: Charge) -> datetime | None:
    charge.refresh_from_db()
    return charge.next_check_at


TIES = {
    "id in the query": ("?data.id={id}&type=order", {}),
    "id in the body": ("", {"type": "order", "data": {"id": "{id}"}}),
    "our reference": ("", {"type": "order", "data": {"id": "ORD01ELSE", "external_reference": "{reference}"}}),
    "our reference, merchant order": (
        "?topic=merchant_order&id=77",
        {"resource": "https://api.mercadolibre.com/merchant_orders/77", "external_reference": "{reference}"},
    ),
    "payment known": ("?data.id=555&type=payment", {"action": "payment.updated", "data": {"id": "555"}}),
    "payment known, as a number": ("", {"type": "payment", "data": {"id": 555}}),
    "payment, older form": ("?topic=payment&id=555", {}),
    "payment, by its address": ("", {"topic": "payment", "resource": "https://api.mercadolibre.com/payments/555"}),
}


@pytest.mark.parametrize("case", TIES)
def test_whatever_names_a_charge_of_ours_makes_it_due(
    case: str, provider: Provider, charge: Charge, now: datetime
) -> None:
    Charge.objects.update(provider_payment_id="555")
    query, body = TIES[case]
    text = orjson.dumps(body).decode().replace("{reference}", charge.reference)
    names = query.replace("{id}", charge.provider_order_id or ""), text.replace("{id}", charge.provider_order_id or "")

    assert post(orjson.loads(names[1]), names[0]).status == 200
    inbox.process(at=now)

    event = WebhookEvent.objects.get()
    assert (event.charge_id, event.outcome) == (charge.id, Outcome.LOOK)
    assert (claim_due(at=now), provider.calls) == ([charge.id], ["POST /v1/orders"])


NO_TIES = {
    "another order": ("?data.id=ORD01ELSE&type=order", {"type": "order", "data": {"external_reference": "bm-else"}}),
    "another payment": ("?data.id=556&type=payment", {}),
    "no payment at all": ("?data.id=&type=payment", {"data": {"id": ""}}),
    "unknown topic": ("?data.id=555&type=subscription", {}),
    "our payment's number as an order": ("?data.id=555&type=order", {}),
}


@pytest.mark.parametrize("case", NO_TIES)
def test_what_names_nothing_of_ours_is_done_with_at_once(
    case: str, provider: Provider, charge: Charge, now: datetime
) -> None:
    Charge.objects.update(provider_payment_id="555")

    post(NO_TIES[case][1], NO_TIES[case][0])

    event = WebhookEvent.objects.get()
    assert (event.charge, event.outcome) == (None, Outcome.UNKNOWN)
    assert event.processed_at is not None
    assert (inbox.process(at=now), claim_due(at=now)) == (0, [])


def test_charge_learns_the_number_of_its_payment(provider: Provider, charge: Charge, now: datetime) -> None:
    provider.pay(charge.provider_order_id)
    advance_charge(charge_id=charge.id, at=now)

    charge.refresh_from_db()
    assert charge.provider_payment_id == provider.sim.book.orders[charge.provider_order_id or ""].payment_reference


# How often


def test_hundred_notifications_ask_once_in_two_seconds(provider: Provider, charge: Charge) -> None:
    """Ten rounds of the engine in one second, each after ten more notifications, and then two seconds of silence."""
    begun = timezone.now()
    for round_ in range(10):
        at = begun + timedelta(seconds=round_ / 10)
        for version in range(10):
            post(told(charge, version=round_ * 10 + version))
        inbox.process(at=at)
        for charge_id in claim_due(at=at):
            advance_charge(charge_id=charge_id, at=at, rest=inbox.ASK_AT_MOST_EVERY)
    assert provider.calls == ["POST /v1/orders", "GET /v1/orders"]
    assert due(charge) == begun + timedelta(seconds=2)

    later = begun + timedelta(seconds=2)
    assert claim_due(at=later) == [charge.id]
    advance_charge(charge_id=charge.id, at=later, rest=inbox.ASK_AT_MOST_EVERY)
    assert len(provider.calls) == 3
    assert due(charge) == later + timedelta(seconds=15)


def test_question_that_was_offered_twice_is_asked_once(provider: Provider, charge: Charge) -> None:
    """Two engines, or one whose worker was late: the second task finds the charge asked about a moment ago."""
    advance_task(id_=str(charge.id))
    advance_task(id_=str(charge.id))

    assert provider.calls == ["POST /v1/orders", "GET /v1/orders"]
    charge.refresh_from_db()
    assert charge.last_asked_at is not None
    assert charge.next_check_at == charge.last_asked_at + timedelta(seconds=2)


def test_news_that_comes_during_a_question_is_not_lost(provider: Provider, charge: Charge, now: datetime) -> None:
    """The provider's answer may be older than the news; what was being asked must be asked again."""
    Charge.objects.update(leased_until=now + timedelta(seconds=15), last_asked_at=now)
    post(told(charge))

    assert inbox.process(at=now) == 0
    Charge.objects.update(leased_until=None, next_check_at=now + timedelta(seconds=15))
    assert inbox.process(at=now) == 1

    assert due(charge) == now + timedelta(seconds=2)


def test_news_never_puts_a_question_off(provider: Provider, charge: Charge, now: datetime) -> None:
    Charge.objects.update(last_asked_at=now, next_check_at=now + timedelta(seconds=1))
    post(told(charge))

    inbox.process(at=now)

    assert due(charge) == now + timedelta(seconds=1)


def test_repeat_is_counted_and_looked_at_again(provider: Provider, charge: Charge, now: datetime) -> None:
    """Somebody may have sent the same words before the provider did."""
    post(told(charge))
    inbox.process(at=now)
    advance_charge(charge_id=charge.id, at=now)
    provider.pay(charge.provider_order_id)

    post(told(charge))
    inbox.process(at=now)

    assert (WebhookEvent.objects.get().copies, due(charge)) == (2, now + timedelta(seconds=2))


def test_news_of_a_settled_charge_costs_nothing(provider: Provider, charge: Charge, now: datetime) -> None:
    provider.pay(charge.provider_order_id)
    advance_charge(charge_id=charge.id, at=now)
    post(told(charge))

    inbox.process(at=now)

    assert (WebhookEvent.objects.get().outcome, due(charge)) == (Outcome.FINAL, None)


# The older form, which names nothing of ours


def test_merchant_order_makes_open_charges_of_the_account_due(
    provider: Provider, charge: Charge, now: datetime
) -> None:
    post(merchant_order())

    inbox.process(at=now)

    assert WebhookEvent.objects.get().outcome == Outcome.SWEPT
    assert (claim_due(at=now), provider.calls) == ([charge.id], ["POST /v1/orders"])


def test_merchant_order_of_another_account_makes_nothing_due(provider: Provider, charge: Charge, now: datetime) -> None:
    planned = due(charge)
    assert planned is not None
    post(merchant_order(account="42"))

    inbox.process(at=now)

    assert (claim_due(at=now), due(charge)) == ([], planned)


def test_flood_of_merchant_orders_makes_at_most_five_due_in_two_seconds(
    provider: Provider, kiosk: Screen, product: Any, now: datetime
) -> None:
    charges = [charge_of(place(kiosk.device, product), kiosk, now) for _ in range(7)]
    asked = 0
    for step in range(10):
        at = now + timedelta(seconds=step / 5)
        for number in range(5):
            post(merchant_order(f"{step}{number}"))
        inbox.process(at=at)
        for charge_id in claim_due(at=at):
            advance_charge(charge_id=charge_id, at=at, rest=inbox.ASK_AT_MOST_EVERY)
            asked += 1
    assert asked == 5
    waiting = WebhookEvent.objects.filter(processed_at=None).count()
    assert waiting == 45

    inbox.process(at=now + timedelta(seconds=2.5))

    assert WebhookEvent.objects.filter(processed_at=None).count() == 0
    never_asked = {charge.id for charge in charges if Charge.objects.get(id=charge.id).last_asked_at is None}
    assert never_asked <= set(claim_due(at=now + timedelta(seconds=2.5)))


@pytest.mark.parametrize("state", sorted(set(State) - {State.PENDING}))
def test_merchant_order_leaves_charges_alone_that_nobody_is_paying(
    state: State, provider: Provider, charge: Charge, now: datetime
) -> None:
    paid = {"pays_order": state in PAID, "refunded_amount": 0, "paid_amount": 0}
    Charge.objects.update(state=state, settled_at=now, next_check_at=None, **paid)
    post(merchant_order())

    inbox.process(at=now)

    assert due(charge) is None


# For people


@pytest.mark.parametrize(
    ("topic", "kind", "outcome"),
    [
        ("topic_chargebacks_wh", Kind.CHARGEBACK, Outcome.CHARGEBACK),
        ("topic_claims_integration_wh", Kind.CLAIM, Outcome.NOTED),
        ("stop_delivery_op_wh", Kind.STOP_DELIVERY, Outcome.NOTED),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_what_people_must_see_to_is_logged_and_asks_about_what_a_bank_took_back(
    topic: str,
    kind: Kind,
    outcome: Outcome,
    known: bool,
    provider: Provider,
    charge: Charge,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    Charge.objects.update(provider_payment_id="555")
    post({"type": topic, "data": {"id": "2330", "payment_id": 555 if known else 556}})

    inbox.process(at=now)

    event = WebhookEvent.objects.get()
    assert (event.kind, event.outcome, event.charge_id) == (kind, outcome, charge.id if known else None)
    [line] = [record for record in caplog.records if "provider reports" in record.message]
    assert line.levelno == (logging.ERROR if known else logging.WARNING)
    asked = [charge.id] if known and kind == Kind.CHARGEBACK else []
    assert (claim_due(at=now), len(provider.calls)) == (asked, 1)


# Signatures


@pytest.fixture
def secret(settings: Settings) -> str:
    settings.MP_WEBHOOK_SECRETS = ["newer-secret", SECRET]
    return SECRET


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        (signed("ORD1"), "valid"),
        (signed("ORD1", "newer-secret"), "valid"),
        (signed("ORD2"), "invalid"),
        (signed("ORD1", "other-secret"), "invalid"),
        ({"X-Signature": "ts=1742505638683,v1=é"}, "invalid"),
        ({}, "absent"),
    ],
)
def test_verdict_is_kept_and_enforce_refuses_all_but_valid(
    headers: dict[str, str], verdict: str, db: None, secret: str, settings: Settings
) -> None:
    query = "?data.id=ORD1&type=order"
    assert post({}, query, **headers).status == 200
    assert WebhookEvent.objects.get().signature == verdict

    WebhookEvent.objects.all().delete()
    settings.MP_WEBHOOK_SIGNATURE = "enforce"
    refused = post({}, query, **headers)

    if verdict == "valid":
        assert (refused.status, WebhookEvent.objects.count()) == (200, 1)
    else:
        assert refused.code == (401, "invalid_signature")
        assert not WebhookEvent.objects.exists()


def test_signed_notification_is_not_taken_for_the_unsigned_one_before_it(db: None, secret: str) -> None:
    post({}, "?data.id=ORD1&type=order", **{"X-Request-Id": "r-1"})
    post({}, "?data.id=ORD1&type=order", **signed("ORD1"))

    assert sorted(WebhookEvent.objects.values_list("signature", flat=True)) == ["absent", "valid"]


# Floods


def test_strangers_fill_the_inbox_no_further_than_allowed_and_notice_nothing(db: None) -> None:
    answers = [post({}, f"?data.id=ORD{number}&type=order").status for number in range(100)]

    assert set(answers) == {200}
    assert WebhookEvent.objects.count() == webhook.UNKNOWN_OF_AN_ADDRESS


def test_many_addresses_share_one_limit(db: None) -> None:
    for number in range(webhook.UNKNOWN_OF_ALL + 20):
        Client().post(f"{PATH}?data.id=ORD{number}&type=order", REMOTE_ADDR=f"10.0.{number // 250}.{number % 250}")

    assert WebhookEvent.objects.count() == webhook.UNKNOWN_OF_ALL


def test_full_inbox_still_takes_what_is_ours_or_signed(provider: Provider, charge: Charge, secret: str) -> None:
    for number in range(webhook.UNKNOWN_OF_AN_ADDRESS + 10):
        post({}, f"?data.id=ORD{number}&type=order")

    post(told(charge))
    post({}, "?data.id=ORD1&type=order", **signed("ORD1"))

    kept = WebhookEvent.objects.order_by("-id")[:2]
    assert [(event.signature, event.charge_id) for event in kept] == [("valid", None), ("absent", charge.id)]


def test_little_is_kept_of_a_large_body(db: None) -> None:
    post({"data": {"id": "ORD1"}, "padding": "x" * 60_000})

    event = WebhookEvent.objects.get()
    assert (event.resource_id, len(event.body)) == ("ORD1", inbox.LONGEST_BODY)


# How long it is kept


def test_old_notifications_go_and_waiting_ones_stay(provider: Provider, charge: Charge, now: datetime) -> None:
    ages = {"tied 89": 89, "tied 91": 91, "untied 6": 6, "untied 8": 8, "waiting 91": 91}
    for number, (name, days) in enumerate(ages.items()):
        WebhookEvent.objects.create(
            topic=name,
            charge=charge if "untied" not in name else None,
            dedup_key=bytes([number]),
            headers={},
            body=b"",
            processed_at=None if "waiting" in name else now,
        )
        WebhookEvent.objects.filter(topic=name).update(received_at=now - timedelta(days=days))

    assert inbox.purge(now) == 2

    assert set(WebhookEvent.objects.values_list("topic", flat=True)) == {"tied 89", "untied 6", "waiting 91"}
    assert inbox.purge(now) == 0


# The door


def test_door_numbers_logs_and_protects_its_answers(db: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="breadmate.requests"):
        answer = post({}, "?data.id=ORD1", **{"X-Request-Id": "r-77"}).response

    assert (answer["X-Request-ID"], answer["X-Content-Type-Options"]) == ("r-77", "nosniff")
    [line] = [record for record in caplog.records if record.name == "breadmate.requests"]
    assert "POST api/v1/payments/webhook 200" in line.message
    assert "ORD1" not in line.message


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
def test_door_has_one_path_with_and_without_a_slash(path: str, db: None) -> None:
    assert Client().post(path, {}, "application/json").status_code == 200
    assert Reply(Client().post(f"{PATH}/more", {}, "application/json")).code == (404, "not_found")


def test_wrong_method_is_told_the_right_one(db: None) -> None:
    reply = Reply(Client().get(PATH))

    assert (reply.code, reply.response["Allow"]) == ((405, "method_not_allowed"), "POST")


@pytest.mark.parametrize(
    "headers", [{"Content-Encoding": "gzip"}, {"Content-Type": "text/plain; charset=utf-16"}, {"Content-Type": ""}]
)
def test_door_takes_a_body_however_it_is_labelled(headers: dict[str, str], db: None) -> None:
    body = b"\x1f\x8b\x08\x00"
    answer = Client().generic("POST", f"{PATH}?data.id=ORD1", body, headers.pop("Content-Type", ""), headers=headers)

    assert answer.status_code == 200
    assert (WebhookEvent.objects.get().resource_id, bytes(WebhookEvent.objects.get().body)) == ("ORD1", body)


def test_moment_of_receipt_is_ours(db: None) -> None:
    post({"date_created": "1999-01-01T00:00:00Z"})

    assert datetime.now(UTC) - WebhookEvent.objects.get().received_at < timedelta(minutes=1)

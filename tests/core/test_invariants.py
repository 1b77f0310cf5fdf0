"""Every rule of the audit, broken on purpose: a rule that cannot turn red watches nothing."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import orjson
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from apps.core.actors import Role
from apps.core.audit import audit
from apps.core.models import FailedDelivery, IdempotencyKey, Receipt, StoredEvent
from apps.inventory.models import Reservation, StockLevel, StockMovement
from apps.orders.cancel import cancel_order
from apps.orders.models import Order, OrderLine, Preparation
from apps.orders.rules import Status
from apps.payments.models import Charge, Refund
from apps.payments.rules import Method, Tender
from apps.payments.services import confirm_counter, open_charge
from breadmate.postgres.patience import patience
from tests.factories import DeviceFactory, claim, device_actor, order_in, place, staff, stocked_product
from tests.fixtures import broken_rules

PREFIXES = ("S", "O", "E", "P")  # rules of other apps are planted beside their own tests


def unguarded(constraint: str) -> None:
    """Take one unique rule away for the length of the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP INDEX {constraint}")


@pytest.fixture
def paid(db: None) -> Order:
    """A shop in which everything is right: one order paid at the counter, one that waits, one that has expired."""
    device = DeviceFactory()
    product = stocked_product(device.store, 10)
    order = place(device, product, quantity=2)
    kiosk, cashier, now = device_actor(device), staff(Role.CASHIER, device.store), timezone.now()
    charge = open_charge(order_id=order.id, method=Method.COUNTER, by=kiosk, claim=claim(kiosk), at=now)
    confirm_counter(charge_id=charge.id, tender=Tender.CASH, received=None, by=cashier, at=now)
    place(device, product)
    order_in(Status.EXPIRED, device, product)
    assert broken_rules() == {}
    order.refresh_from_db()
    return order


def movement_lost(order: Order) -> object:
    StockLevel.objects.update(on_hand=1000)
    return StockLevel.objects.get().id


def more_promised_than_held(order: Order) -> object:
    StockLevel.objects.update(reserved=2)
    return StockLevel.objects.get().id


def hold_of_an_order_that_is_not_there(order: Order) -> object:
    held = Reservation.objects.get(state="held")
    Reservation.objects.filter(id=held.id).update(order_id=uuid4())
    return held.id


def hold_of_an_order_that_has_ended(order: Order) -> object:
    held = Reservation.objects.get(state="held")
    Reservation.objects.filter(state="released").delete()
    Reservation.objects.filter(id=held.id).update(order_id=Order.objects.get(status=Status.EXPIRED).id)
    return held.id


def sale_written_twice(order: Order) -> object:
    sale = StockMovement.objects.get(reason="sale")
    for delta, reason in ((sale.delta, "sale"), (-sale.delta, "count")):
        StockMovement.objects.create(
            store_id=sale.store_id,
            item_id=sale.item_id,
            delta=delta,
            reason=reason,
            order_id=sale.order_id if reason == "sale" else None,
            actor_kind="system",
            at=sale.at,
        )
    return Reservation.objects.get(order_id=order.id).id


def more_back_on_the_shelf_than_was_taken(order: Order) -> object:
    sale = StockMovement.objects.get(reason="sale")
    for delta, reason, of in ((3, "return", order.id), (-3, "count", None)):
        StockMovement.objects.create(
            store_id=sale.store_id,
            item_id=sale.item_id,
            delta=delta,
            reason=reason,
            order_id=of,
            actor_kind="system",
            at=sale.at,
        )
    return Reservation.objects.get(order_id=order.id).id


def hold_that_lasts_too_long(order: Order) -> object:
    Order.objects.filter(status=Status.AWAITING_PAYMENT).update(expires_at=timezone.now() - timedelta(minutes=5))
    return Reservation.objects.get(state="held").id


def voided_without_a_word(order: Order) -> object:
    Preparation.objects.update(state="voided")
    return order.id


def order_on_the_board_without_a_place(order: Order) -> object:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE orders_order DROP CONSTRAINT order_on_board_has_its_place")
    Order.objects.filter(id=order.id).update(queue_at=None)
    return order.id


def number_given_twice(order: Order) -> object:
    unguarded("order_number_once_a_day")
    Order.objects.exclude(id=order.id).update(number=order.number)
    return order.number


def step_skipped(order: Order) -> object:
    order.history.filter(seq=2).update(from_status=Status.EXPIRED)
    return order.id


def history_that_does_not_end_in_the_status(order: Order) -> object:
    Order.objects.filter(id=order.id).update(status=Status.IN_PREPARATION)
    return order.id


def version_that_nothing_explains(order: Order) -> object:
    Order.objects.filter(id=order.id).update(version=order.version + 1)
    return order.id


def step_before_the_one_before_it(order: Order) -> object:
    order.history.filter(seq=2).update(at=timezone.now() - timedelta(days=1))
    return order.id


def thing_to_make_lost(order: Order) -> object:
    Preparation.objects.all().delete()
    return order.id


def thing_to_make_of_an_unpaid_order(order: Order) -> object:
    line = OrderLine.objects.filter(order__status=Status.AWAITING_PAYMENT).get()
    Preparation.objects.create(line=line, station="chapa")
    return line.order_id


def key_of(order: Order) -> IdempotencyKey:
    return next(key for key in IdempotencyKey.objects.all() if str(order.id).encode() in bytes(key.body))


def answer_of_an_order_that_is_not_there(order: Order) -> object:
    key = key_of(order)
    key.body = orjson.dumps({"id": str(uuid4()), "number": "T999"})
    key.save()
    return key.key


def answer_given_to_somebody_else(order: Order) -> object:
    key = key_of(order)
    IdempotencyKey.objects.filter(id=key.id).update(principal="device:somebody-else")
    return key.key


def paid_without_release(order: Order) -> object:
    OrderLine.objects.filter(order=order).update(needs_release=True)
    return order.id


def line_that_does_not_add_up(order: Order) -> object:
    OrderLine.objects.filter(order=order).update(unit_price=Decimal("1.00"))
    return order.id


def total_that_is_not_the_lines(order: Order) -> object:
    OrderLine.objects.filter(order=order).update(unit_price=Decimal("9.00"), total=Decimal("18.00"))
    return order.id


def event_nobody_delivered(order: Order) -> object:
    event = StoredEvent.objects.filter(dispatched_at=None).first()
    StoredEvent.objects.filter(id=event.id).update(occurred_at=timezone.now() - timedelta(minutes=5))
    return event.id


def receipt_beside_a_failure(order: Order) -> object:
    event = StoredEvent.objects.first()
    Receipt.objects.create(event_id=event.id, handler="kitchen.x")
    FailedDelivery.objects.create(
        event_id=event.id, handler="kitchen.x", tries=1, next_try_at=timezone.now(), error="x"
    )
    return event.id


def receipt_for_no_event(order: Order) -> object:
    return Receipt.objects.create(event_id=uuid4(), handler="kitchen.x").event_id


def step_nobody_was_told(order: Order) -> object:
    StoredEvent.objects.filter(type="order.status_changed", subject_id=order.id, seq=2).delete()
    return order.id


def step_told_twice(order: Order) -> object:
    event = StoredEvent.objects.get(type="order.status_changed", subject_id=order.id, seq=2)
    event.pk = uuid4()
    event.save(force_insert=True)
    return order.id


def told_step_that_never_was(order: Order) -> object:
    event = StoredEvent.objects.get(type="order.status_changed", subject_id=order.id, seq=2)
    event.pk, event.seq = uuid4(), 99
    event.save(force_insert=True)
    return event.id


def paid_without_a_charge(order: Order) -> object:
    Charge.objects.update(state="failed")
    return order.id


def another_charge(of: Order, **fields: object) -> Charge:
    """A copy of the shop's one charge for another order, or for the same one again."""
    charge = Charge.objects.get(client_key__isnull=False, method=Method.COUNTER, pays_order=True)
    charge.pk, charge.order_id, charge.client_key = uuid4(), of.id, str(uuid4())
    charge.reference = charge.create_key = str(charge.pk)
    charge.amount = charge.paid_amount = of.total
    for name, value in fields.items():
        setattr(charge, name, value)
    charge.save(force_insert=True)
    return charge


def refund(charge: Charge, amount: Decimal, cause: str, state: str = "done") -> Refund:
    now = timezone.now()
    return Refund.objects.create(
        charge=charge,
        amount=amount,
        cause=cause,
        asked_by_kind="system",
        state=state,
        key=str(uuid4()),
        created_at=now,
        done_at=now if state == "done" else None,
    )


def money_gone_of_an_order_that_goes_on(order: Order) -> object:
    refund(Charge.objects.get(), Decimal("5.00"), "order_cancelled")
    Charge.objects.update(refunded_amount=Decimal("5.00"))
    return order.id


def money_kept_of_an_order_that_was_cancelled(order: Order) -> object:
    cancel_order(order_id=order.id, by=staff(Role.MANAGER, order.store), at=timezone.now())
    Refund.objects.all().delete()
    Charge.objects.update(state="approved", refunded_amount=0)
    return order.id


def late_money_nobody_owes(order: Order) -> object:
    return another_charge(Order.objects.get(status=Status.EXPIRED), state="late", pays_order=False).id


def order_paid_by_two(order: Order) -> object:
    unguarded("charge_pays_once_an_order")
    second = another_charge(order, state="refunded", refunded_amount=order.total)
    refund(second, order.total, "late")
    return order.id


def more_on_its_way_than_was_paid(order: Order) -> object:
    charge = Charge.objects.get()
    refund(charge, charge.paid_amount + 1, "requested", "queued")
    return charge.id


def refund_nobody_counted(order: Order) -> object:
    charge = Charge.objects.get()
    refund(charge, Decimal("1.00"), "late")
    return charge.id


def counter_payment_nobody_took(order: Order) -> object:
    Charge.objects.update(confirmed_by=None)
    return order.id


def charge_of_another_amount(order: Order) -> object:
    return another_charge(
        Order.objects.get(status=Status.AWAITING_PAYMENT),
        state="failed",
        pays_order=False,
        paid_amount=0,
        amount=Decimal("0.01"),
    ).id


def paid_with_too_little(order: Order) -> object:
    Charge.objects.update(paid_amount=Decimal("0.01"))
    return order.id


def charge_approved_for_an_unpaid_order(order: Order) -> object:
    waiting = Order.objects.get(status=Status.AWAITING_PAYMENT)
    another_charge(waiting)
    return waiting.id


def code_that_pays_itself_in_a_real_store(order: Order) -> object:
    Charge.objects.update(method=Method.TRAINING, provider_order_id="TREINO-1")
    return Charge.objects.get().id


PLANTED: list[tuple[str, Callable[[Order], object]]] = [
    ("S1", movement_lost),
    ("S2", more_promised_than_held),
    ("S3", hold_of_an_order_that_is_not_there),
    ("S3", hold_of_an_order_that_has_ended),
    ("S4", sale_written_twice),
    ("S3", hold_that_lasts_too_long),
    ("S4", more_back_on_the_shelf_than_was_taken),
    ("O3", voided_without_a_word),
    ("O5", order_on_the_board_without_a_place),
    ("P1", money_gone_of_an_order_that_goes_on),
    ("P1", money_kept_of_an_order_that_was_cancelled),
    ("P2", late_money_nobody_owes),
    ("P3", order_paid_by_two),
    ("P4", more_on_its_way_than_was_paid),
    ("P4", refund_nobody_counted),
    ("P5", counter_payment_nobody_took),
    ("P6", charge_of_another_amount),
    ("P7", code_that_pays_itself_in_a_real_store),
    ("O1", number_given_twice),
    ("O2", step_skipped),
    ("O2", history_that_does_not_end_in_the_status),
    ("O2", version_that_nothing_explains),
    ("O2", step_before_the_one_before_it),
    ("O3", thing_to_make_lost),
    ("O3", thing_to_make_of_an_unpaid_order),
    ("O4", answer_of_an_order_that_is_not_there),
    ("O4", answer_given_to_somebody_else),
    ("O7", paid_without_release),
    ("O6", line_that_does_not_add_up),
    ("O6", total_that_is_not_the_lines),
    ("E1", event_nobody_delivered),
    ("E2", receipt_beside_a_failure),
    ("E2", receipt_for_no_event),
    ("E3", step_nobody_was_told),
    ("E3", step_told_twice),
    ("E4", told_step_that_never_was),
    ("P5", paid_without_a_charge),
    ("P5", paid_with_too_little),
    ("P5", charge_approved_for_an_unpaid_order),
]


@pytest.mark.parametrize(("rule", "plant"), PLANTED, ids=lambda value: getattr(value, "__name__", value))
def test_planted_violation_turns_exactly_its_rule_red(rule: str, plant: Callable[[Order], object], paid: Order) -> None:
    row = plant(paid)

    red = broken_rules()

    assert list(red) == [rule]
    assert len(red[rule]) == 1
    assert str(row) in red[rule][0]


def test_every_rule_has_its_planting_test(db: None) -> None:
    registered = {verdict.id for verdict in audit() if verdict.id.startswith(PREFIXES)}

    assert registered == {rule for rule, _ in PLANTED} | {"S5"}  # which tests/inventory/test_recipes.py plants


def test_command_gives_a_large_shop_the_time_it_takes(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    before = patience.get()

    call_command("audit_invariants", "--json")

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
    assert patience.get() == before
    assert orjson.loads(capsys.readouterr().out)["ok"] is True


def test_command_says_what_is_broken_and_fails(paid: Order, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("audit_invariants", "--json")
    assert orjson.loads(capsys.readouterr().out)["ok"] is True
    row = movement_lost(paid)

    with pytest.raises(SystemExit) as end:
        call_command("audit_invariants", "--json")

    told = orjson.loads(capsys.readouterr().out)
    assert (end.value.code, told["ok"]) == (1, False)
    broken = [check for check in told["checks"] if not check["ok"]]
    assert [check["id"] for check in broken] == ["S1"]
    assert str(row) in broken[0]["violations"][0]

"""Five faults that this kind of program has had elsewhere, put in on purpose: what looks at the money here must see each.

If one of them ever passes, the machine proves nothing about that fault.
"""

import contextlib
import threading
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import Model, QuerySet

from apps.core import prepared
from apps.core.models import StoredEvent
from apps.inventory.services import release_reserved
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments import refunds, services
from apps.payments.models import Charge, Refund
from apps.payments.providers.mercado_pago import qr
from apps.payments.rules import RANK, State
from tests.concurrency.conftest import Together, together
from tests.fixtures import broken_rules
from tests.money.shop import REFUND, Shop

__all__ = ["together"]  # the fixture of tests/concurrency

TOO_MUCH = Decimal("11.00")  # twice of it is more than an order of this shop costs


def paid(shop: Shop) -> Shop:
    """Sell one order of R$ 17.35, paid by code."""
    shop.place((0, 1), (1, 1))
    shop.open(0)
    shop.pay(0)
    shop.deliver(shop.news[-1])
    shop.engine()
    return shop


@pytest.fixture
def two_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two threads both read what is left before either writes, if nothing keeps them apart."""
    meeting, read = threading.Barrier(2), refunds.left_of

    def left_of(charge: Charge) -> Decimal:
        left = read(charge)
        with contextlib.suppress(threading.BrokenBarrierError):  # a lock keeps the other one out
            meeting.wait(1.0)
        return left

    monkeypatch.setattr(refunds, "left_of", left_of)


def refund_twice(shop: Shop, together: Together[Any]) -> list[Any]:
    charge_id, at = Charge.objects.get().id, shop.now
    people = (shop.manager, shop.other_manager)  # one person's hand-backs take turns anyway
    return together(
        2,
        lambda number: refunds.request_refund(
            charge_id=charge_id, amount=TOO_MUCH, reason="x", by=people[number], at=at
        ),
    )


def test_with_the_lock_money_is_given_back_once(shop: Shop, two_readers: None, together: Together[Any]) -> None:
    refund_twice(paid(shop), together)

    assert Refund.objects.count() == 1
    shop.check_commit()


def test_mutant_without_row_lock_is_seen(
    shop: Shop, two_readers: None, together: Together[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(shop)
    read = prepared.read
    monkeypatch.setattr(
        prepared, "read", lambda model, rest, params: read(model, rest.replace("FOR UPDATE", ""), params)
    )
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self.all())

    refund_twice(shop, together)

    with pytest.raises(AssertionError, match="P4"):
        shop.check_commit()


def refund_whose_answer_is_lost(shop: Shop) -> None:
    shop.refund(0, Decimal("5.00"))
    shop.trouble(REFUND, phase="after", do="reset")
    shop.engine()
    shop.settle()


def test_refund_whose_answer_is_lost_is_made_once(shop: Shop) -> None:
    refund_whose_answer_is_lost(paid(shop))

    shop.check_rest()
    assert [refund.amount for refund in Refund.objects.all()] == [Decimal("5.00")]


def test_mutant_with_a_new_key_each_try_is_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(shop)
    call = qr.call

    def forgetful(account: Any, op: str, send: Any, *, key: str | None = None, body: bytes | None = None) -> Any:
        return call(account, op, send, key=str(uuid4()) if op == "refund" else key, body=body)

    monkeypatch.setattr(qr, "call", forgetful)

    refund_whose_answer_is_lost(shop)

    with pytest.raises(AssertionError):
        shop.check_rest()
    assert len(next(iter(shop.book.orders.values())).refunds) == 2


def code_expires(shop: Shop) -> None:
    shop.place((0, 1), (1, 1))
    shop.open(0)
    shop.expire_code(0)
    shop.deliver(shop.news[-1])
    shop.engine()


def test_expired_code_releases_nothing(shop: Shop) -> None:
    code_expires(shop)

    assert Charge.objects.get().state == State.EXPIRED
    assert broken_rules() == {}


def test_mutant_that_releases_on_any_expiry_is_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    enter = services._enter

    def hasty(charge: Charge, order: Order, others: list[Charge], to: State, *told: Any) -> None:
        enter(charge, order, others, to, *told)
        if to == State.EXPIRED:
            release_reserved(order_id=order.id, at=shop.now)

    monkeypatch.setattr(services, "_enter", hasty)

    code_expires(shop)

    assert list(broken_rules()) == ["S3"]


def contested(shop: Shop) -> None:
    """A part goes back, then the bank takes the rest; its notification comes three times."""
    shop.refund(0, Decimal("5.00"))
    shop.engine()
    shop.deliver(shop.news[-1])
    shop.engine()
    shop.bank_takes_back(0)
    for _ in range(3):
        shop.deliver(shop.news[-1])
    shop.settle()


def test_contested_payment_is_flagged_once(shop: Shop) -> None:
    contested(paid(shop))

    shop.check_rest()
    charge = Charge.objects.get()
    assert (charge.state, charge.order.attention) == (State.CHARGED_BACK, "Cobrança contestada pelo banco")
    told = StoredEvent.objects.filter(type="payment.processed", subject_id=charge.id).order_by("id")
    assert [event.payload["success"] for event in told] == [True, False]


def test_payment_that_is_first_seen_when_it_is_contested_is_booked(shop: Shop) -> None:
    shop.place((0, 1), (1, 1))
    shop.open(0)
    shop.pay(0)
    shop.bank_takes_back(0)
    shop.settle()

    shop.check_rest()
    assert Order.objects.get().status == Status.EXPIRED


def test_mutant_that_takes_a_settled_payment_for_final_is_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(shop)
    monkeypatch.setitem(RANK, State.CHARGED_BACK, RANK[State.APPROVED])

    contested(shop)

    with pytest.raises(AssertionError, match="partially_refunded"):
        shop.check_rest()


def dies_at_every_moment(shop: Shop) -> int:
    """Cancel an order again and again, each time dying one statement later; look at the books each time. Return how often."""
    for moment in range(200):
        shop.dies_after = moment
        shop.cancel(0)
        shop.check_commit()
        if Order.objects.get().status == Status.CANCELLED:
            return moment
    raise AssertionError("it never lived long enough")


def test_death_at_any_moment_of_a_cancellation_breaks_nothing(shop: Shop) -> None:
    assert dies_at_every_moment(paid(shop)) > 20
    shop.settle()
    shop.check_rest()


def test_mutant_with_its_event_outside_the_transaction_is_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(shop)
    insert = prepared.insert

    def late(row: Model) -> None:
        """Store an event once the change is committed: a process that dies in between has told nobody."""
        if isinstance(row, StoredEvent):
            transaction.on_commit(lambda: insert(row))
        else:
            insert(row)

    monkeypatch.setattr(prepared, "insert", late)

    with pytest.raises(AssertionError, match="E3"):
        dies_at_every_moment(shop)

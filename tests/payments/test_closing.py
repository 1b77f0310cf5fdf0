"""The nightly closing: each kind of difference is found once, one click repairs it, and the next closing finds nothing."""

import json
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.catalog.models import Product
from apps.core.actors import SYSTEM, Actor, Role
from apps.core.models import AuditEntry
from apps.orders.cancel import cancel_order
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments import closing as closings
from apps.payments.differences import ClosingState, Kind, day_at, span_of
from apps.payments.errors import ClosingNotFoundError, DayNotOverError, ProviderAwayError
from apps.payments.models import Charge, Closing, ClosingLine, Refund
from apps.stores.models import Store
from tests.factories import StoreFactory, place, staff
from tests.fixtures import Screen, broken_rules
from tests.payments.back import engine_looks, ledger, open_qr, paid_by_qr, paid_in_cash, sent
from tests.payments.conftest import STORE_CODE, Provider

PAID = Decimal("47.50")
SEARCH = "GET /v1/orders$"
NOTHING = Decimal("0.00")


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def tomorrow(now: datetime) -> datetime:
    """A moment at which the day of ``now`` is over."""
    return now + timedelta(days=1, hours=2)


@pytest.fixture
def manager(store: Store) -> Actor:
    return staff(Role.MANAGER, store)


def day_of(store: Store, at: datetime) -> date:
    return day_at(at, zone=store.timezone, starts_at=store.day_starts_at)


def close(store: Store, day: date, at: datetime, *, steps: int = 50) -> Closing:
    """Close a day, or go on with it, as the engine does."""
    row = closings.close_again(store_id=store.id, day=day, by=SYSTEM, at=at)
    for _ in range(steps):
        if row.state == ClosingState.DONE:
            break
        closings.advance_closing(closing_id=row.id, at=at)
        row.refresh_from_db()
    return row


def found() -> list[tuple[str, Decimal, Decimal]]:
    """Every difference that nobody has repaired."""
    lines = ClosingLine.objects.filter(repaired_at=None).order_by("found_at", "kind")
    return [(line.kind, line.ours, line.theirs) for line in lines]


def orphan(provider: Provider, amount: str = "12.00", *, reference: str = "", pos: str = f"BM{STORE_CODE}") -> str:
    """Make an order at the provider with our mark, which no charge names, and pay it."""
    body = {
        "type": "qr",
        "total_amount": amount,
        "description": "BreadMate pedido T999",
        "external_reference": reference or f"bm-{uuid4().hex}",
        "expiration_time": "PT300S",
        "config": {"qr": {"external_pos_id": pos, "mode": "dynamic"}},
        "transactions": {"payments": [{"amount": amount}]},
    }
    headers = {"Authorization": "Bearer APP_USR-SIM-1", "X-Idempotency-Key": str(uuid4())}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{provider.url}/v1/orders", data=json.dumps(body), headers=headers, timeout=5)
    assert answer.status_code == 201, answer.text
    provider.pay(answer.json()["id"])
    return str(answer.json()["id"])


def searches(provider: Provider) -> int:
    return len([entry for entry in provider.requests if entry["method"] == "GET" and entry["path"] == "/v1/orders"])


def test_day_in_order_differs_in_nothing(
    provider: Provider, order: Order, kiosk: Screen, product: Product, store: Store, now: datetime, tomorrow: datetime
) -> None:
    charge = paid_by_qr(provider, order, kiosk, now)
    open_qr(place(kiosk.device, product), kiosk, now)
    cash = paid_in_cash(place(kiosk.device, product), kiosk, now)
    calls = len(provider.requests)

    row = close(store, day_of(store, now), tomorrow)

    assert (row.state, found(), row.charges, row.searched) == (ClosingState.DONE, [], 2, True)
    assert (row.ours_paid, row.theirs_paid, row.ours_refunded, row.theirs_refunded) == (PAID, PAID, NOTHING, NOTHING)
    assert row.at_counter == [{"confirmed_by": str(cash.confirmed_by), "cash": "47.50", "card": "0.00", "count": "1"}]
    assert len(provider.requests) - calls == 1
    charge.refresh_from_db()
    assert charge.compared_at == tomorrow
    assert broken_rules() == {}


def test_payment_nobody_told_us_of_is_found_and_repaired(
    provider: Provider, order: Order, kiosk: Screen, store: Store, manager: Actor, now: datetime, tomorrow: datetime
) -> None:
    charge = open_qr(order, kiosk, now)
    provider.pay(charge.provider_order_id)  # no webhook comes, and no check is made

    row = close(store, day_of(store, now), tomorrow)
    assert (found(), row.ours_paid, row.theirs_paid) == ([(Kind.NOT_HERE, NOTHING, PAID)], NOTHING, PAID)

    line = closings.repair_line(line_id=ClosingLine.objects.get().id, by=manager, at=tomorrow)

    charge.refresh_from_db()
    order.refresh_from_db()
    assert (charge.state, order.status, line.repaired_by) == ("approved", Status.RECEIVED, manager.id)
    assert (close(store, day_of(store, now), tomorrow).ours_paid, found()) == (PAID, [])
    assert AuditEntry.objects.filter(action="payments.difference_repaired").count() == 1
    assert broken_rules() == {}


def test_partial_refund_by_the_seller_is_found_and_written_down(
    provider: Provider, order: Order, kiosk: Screen, store: Store, manager: Actor, now: datetime, tomorrow: datetime
) -> None:
    charge = paid_by_qr(provider, order, kiosk, now)
    provider.control(f"orders/{charge.provider_order_id}/refund_by_seller", {"amount": "7.50"})

    close(store, day_of(store, now), tomorrow)
    assert found() == [(Kind.REFUND_NOT_HERE, NOTHING, Decimal("7.50"))]

    closings.repair_line(line_id=ClosingLine.objects.get().id, by=manager, at=tomorrow)

    charge.refresh_from_db()
    assert (charge.state, charge.refunded_amount, Refund.objects.get().cause) == (
        "partially_refunded",
        Decimal("7.50"),
        "outside",
    )
    assert (close(store, day_of(store, now), tomorrow).theirs_refunded, found()) == (Decimal("7.50"), [])
    assert broken_rules() == {}


def test_orphan_is_found_and_given_back_once(
    provider: Provider, store: Store, manager: Actor, now: datetime, tomorrow: datetime
) -> None:
    number = orphan(provider)
    orphan(provider, reference="outra-loja-1")  # somebody else's sale in the same account

    close(store, day_of(store, now), tomorrow)
    assert found() == [(Kind.ORPHAN, NOTHING, Decimal("12.00"))]

    line_id = ClosingLine.objects.get().id
    for _ in range(2):
        closings.repair_line(line_id=line_id, by=manager, at=tomorrow)

    assert [(entry["path"], entry["idempotency_key"]) for entry in sent(provider)] == [
        (f"/v1/orders/{number}/refund", f"o-{line_id}")
    ]
    close(store, day_of(store, now), tomorrow)
    assert (found(), ledger(provider)[1]) == ([], Decimal("12.00"))


def test_orphan_that_goes_back_slowly_stays_until_it_is_back(
    provider: Provider, store: Store, manager: Actor, now: datetime, tomorrow: datetime
) -> None:
    orphan(provider)
    provider.control("settings", {"refund_mode": "async", "refund_delay_s": 600})
    close(store, day_of(store, now), tomorrow)
    line_id = ClosingLine.objects.get().id

    waiting = closings.repair_line(line_id=line_id, by=manager, at=tomorrow)
    assert waiting.repaired_at is None
    assert "em processamento" in waiting.reason
    provider.control("clock", {"advance_s": 601})

    assert closings.repair_line(line_id=line_id, by=manager, at=tomorrow).repaired_at == tomorrow
    assert len(sent(provider)) == 1


def test_orphan_belongs_to_the_store_of_its_till(
    provider: Provider, store: Store, now: datetime, tomorrow: datetime
) -> None:
    other = StoreFactory(code="OUTRA")
    orphan(provider)

    close(other, day_of(other, now), tomorrow)
    assert found() == []
    close(store, day_of(store, now), tomorrow)
    assert [line.closing.store_id for line in ClosingLine.objects.all()] == [store.id]


def test_money_the_provider_does_not_know_of_is_found(
    provider: Provider, order: Order, kiosk: Screen, store: Store, manager: Actor, now: datetime, tomorrow: datetime
) -> None:
    charge = paid_by_qr(provider, order, kiosk, now)
    Charge.objects.filter(id=charge.id).update(provider_order_id=f"ORD01{'0' * 24}", reference="bm-gone")

    close(store, day_of(store, now), tomorrow)

    assert (Kind.NOT_THERE, PAID, NOTHING) in found()
    line = closings.repair_line(line_id=ClosingLine.objects.get(kind=Kind.NOT_THERE).id, by=manager, at=tomorrow)
    assert line.repaired_at is None
    noted = closings.note_line(line_id=line.id, note="visto no extrato", by=manager, at=tomorrow)
    assert (noted.note, noted.repaired_by) == ("visto no extrato", manager.id)
    close(store, day_of(store, now), tomorrow)
    assert Kind.NOT_THERE not in [kind for kind, _, _ in found()]


def test_other_amount_and_refund_that_is_not_there_are_found(
    provider: Provider, order: Order, kiosk: Screen, store: Store, now: datetime, tomorrow: datetime
) -> None:
    charge = paid_by_qr(provider, order, kiosk, now)
    with provider.sim.orders() as book:
        book.orders[charge.provider_order_id or ""].paid = Decimal("40.00")
    Refund.objects.create(
        charge=charge, amount=5, cause="requested", state="done", key="r-x", created_at=now, done_at=now
    )
    Charge.objects.filter(id=charge.id).update(refunded_amount=5, state="partially_refunded")

    close(store, day_of(store, now), tomorrow)

    assert found() == [
        (Kind.AMOUNT, PAID, Decimal("40.00")),
        (Kind.REFUND_NOT_THERE, Decimal("5.00"), NOTHING),
    ]


def test_contested_money_is_found(
    provider: Provider, order: Order, kiosk: Screen, store: Store, manager: Actor, now: datetime, tomorrow: datetime
) -> None:
    charge = paid_by_qr(provider, order, kiosk, now)
    provider.control(f"orders/{charge.provider_order_id}/chargeback")

    close(store, day_of(store, now), tomorrow)
    assert found() == [(Kind.CONTESTED, PAID, NOTHING)]
    closings.repair_line(line_id=ClosingLine.objects.get().id, by=manager, at=tomorrow)

    charge.refresh_from_db()
    assert (charge.state, found()) == ("charged_back", [])


def test_order_nothing_pays_for_is_found(
    provider: Provider, order: Order, kiosk: Screen, store: Store, now: datetime, tomorrow: datetime
) -> None:
    paid_by_qr(provider, order, kiosk, now)
    Charge.objects.update(pays_order=False, state="late")

    close(store, day_of(store, now), tomorrow)

    assert found() == [(Kind.KEPT, PAID, NOTHING)]


def test_what_is_on_its_way_back_is_no_difference(
    provider: Provider, order: Order, kiosk: Screen, store: Store, manager: Actor, now: datetime, tomorrow: datetime
) -> None:
    paid_by_qr(provider, order, kiosk, now)
    cancel_order(order_id=order.id, by=manager, at=now)

    close(store, day_of(store, now), tomorrow)
    assert found() == []
    engine_looks(tomorrow)
    close(store, day_of(store, now), tomorrow)

    assert (found(), ledger(provider)) == ([], (PAID, PAID))


def test_many_pages_are_read_in_steps(
    provider: Provider, order: Order, kiosk: Screen, store: Store, now: datetime, tomorrow: datetime, settings: Settings
) -> None:
    settings.MP_RATE = 1000.0
    paid_by_qr(provider, order, kiosk, now)
    for _ in range(2):
        orphan(provider, "1.00")
    with provider.sim.orders() as book:  # 700 open codes that nobody paid
        model = next(iter(book.orders.values()))
        for number in range(700):
            order_id = f"ORD01{number:024d}"
            copy = type(model)(**{name: getattr(model, name) for name in model.__slots__})
            copy.id, copy.external_reference, copy.status, copy.paid = order_id, f"bm-{number:032x}", "expired", NOTHING
            copy.created_at, copy.refunds = now, []
            book.orders[order_id] = copy
    row = closings.close_again(store_id=store.id, day=day_of(store, now), by=SYSTEM, at=tomorrow)

    closings.advance_closing(closing_id=row.id, at=tomorrow)
    row.refresh_from_db()
    assert (row.state, row.page, searches(provider)) == (ClosingState.LISTING, 6, 5)
    close(store, day_of(store, now), tomorrow)
    row.refresh_from_db()

    assert (row.state, searches(provider), row.theirs_paid) == (ClosingState.DONE, 8, PAID + 2)


def test_charges_are_asked_one_by_one_when_search_is_refused(
    provider: Provider, kiosk: Screen, store: Store, product: Product, now: datetime, tomorrow: datetime
) -> None:
    for _ in range(3):
        provider.pay(open_qr(place(kiosk.device, product), kiosk, now).provider_order_id)
    provider.fault(SEARCH, status=403)

    row = close(store, day_of(store, now), tomorrow)

    assert (row.searched, row.theirs_paid) == (False, PAID * 3)
    assert found() == [(Kind.NOT_HERE, NOTHING, PAID)] * 3


def test_crash_in_the_middle_goes_on_where_it_was(
    provider: Provider,
    kiosk: Screen,
    store: Store,
    product: Product,
    now: datetime,
    tomorrow: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(3):
        provider.pay(open_qr(place(kiosk.device, product), kiosk, now).provider_order_id)
    provider.fault(SEARCH, status=403)
    row = closings.close_again(store_id=store.id, day=day_of(store, now), by=SYSTEM, at=tomorrow)
    real, left = closings._note_answer, [1]

    def dies(*told: Any) -> Closing:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return real(*told)

    monkeypatch.setattr(closings, "_note_answer", dies)
    with pytest.raises(KeyboardInterrupt):
        closings.advance_closing(closing_id=row.id, at=tomorrow)
    monkeypatch.setattr(closings, "_note_answer", real)
    assert closings.advance_closing(closing_id=row.id, at=tomorrow) is None  # its lease still holds
    assert ClosingLine.objects.count() == 1

    later = tomorrow + closings.LEASE
    assert closings.claim_due(at=later) == [row.id]
    closings.advance_closing(closing_id=row.id, at=later)

    row.refresh_from_db()
    assert (row.state, row.run, row.theirs_paid) == (ClosingState.DONE, 1, PAID * 3)
    assert found() == [(Kind.NOT_HERE, NOTHING, PAID)] * 3


def test_provider_that_is_away_puts_the_closing_off(
    provider: Provider, order: Order, kiosk: Screen, store: Store, now: datetime, tomorrow: datetime
) -> None:
    provider.pay(open_qr(order, kiosk, now).provider_order_id)
    provider.fault(SEARCH, status=503, headers={"Retry-After": "40"})

    row = close(store, day_of(store, now), tomorrow, steps=1)

    assert (row.state, row.next_check_at, row.leased_until) == (
        ClosingState.LISTING,
        tomorrow + timedelta(seconds=40),
        None,
    )
    assert "503" in row.problem
    assert close(store, day_of(store, now), tomorrow + timedelta(seconds=41)).state == ClosingState.DONE
    assert len(found()) == 1


def test_repair_while_the_provider_is_away_changes_nothing(
    provider: Provider, order: Order, kiosk: Screen, store: Store, manager: Actor, now: datetime, tomorrow: datetime
) -> None:
    provider.pay(open_qr(order, kiosk, now).provider_order_id)
    close(store, day_of(store, now), tomorrow)
    provider.fault("GET /v1/orders/", status=500)

    with pytest.raises(ProviderAwayError):
        closings.repair_line(line_id=ClosingLine.objects.get().id, by=manager, at=tomorrow)

    assert (len(found()), Order.objects.get().status) == (1, Status.AWAITING_PAYMENT)


@pytest.mark.parametrize("role", [Role.CASHIER, Role.AUDITOR, Role.KITCHEN])
def test_only_who_answers_for_the_store_repairs(
    role: Role, provider: Provider, store: Store, now: datetime, tomorrow: datetime
) -> None:
    orphan(provider)
    close(store, day_of(store, now), tomorrow)
    line_id = ClosingLine.objects.get().id
    works: list[Callable[[Actor], object]] = [
        lambda by: closings.repair_line(line_id=line_id, by=by, at=tomorrow),
        lambda by: closings.note_line(line_id=line_id, note="x", by=by, at=tomorrow),
        lambda by: closings.close_again(store_id=store.id, day=day_of(store, now), by=by, at=tomorrow),
    ]

    for by in (staff(role, store), staff(Role.OWNER, StoreFactory())):
        for work in works:
            with pytest.raises(ClosingNotFoundError):
                work(by)

    assert (len(found()), len(sent(provider))) == (1, 0)


def test_engine_opens_the_days_that_are_over(
    provider: Provider, order: Order, kiosk: Screen, store: Store, now: datetime, tomorrow: datetime
) -> None:
    StoreFactory()  # has never sold anything
    assert closings.open_closings(at=now) == 0
    paid_by_qr(provider, order, kiosk, now)

    assert closings.open_closings(at=tomorrow) == 7
    assert closings.open_closings(at=tomorrow) == 0
    days = sorted(Closing.objects.values_list("day", flat=True))
    over = day_of(store, tomorrow - closings.REST) - timedelta(days=1)
    assert (days[-1], len(closings.claim_due(at=tomorrow))) == (over, 7)
    assert closings.claim_due(at=tomorrow) == []
    assert closings.open_closings(at=tomorrow + timedelta(days=2)) == 2
    with pytest.raises(DayNotOverError):
        closings.close_again(store_id=store.id, day=day_of(store, now), by=SYSTEM, at=now)


def test_day_ends_an_hour_after_it_turns(store: Store) -> None:
    begins, ends = span_of(date(2026, 11, 21), zone="America/Sao_Paulo", starts_at=store.day_starts_at)

    assert (begins.isoformat(), ends.isoformat()) == ("2026-11-21T00:00:00-03:00", "2026-11-22T00:00:00-03:00")
    assert day_at(ends - timedelta(seconds=1), zone="America/Sao_Paulo", starts_at=store.day_starts_at) == date(
        2026, 11, 21
    )
    assert day_at(ends, zone="America/Sao_Paulo", starts_at=store.day_starts_at) == date(2026, 11, 22)


def test_command_closes_a_day_and_says_what_differs(
    provider: Provider, order: Order, kiosk: Screen, store: Store
) -> None:
    earlier = timezone.now() - timedelta(days=1)
    charge = open_qr(order, kiosk, timezone.now())
    provider.pay(charge.provider_order_id)
    Charge.objects.update(created_at=earlier)
    with provider.sim.orders() as book:
        book.orders[charge.provider_order_id or ""].created_at = earlier
    day, said = day_of(store, earlier).isoformat(), StringIO()

    with pytest.raises(SystemExit):
        call_command("close_day", store=STORE_CODE, day=date.fromisoformat(day), wait=5.0, stdout=said)

    assert "✖ pago lá, não recebido aqui" in said.getvalue()
    with pytest.raises(CommandError, match="ainda não acabou"):
        call_command("close_day", store=STORE_CODE, day=date(2999, 1, 1), wait=5.0)


def test_account_without_a_token_keeps_no_day_open(store: Store, tomorrow: datetime, settings: Settings) -> None:
    settings.MP_ACCESS_TOKEN = ""

    assert close(store, day_of(store, tomorrow) - timedelta(days=1), tomorrow).state == ClosingState.DONE


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_one_closing(provider: Provider, order: Order, kiosk: Screen, store: Store) -> None:
    now = timezone.now()
    tomorrow = now + timedelta(days=1, hours=2)
    provider.pay(open_qr(order, kiosk, now).provider_order_id)
    row = closings.close_again(store_id=store.id, day=day_of(store, now), by=SYSTEM, at=tomorrow)
    start = threading.Barrier(2)

    def work() -> None:
        from django.db import connection  # noqa: PLC0415 - one for this thread

        start.wait()
        closings.advance_closing(closing_id=row.id, at=tomorrow)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    row.refresh_from_db()
    assert (row.state, row.run, row.theirs_paid, searches(provider)) == (ClosingState.DONE, 1, PAID, 1)
    assert found() == [(Kind.NOT_HERE, NOTHING, PAID)]

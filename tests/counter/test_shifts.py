"""A shift: what goes into the drawer, what is counted, and what differs."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.catalog.models import Product
from apps.core.actors import Role
from apps.counter import queries, services
from apps.counter.errors import DrawerTooLowError, ShiftClosedError, ShiftNotFoundError
from apps.counter.models import CashMovement, Shift
from apps.counter.rules import MovementKind
from apps.orders.cancel import cancel_order, void_item
from apps.payments.errors import NotAtCounterError
from apps.payments.models import Charge, Refund
from apps.payments.refunds import request_refund
from apps.payments.rules import Method, Tender
from apps.payments.services import confirm_counter, open_charge
from apps.stores.models import Store
from tests.counter.conftest import Person, Take, form_key
from tests.factories import StoreFactory, claim, place
from tests.fixtures import Screen, broken_rules

FLOAT = Decimal("100.00")


def begin(person: Person, store: Store, opening_float: Decimal = FLOAT) -> Shift:
    return services.open_shift(store_id=store.id, opening_float=opening_float, by=person.actor)


def move(shift: Shift, person: Person, kind: MovementKind, amount: str, key: UUID | None = None) -> CashMovement:
    return services.move_cash(
        shift_id=shift.id, kind=kind, amount=Decimal(amount), reason="cofre", form_key=key or uuid4(), by=person.actor
    )


def close(shift: Shift, person: Person, counted: str = "0") -> Shift:
    return services.close_shift(shift_id=shift.id, counted_cash=Decimal(counted), note="", by=person.actor)


def give_back(charge: Charge, person: Person, amount: str) -> Refund:
    return request_refund(
        charge_id=charge.id, amount=Decimal(amount), reason="veio frio", by=person.actor, at=timezone.now()
    )


@pytest.fixture
def shift(cashier: Person, store: Store) -> Shift:
    return begin(cashier, store)


def test_shift_adds_up_what_its_person_took(shift: Shift, cashier: Person, store: Store, take: Take) -> None:
    take(cashier, received="50.00")
    take(cashier, Tender.CARD_MACHINE)
    take(cashier)
    take(Person(store))
    move(shift, cashier, MovementKind.SUPPLY, "20.00")
    move(shift, cashier, MovementKind.WITHDRAWAL, "50.00")

    totals = queries.totals_of(shift)

    assert (totals.cash, totals.card) == (Decimal("63.80"), Decimal("31.90"))
    assert (totals.cash_payments, totals.card_payments) == (2, 1)
    assert (totals.supplied, totals.withdrawn, totals.cash_refunded) == (Decimal(20), Decimal(50), Decimal(0))
    assert totals.expected_cash == Decimal("133.80")


@pytest.mark.parametrize(("counted", "difference"), [("163.80", "0.00"), ("160.00", "-3.80"), ("170.00", "6.20")])
def test_closing_keeps_totals_and_difference(
    counted: str, difference: str, shift: Shift, cashier: Person, take: Take
) -> None:
    take(cashier)
    take(cashier, received="100.00")

    closed = close(shift, cashier, counted)

    assert (closed.cash_received, closed.expected_cash) == (Decimal("63.80"), Decimal("163.80"))
    assert (closed.difference, closed.missing) == (Decimal(difference), -Decimal(difference))
    assert (closed.closed_by_id, closed.is_open) == (cashier.user.id, False)
    assert broken_rules() == {}


def test_cash_handed_back_leaves_the_drawer_of_who_hands_it_back(
    shift: Shift, cashier: Person, store: Store, take: Take
) -> None:
    manager, colleague = Person(store, Role.MANAGER), Person(store)
    begin(manager, store)
    taken, by_card, elsewhere = take(cashier), take(cashier, Tender.CARD_MACHINE), take(colleague)
    for charge, amount in ((taken, "5.00"), (by_card, "6.00"), (elsewhere, "7.00")):
        give_back(charge, cashier, amount)
    give_back(taken, manager, "9.00")

    totals = queries.totals_of(shift)
    assert (totals.cash_refunded, totals.expected_cash) == (Decimal("12.00"), Decimal("119.90"))
    assert queries.totals_of(Shift.objects.get(opened_by=manager.user)).cash_refunded == Decimal("9.00")
    closed = close(shift, cashier, "119.90")

    assert (closed.cash_refunded, closed.difference) == (Decimal("12.00"), Decimal("0.00"))
    assert broken_rules() == {}
    Shift.objects.filter(id=shift.id).update(cash_refunded=0)
    assert [*broken_rules()] == ["C1"]


def test_cash_of_a_cancelled_order_and_a_voided_item_leaves_the_drawer(
    shift: Shift, cashier: Person, kiosk: Screen, product: Product
) -> None:
    orders = [place(kiosk.device, product), place(kiosk.device, product, product)]
    for order in orders:
        by = kiosk.actor
        charge = open_charge(order_id=order.id, method=Method.COUNTER, by=by, claim=claim(by), at=timezone.now())
        confirm_counter(charge_id=charge.id, tender=Tender.CASH, received=None, by=cashier.actor, at=timezone.now())
    line = orders[1].lines.first()
    assert line is not None

    cancel_order(order_id=orders[0].id, by=cashier.actor, at=timezone.now())
    void_item(order_id=orders[1].id, line_id=line.id, by=cashier.actor, at=timezone.now(), reason="acabou")

    assert queries.totals_of(shift).cash_refunded == Decimal("63.80")
    assert close(shift, cashier, "131.90").difference == 0
    assert broken_rules() == {}


def test_cash_handed_back_after_a_shift_is_not_in_it(shift: Shift, cashier: Person, store: Store, take: Take) -> None:
    charge = take(cashier)
    closed = close(shift, cashier)
    give_back(charge, cashier, "5.00")
    following = begin(cashier, store)
    give_back(charge, cashier, "6.00")

    assert queries.totals_of(closed).cash_refunded == 0
    assert queries.totals_of(following).cash_refunded == Decimal("6.00")
    assert broken_rules() == {}


def test_payments_before_and_after_a_shift_are_not_in_it(cashier: Person, store: Store, take: Take) -> None:
    take(cashier)
    shift = begin(cashier, store)
    take(cashier)
    closed = close(shift, cashier)
    take(cashier)

    assert (closed.cash_received, queries.totals_of(closed).cash) == (Decimal("31.90"), Decimal("31.90"))
    assert broken_rules() == {}


def test_payment_at_another_store_is_not_in_it(shift: Shift, cashier: Person, take: Take) -> None:
    elsewhere = Screen(StoreFactory())
    both = Person(None, Role.OWNER)
    here, there = begin(both, shift.store), begin(both, elsewhere.store)

    take(both, screen=elsewhere)

    assert (queries.totals_of(here).cash, queries.totals_of(there).cash) == (Decimal(0), Decimal("31.90"))


def test_one_person_has_one_open_shift_at_a_store(shift: Shift, cashier: Person, store: Store) -> None:
    again = begin(cashier, store, Decimal(7))

    assert (again.id, again.opening_float) == (shift.id, FLOAT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Shift.objects.create(store=store, opened_by=cashier.user, opened_at=timezone.now(), opening_float=0)
    close(shift, cashier)
    assert begin(cashier, store).id != shift.id


@pytest.mark.parametrize("role", [Role.KITCHEN, Role.AUDITOR])
def test_shift_is_for_the_counter_of_the_store(role: Role, store: Store) -> None:
    for person in (Person(store, role), Person(StoreFactory(), Role.CASHIER)):
        with pytest.raises(ShiftNotFoundError):
            begin(person, store)

    assert not Shift.objects.exists()


def test_repeated_closing_changes_nothing(shift: Shift, cashier: Person) -> None:
    first = close(shift, cashier, "90.00")
    second = close(shift, cashier, "100.00")

    assert (second.counted_cash, second.closed_at) == (Decimal("90.00"), first.closed_at)


def test_form_sent_twice_is_one_movement(shift: Shift, cashier: Person) -> None:
    key = uuid4()

    first, second = (move(shift, cashier, MovementKind.SUPPLY, "5.00", key) for _ in range(2))

    assert (first.id, CashMovement.objects.count()) == (second.id, 1)


def test_more_than_the_drawer_holds_is_not_taken_out(shift: Shift, cashier: Person) -> None:
    with pytest.raises(DrawerTooLowError):
        move(shift, cashier, MovementKind.WITHDRAWAL, "100.01")
    move(shift, cashier, MovementKind.WITHDRAWAL, "100.00")

    assert queries.totals_of(shift).expected_cash == 0


def test_closed_shift_takes_no_more_cash(shift: Shift, cashier: Person) -> None:
    close(shift, cashier)

    with pytest.raises(ShiftClosedError):
        move(shift, cashier, MovementKind.SUPPLY, "1.00")


def test_manager_closes_for_whoever_went_home_but_moves_no_cash_of_theirs(
    shift: Shift, cashier: Person, store: Store, take: Take
) -> None:
    manager = Person(store, Role.MANAGER)
    take(cashier)

    with pytest.raises(ShiftNotFoundError):
        move(shift, manager, MovementKind.SUPPLY, "1.00")
    closed = close(shift, manager, "131.90")

    assert (closed.closed_by_id, closed.opened_by_id) == (manager.user.id, cashier.user.id)
    assert (closed.cash_received, closed.difference) == (Decimal("31.90"), 0)


@pytest.mark.parametrize("who", ["colleague", "outsider"])
def test_somebody_elses_shift_is_not_closed_or_seen(who: str, shift: Shift, store: Store) -> None:
    person = Person(store) if who == "colleague" else Person(StoreFactory(), Role.MANAGER)

    with pytest.raises(ShiftNotFoundError):
        close(shift, person)

    assert person.client.get(f"/caixa/turno/{shift.id}/").status_code == 404
    shift.refresh_from_db()
    assert shift.is_open


def test_money_taken_without_a_shift_is_told_to_managers_alone(
    cashier: Person, store: Store, stranger: Screen, take: Take
) -> None:
    outside = take(cashier)
    shift = begin(cashier, store)
    take(cashier)
    close(shift, cashier)
    after = take(cashier)
    take(Person(stranger.store), screen=stranger)
    old = take(cashier)
    Charge.objects.filter(id=old.id).update(settled_at=timezone.now() - timedelta(days=8))

    listed = queries.taken_outside_shifts(store.id, timezone.now())

    assert [receipt.payment for receipt in listed] == [after.id, outside.id]
    pages = [person.page("/caixa/turno/") for person in (Person(store, Role.MANAGER), cashier)]
    assert [outside.order.number in page for page in pages] == [True, False]


def test_somebody_else_cannot_take_the_same_payment(cashier: Person, store: Store, take: Take) -> None:
    charge = take(cashier, received="50.00")

    with pytest.raises(NotAtCounterError):
        confirm_counter(
            charge_id=charge.id, tender=Tender.CASH, received=None, by=Person(store).actor, at=timezone.now()
        )

    charge.refresh_from_db()
    assert (charge.confirmed_by, charge.received_amount) == (cashier.user.id, Decimal("50.00"))


def test_shift_page_leads_from_opening_to_the_slip(cashier: Person, store: Store, take: Take) -> None:
    client = cashier.client
    opened = client.post("/caixa/turno/abrir/", {"opening_float": "R$ 1.100,00"})
    shift = Shift.objects.get()
    take(cashier, received="50.00")
    told = {"kind": "withdrawal", "amount": "1000", "reason": "cofre", "form_key": form_key()}
    moved = [client.post(f"/caixa/turno/{shift.id}/movimento/", told) for _ in range(2)]
    page = cashier.page("/caixa/turno/")
    closed = client.post(f"/caixa/turno/{shift.id}/encerrar/", {"counted_cash": "130,00", "note": "moeda caiu"})
    slip = cashier.page(closed["Location"])

    assert [answer.status_code for answer in (opened, *moved, closed)] == [302] * 4
    assert CashMovement.objects.count() == 1
    assert [text in page for text in ("1.100,00", "31,90", "1.000,00", "131,90", "Maquininha")] == [True] * 5
    assert [text in slip for text in ("130,00", "falta R$&nbsp;1,90", "moeda caiu", "cofre", "Bia")] == [True] * 5


@pytest.mark.parametrize("typed", ["", "abc", "-1", "1,234", "100000", "1e3", "NaN", "Infinity", "1,2,3"])
def test_amount_nobody_means_is_refused_with_what_was_typed(typed: str, cashier: Person) -> None:
    answer = cashier.client.post("/caixa/turno/abrir/", {"opening_float": typed})

    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not Shift.objects.exists()


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"amount": "0"}, "maior que zero"),
        ({"reason": ""}, "motivo"),
        ({"amount": "100,01"}, "maior do que o dinheiro"),
    ],
)
def test_refused_movement_changes_nothing(told: dict[str, str], why: str, shift: Shift, cashier: Person) -> None:
    asked = {"kind": "withdrawal", "amount": "10", "reason": "cofre", "form_key": form_key()}

    answer = cashier.client.post(f"/caixa/turno/{shift.id}/movimento/", asked | told)

    assert (answer.status_code, why in answer.content.decode()) == (400, True)
    assert not CashMovement.objects.exists()


def test_manager_closes_from_the_slip_and_sees_what_was_refused(shift: Shift, store: Store) -> None:
    manager = Person(store, Role.MANAGER)
    path = f"/caixa/turno/{shift.id}/encerrar/"

    refused = manager.client.post(path, {"counted_cash": "x"})
    closed = manager.client.post(path, {"counted_cash": "100"})

    assert (refused.status_code, closed.status_code) == (400, 302)
    assert "confere" in manager.page(closed["Location"])


@pytest.mark.parametrize("tail", ["abrir/", "{id}/movimento/", "{id}/encerrar/"])
def test_writes_need_the_page_they_come_from(tail: str, shift: Shift, cashier: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = cashier.client.cookies

    answer = client.post(f"/caixa/turno/{tail.format(id=shift.id)}", {"counted_cash": "1", "opening_float": "1"})

    assert answer.status_code == 403
    shift.refresh_from_db()
    assert shift.is_open


@pytest.mark.parametrize("role", [Role.KITCHEN, Role.AUDITOR, None])
def test_others_write_nothing(role: Role | None, shift: Shift, store: Store) -> None:
    client = Person(store, role).client

    answers = [
        client.post("/caixa/turno/abrir/", {"opening_float": "1"}),
        client.post(f"/caixa/turno/{shift.id}/encerrar/", {"counted_cash": "1"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert (Shift.objects.count(), Shift.objects.filter(closed_at=None).count()) == (1, 1)


def test_thirty_shifts_and_movements_take_no_more_queries_than_one(cashier: Person, store: Store, take: Take) -> None:
    counts = []
    for total in (1, 30):
        while Shift.objects.count() < total:
            close(begin(cashier, store), cashier)
        running = begin(cashier, store)
        while CashMovement.objects.filter(shift=running).count() < total:
            move(running, cashier, MovementKind.SUPPLY, "1.00")
        with CaptureQueriesContext(connection) as queries_made:
            cashier.page("/caixa/turno/")
        counts.append(len(queries_made))
        close(running, cashier)

    assert counts[0] == counts[1]


def total_that_is_not_the_payments(shift: Shift) -> Model:
    Shift.objects.filter(id=shift.id).update(cash_received=Decimal("31.91"))
    return shift


def card_counted_as_cash(shift: Shift) -> Model:
    Charge.objects.update(tender=Tender.CARD_MACHINE)
    return shift


def movement_that_was_lost(shift: Shift) -> Model:
    CashMovement.objects.filter(kind=MovementKind.SUPPLY).delete()
    return shift


def movement_after_the_end(shift: Shift) -> Model:
    moved = CashMovement.objects.get(kind=MovementKind.SUPPLY)
    CashMovement.objects.filter(id=moved.id).update(at=timezone.now())
    return moved


def shift_over_another(shift: Shift) -> Model:
    return Shift.objects.create(
        store=shift.store,
        opened_by=shift.opened_by,
        opened_at=shift.opened_at + timedelta(microseconds=1),
        opening_float=0,
    )


PLANTED = [
    ("C1", total_that_is_not_the_payments),
    ("C1", card_counted_as_cash),
    ("C1", movement_that_was_lost),
    ("C2", movement_after_the_end),
    ("C3", shift_over_another),
]


@pytest.mark.parametrize(("rule", "plant"), PLANTED, ids=lambda value: getattr(value, "__name__", value))
def test_planted_violation_turns_exactly_its_rule_red(
    rule: str, plant: Callable[[Shift], Model], shift: Shift, cashier: Person, take: Take
) -> None:
    take(cashier)
    move(shift, cashier, MovementKind.SUPPLY, "5.00")
    closed = close(shift, cashier)
    assert broken_rules() == {}

    row = plant(closed)

    red = broken_rules()
    assert list(red) == [rule]
    assert str(row.pk) in red[rule][0]

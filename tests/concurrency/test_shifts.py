"""The drawer and many at once: every payment is in exactly one place."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.actors import Actor, Grant, Role
from apps.counter import queries, services
from apps.counter.models import CashMovement, Shift
from apps.counter.rules import MovementKind
from apps.payments.errors import NotAtCounterError
from apps.payments.models import Charge
from apps.payments.rules import Method, Tender
from apps.payments.services import confirm_counter, open_charge
from apps.stores.models import Store
from tests.concurrency.conftest import Together
from tests.factories import ProductFactory, StaffRoleFactory, StoreFactory, claim, place
from tests.fixtures import Screen, broken_rules

PAYMENTS = 5


@pytest.fixture
def shop(transactional_db: None) -> Store:
    return StoreFactory()


def cashier(store: Store) -> Actor:
    role = StaffRoleFactory(store=store, role=Role.CASHIER)
    return Actor(kind="staff", id=role.user.id, grants=frozenset({Grant(Role.CASHIER, store.id)}))


def waiting(screen: Screen) -> Charge:
    order = place(screen.device, ProductFactory(price="10.00"))
    return open_charge(
        order_id=order.id, method=Method.COUNTER, by=screen.actor, claim=claim(screen.actor), at=timezone.now()
    )


def confirm(charge: Charge, by: Actor) -> Charge:
    return confirm_counter(charge_id=charge.id, tender=Tender.CASH, received=None, by=by, at=timezone.now())


def test_payments_during_the_closing_are_counted_or_outside_and_never_lost(shop: Store, together: Together) -> None:
    by, screen = cashier(shop), Screen(shop)
    shift = services.open_shift(store_id=shop.id, opening_float=Decimal(0), by=by)
    charges = [waiting(screen) for _ in range(PAYMENTS)]

    def work(number: int) -> Any:
        if number < PAYMENTS:
            return confirm(charges[number], by)
        return services.close_shift(shift_id=shift.id, counted_cash=Decimal(0), note="", by=by)

    done = together(PAYMENTS + 1, work)

    assert [each for each in done if isinstance(each, Exception)] == []
    closed = Shift.objects.get()
    outside = queries.taken_outside_shifts(shop.id, timezone.now())
    assert closed.cash_received == Decimal(10) * (PAYMENTS - len(outside))
    assert broken_rules() == {}


def test_two_cashiers_at_one_payment_are_one_receipt(shop: Store, together: Together) -> None:
    people, charge = [cashier(shop), cashier(shop)], waiting(Screen(shop))
    for person in people:
        services.open_shift(store_id=shop.id, opening_float=Decimal(0), by=person)

    done = together(2, lambda number: confirm(charge, people[number]))

    assert sorted(type(each).__name__ for each in done) == ["Charge", NotAtCounterError.__name__]
    assert sum(queries.totals_of(shift).cash for shift in Shift.objects.all()) == Decimal(10)


def test_many_openings_are_one_shift(shop: Store, together: Together) -> None:
    by = cashier(shop)

    done = together(4, lambda _: services.open_shift(store_id=shop.id, opening_float=Decimal(5), by=by).id)

    assert (len(set(done)), Shift.objects.count()) == (1, 1)


def test_drawer_is_not_emptied_twice(shop: Store, together: Together) -> None:
    by = cashier(shop)
    shift = services.open_shift(store_id=shop.id, opening_float=Decimal(100), by=by)

    def empty(_: int) -> CashMovement:
        return services.move_cash(
            shift_id=shift.id,
            kind=MovementKind.WITHDRAWAL,
            amount=Decimal(100),
            reason="cofre",
            form_key=uuid4(),
            by=by,
        )

    together(4, empty)

    assert CashMovement.objects.count() == 1

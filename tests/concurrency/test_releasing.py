"""Two hands on an order that waits to be let go: its time runs out, it is taken back, or another hand says no."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from apps.core.actors import Role
from apps.inventory.models import StockLevel
from apps.orders.cancel import cancel_order
from apps.orders.errors import IllegalMoveError
from apps.orders.models import Order
from apps.orders.releasing import refuse_release, release_order
from apps.orders.rules import Status
from apps.orders.services import expire_unpaid
from apps.stores.models import Device
from tests.concurrency.conftest import Together
from tests.factories import DeviceFactory, device_actor, place, staff, stocked_product
from tests.fixtures import broken_rules

ROUNDS = 6


def expired(order: Order) -> object:
    return expire_unpaid(at=timezone.now())


def refused(order: Order) -> object:
    return refuse_release(order_id=order.id, by=staff(Role.MANAGER, order.store), at=timezone.now())


def taken_back(order: Order) -> object:
    by = device_actor(Device.objects.get(id=order.placed_by_id))
    return cancel_order(order_id=order.id, by=by, at=timezone.now())


def take_hand(hands: list[Callable[[], object]], turn: int) -> object:
    return hands[turn]()


@pytest.mark.parametrize("rival", [expired, refused, taken_back])
def test_release_and_its_rival_never_both_win(rival: Callable[[Order], object], together: Together) -> None:
    device = DeviceFactory()
    beer = stocked_product(device.store, 50, needs_release=True)
    for number in range(ROUNDS):
        order = place(device, beer)
        if rival is expired:
            Order.objects.filter(id=order.id).update(expires_at=timezone.now() - timedelta(seconds=1))
        cashier = staff(Role.CASHIER, device.store)
        let_go = partial(release_order, order_id=order.id, by=cashier, at=timezone.now())
        hands = [let_go, partial(rival, order)] if number % 2 else [partial(rival, order), let_go]

        outcome = together(2, partial(take_hand, hands))

        order.refresh_from_db()
        lost = [isinstance(each, IllegalMoveError) for each in outcome]
        assert not [each for each in outcome if isinstance(each, Exception) and not isinstance(each, IllegalMoveError)]
        if order.status == Status.AWAITING_PAYMENT:
            assert order.release == "released"
            assert rival is not taken_back, "who placed it may always take it back, before or after"
        else:
            assert order.released_at is None or rival is taken_back
            assert StockLevel.objects.get().reserved == 0
        assert sum(lost) <= 1
        if order.status == Status.AWAITING_PAYMENT:
            cancel_order(order_id=order.id, by=cashier, at=timezone.now())
    assert broken_rules() == {}

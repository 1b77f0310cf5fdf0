"""Book-keeping sees every order, payment or ticket that is lost, doubled or another one than was told."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.orders.models import Preparation
from apps.orders.rules import Status
from breadmate.rush.book import Entry, compare, written_since
from breadmate.rush.plan import Word
from breadmate.rush.tally import Placed, Tally
from tests.factories import ProductFactory, new_menu, order_in
from tests.fixtures import Screen

SUM = Decimal("12.50")
TOLD = Placed("o-1", "T001", "s", SUM, Word.ON_TIME, 1.0, "p-1", "ORD1", paid_s=3.0, received_s=4.0, on_board_s=4.5)
UNPAID = Placed("o-2", "T002", "s", SUM, Word.LOST, 2.0, "p-2", "ORD2")
HERE = Entry("o-1", "T001", "s d", Status.FINISHED, SUM, kept=SUM, paying=1, received=1, things=2, tickets=2)
WAITING = Entry(
    "o-2", "T002", "s d", Status.AWAITING_PAYMENT, SUM, Decimal(0), paying=0, received=0, things=1, tickets=0
)
THERE = {"ORD1": SUM}


def test_books_that_agree_are_right() -> None:
    books = compare([TOLD, UNPAID], [HERE, WAITING], THERE)

    assert books.is_right
    assert (books.orders, books.paid, books.here, books.there) == (2, 1, SUM, SUM)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ([WAITING], THERE),
        ([HERE, WAITING, replace(WAITING, order="o-3", number="T003")], THERE),
        ([HERE, replace(WAITING, number="T001")], THERE),
        ([replace(HERE, total=Decimal("12.51")), WAITING], THERE),
        ([replace(HERE, received=2), WAITING], THERE),
        ([replace(HERE, paying=2), WAITING], THERE),
        ([replace(HERE, paying=0), WAITING], THERE),
        ([replace(HERE, tickets=1), WAITING], THERE),
        ([replace(HERE, tickets=3), WAITING], THERE),
        ([HERE, replace(WAITING, tickets=1)], THERE),
        ([replace(HERE, status=Status.EXPIRED, tickets=0, kept=Decimal(0)), WAITING], THERE),
        ([HERE, WAITING], {}),
        ([HERE, WAITING], {"ORD1": SUM, "ORD2": SUM}),
    ],
)
def test_one_thing_out_of_place_is_told(here: list[Entry], there: dict[str, Decimal]) -> None:
    assert not compare([TOLD, UNPAID], here, there).is_right


def test_money_without_an_order_is_told_after_a_minute() -> None:
    tally = Tally(orders={"o": replace(TOLD, received_s=None, on_board_s=None)})

    assert [len(tally.without_order(at)) for at in (62.0, 64.0)] == [0, 1]


@pytest.mark.django_db
def test_entries_are_read_from_the_tables(kiosk: Screen, stranger: Screen) -> None:
    products = [ProductFactory(), ProductFactory()]
    new_menu(kiosk.store, stranger.store)
    begun = timezone.now() - timedelta(seconds=5)
    made = order_in(Status.READY, kiosk.device, *products)
    waiting = order_in(Status.AWAITING_PAYMENT, kiosk.device, products[0])
    order_in(Status.READY, stranger.device, products[0])

    entries = {entry.order: entry for entry in written_since(begun, [kiosk.device.id])}
    assert set(entries) == {str(made.id), str(waiting.id)}
    entry = entries[str(made.id)]
    assert (entry.number, entry.total, entry.received, entry.things, entry.tickets) == (
        made.number,
        made.total,
        1,
        2,
        2,
    )
    assert (entries[str(waiting.id)].things, entries[str(waiting.id)].tickets) == (1, 0)

    Preparation.objects.filter(line__order=made).first().delete()
    assert {entry.tickets for entry in written_since(begun, [kiosk.device.id])} == {1, 0}
    assert written_since(timezone.now(), [kiosk.device.id]) == []

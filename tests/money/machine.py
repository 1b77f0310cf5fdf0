"""Guests, staff, provider, notifications, time and sudden death in any order (Hypothesis decides), against a real ``Shop``."""

import sys
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from apps.payments.rules import ASKED_FOR, Method
from tests.money.shop import ANY_CALL, CANCEL, CREATE, READ, REFUND, Shop

ANY = st.integers(0, 5)
LINES = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 2)), min_size=1, max_size=3)
AMOUNTS = st.sampled_from([None, None, Decimal("1.00"), Decimal("3.10"), Decimal("10.00")])
MOVES = st.sampled_from(["on", "on", "on", "undo", "recall"])
PAYMENTS: list[dict[str, Any]] = [
    {},
    {},
    {"amount": Decimal("5.00")},
    {"force": True},
    {"force": True},
]
FAULTS = [("before", "status"), ("after", "status"), ("after", "reset"), ("after", "badjson"), ("before", "html")]
# A moment, a repeat, the breaker, a code, a counter charge, and longer than the provider remembers a key.
WAITS = st.sampled_from([3, 20, 70, 320, 2000, 90_000])
SIGNS = st.sampled_from(["docs", "none", "bad"])
ACTIONS = st.sampled_from(["order.processed", "order.expired", "order.refunded", "order.canceled"])


class MoneyMachine(RuleBasedStateMachine):
    """Numbers choose among what there is, so that a failing example stays short when others are taken out of it.

    Args:
        look_every: steps between two looks at the rules of every commit.
    """

    def __init__(self, shop: Shop, *, look_every: int) -> None:
        super().__init__()
        self.shop = shop
        self.look_every = look_every
        self.steps = 0
        shop.begin()

    @initialize(payments=st.lists(st.sampled_from(ASKED_FOR), min_size=1, max_size=2))
    def some_are_paid(self, payments: list[Method]) -> None:
        """Begin with orders that are paid as they should be, and one that waits; else few examples would come to the refunds."""
        for number, method in enumerate(payments):
            self.shop.place((number, 1), (2, 1))
            self.shop.open(number, method)
            if method == Method.COUNTER:
                self.shop.confirm(number, Decimal(0))
            else:
                self.shop.pay(self.shop.codes - 1)
                self.shop.deliver(self.shop.news[-1])
                self.shop.engine()
        self.shop.place((0, 1))
        self.shop.open(len(payments))

    def order(self, number: int) -> int:
        return number % len(self.shop.orders)

    def paid(self, number: int) -> int:
        """One of the orders that hold money, or any."""
        held = [self.shop.orders.index(order_id) for order_id in self.shop.holding()]
        return held[number % len(held)] if held else self.order(number)

    def has_orders(self) -> bool:
        return bool(self.shop.orders)

    def has_codes(self) -> bool:
        return self.shop.codes > 0

    def has_news(self) -> bool:
        return bool(self.shop.news)

    @rule(lines=LINES)
    def place(self, lines: list[tuple[int, int]]) -> None:
        self.shop.place(*lines)

    @precondition(lambda self: self.shop.carts)
    @rule(number=ANY)
    def place_again(self, number: int) -> None:
        self.shop.place_again(number % len(self.shop.carts))

    @precondition(has_orders)
    @rule(number=ANY)
    def open_code(self, number: int) -> None:
        self.shop.open(self.order(number))

    @precondition(has_orders)
    @rule(number=ANY)
    def open_counter(self, number: int) -> None:
        self.shop.open(self.order(number), Method.COUNTER)

    @precondition(has_orders)
    @rule(number=ANY, more=st.sampled_from([Decimal(0), Decimal("2.50"), Decimal("-0.01")]))
    def confirm_counter(self, number: int, more: Decimal) -> None:
        self.shop.confirm(self.order(number), more)

    @precondition(has_codes)
    @rule(number=ANY, wish=st.sampled_from(PAYMENTS), lock_seconds=st.sampled_from([0, 0, 30]))
    def buyer_pays(self, number: int, wish: dict[str, Any], lock_seconds: int) -> None:
        unpaid = [place for place, order in enumerate(self.shop.book.orders.values()) if not order.paid]
        if unpaid:
            self.shop.pay(unpaid[number % len(unpaid)], lock_seconds=lock_seconds, **wish)

    @precondition(has_codes)
    @rule(number=ANY)
    def payment_is_declined(self, number: int) -> None:
        self.shop.decline(number % self.shop.codes)

    @precondition(has_codes)
    @rule(number=ANY)
    def code_expires(self, number: int) -> None:
        self.shop.expire_code(number % self.shop.codes)

    @precondition(has_codes)
    @rule(number=ANY, amount=AMOUNTS)
    def seller_refunds_outside(self, number: int, amount: Decimal | None) -> None:
        paid = [place for place, order in enumerate(self.shop.book.orders.values()) if order.refundable]
        if paid:
            self.shop.seller_refunds(paid[number % len(paid)], amount)

    @precondition(has_codes)
    @rule(number=ANY, tell=st.integers(0, 2))
    def bank_takes_payment_back(self, number: int, tell: int) -> None:
        """Told at once, twice, or later; what is left of a payment after a part went back may be taken as well."""
        paid = [place for place, order in enumerate(self.shop.book.orders.values()) if order.status == "processed"]
        if paid:
            order_id = list(self.shop.book.orders)[paid[number % len(paid)]]
            self.shop.bank_takes_back(paid[number % len(paid)])
            for _ in range(tell):
                self.shop.deliver(self.shop.news_of(order_id)[-1])

    @precondition(has_news)
    @rule(number=st.integers(0, 20), copies=st.integers(1, 3))
    def notification_arrives(self, number: int, copies: int) -> None:
        """In any order, any number of times; one that is never chosen was dropped."""
        for _ in range(copies):
            self.shop.deliver(self.shop.news[number % len(self.shop.news)])

    @precondition(has_codes)
    @rule(number=ANY, action=ACTIONS, sign=SIGNS)
    def notification_is_forged(self, number: int, action: str, sign: str) -> None:
        ids = [*self.shop.book.orders, "ORD01NOBODYEVERHEARDOFTHIS0"]
        self.shop.forge(ids[number % len(ids)], action, sign)

    @rule(seconds=WAITS)
    def time_passes(self, seconds: int) -> None:
        self.shop.clock.advance(seconds)

    @rule(seconds=st.sampled_from([3, 16, 70, 400]))
    def time_passes_and_the_engine_looks(self, seconds: int) -> None:
        self.shop.clock.advance(seconds)
        self.shop.engine()

    @rule()
    def engine_looks(self) -> None:
        self.shop.engine()

    @precondition(has_orders)
    @rule(number=ANY, how=MOVES)
    def order_moves(self, number: int, how: str) -> None:
        self.shop.move(self.paid(number), how)

    @precondition(has_orders)
    @rule(number=ANY, line=ANY, back=st.booleans())
    def item_moves(self, number: int, line: int, back: bool) -> None:
        self.shop.bump(self.paid(number), line, back)

    @precondition(has_orders)
    @rule(number=ANY)
    def guest_cancels(self, number: int) -> None:
        self.shop.guest_cancels(self.order(number))

    @precondition(has_orders)
    @rule(number=ANY, restock=st.sampled_from([None, True, False]))
    def staff_cancel(self, number: int, restock: bool | None) -> None:
        self.shop.cancel(self.order(number), restock)

    @precondition(has_orders)
    @rule(number=ANY, line=ANY, restock=st.booleans())
    def item_is_voided(self, number: int, line: int, restock: bool) -> None:
        self.shop.void(self.paid(number), line, restock)

    @precondition(has_orders)
    @rule(number=ANY, amount=AMOUNTS)
    def staff_refund(self, number: int, amount: Decimal | None) -> None:
        self.shop.refund(self.paid(number), amount)

    @rule()
    def refunds_are_retried(self) -> None:
        self.shop.retry_refunds()

    @rule(product=st.integers(0, 2), units=st.integers(1, 2))
    def goods_arrive(self, product: int, units: int) -> None:
        self.shop.restock(product, units)

    @rule(match=st.sampled_from([ANY_CALL, ANY_CALL, CREATE, READ, CANCEL, REFUND]), fault=st.sampled_from(FAULTS))
    def provider_is_in_trouble(self, match: str, fault: tuple[str, str]) -> None:
        phase, do = fault
        self.shop.trouble(match, phase=phase, do=do)

    @precondition(has_orders)
    @rule(number=ANY, amount=AMOUNTS, fault=st.sampled_from(FAULTS))
    def refund_meets_trouble(self, number: int, amount: Decimal | None, fault: tuple[str, str]) -> None:
        """The two together, because chance alone rarely has a fault meet a refund."""
        self.shop.refund(self.paid(number), amount)
        self.shop.trouble(REFUND, phase=fault[0], do=fault[1])
        self.shop.engine()

    @rule(statements=st.integers(0, 60))
    def next_process_dies(self, statements: int) -> None:
        """Whoever does the next thing dies before this statement."""
        self.shop.dies_after = statements

    @invariant()
    def holds_at_every_commit(self) -> None:
        self.steps += 1
        if self.steps % self.look_every == 0:
            self.shop.check_commit()

    def teardown(self) -> None:
        """Come to rest and look at the books, unless a step has failed already."""
        if sys.exc_info()[0] is None:
            self.shop.settle()
            self.shop.check_rest()

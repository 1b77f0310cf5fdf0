"""Everything that can happen to money in one shop, one method each, and what must be true of it all in the end."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

import orjson
from django.apps import apps
from django.db import connection, transaction
from django.db.models import F, Model, Sum
from django.test import Client

from apps.core import dispatch
from apps.core.actors import SYSTEM, Actor, Role
from apps.core.errors import DomainError
from apps.core.idempotency import Claim
from apps.core.models import StoredEvent
from apps.inventory.models import RecipeLine, StockLevel, StockMovement
from apps.inventory.services import adjust
from apps.orders.cancel import cancel_order, void_item
from apps.orders.checkout import Cart, place_order
from apps.orders.models import Order, OrderLine
from apps.orders.preparation import bump_item, recall_item
from apps.orders.rules import AskedItem, Status
from apps.orders.services import move_order, recall_order, undo_move
from apps.payments import refunds
from apps.payments.models import Charge, Refund
from apps.payments.rules import ENDED, REFUND_OPEN, Method, State, Tender
from apps.payments.services import confirm_counter, open_charge
from breadmate import subscriptions
from ops.mpsim.errors import ApiError
from ops.mpsim.state import Order as ProviderOrder
from ops.mpsim.webhooks import Delivery, Message
from tests.factories import DeviceFactory, StoreFactory, claim, device_actor, new_menu, staff, stocked_product
from tests.fixtures import broken_rules
from tests.money.clock import StoppedClock
from tests.payments.conftest import STORE_CODE, Provider

T = TypeVar("T")

SECRET = "breadmate-test-secret"
WEBHOOK = "/api/v1/payments/webhook"
PRICES = ("10.00", "7.35", "3.10")
UNITS = 4
APPS = ("stores", "catalog", "inventory", "promotions", "orders", "payments", "kitchen", "counter")
KEPT_BY_THE_GUEST = ("requested", "item_voided", "outside")
FOR_STAFF = (State.MISMATCH, State.CHARGED_BACK)
WHEN_THE_ENGINE_HAS_LOOKED = {"E1", "S3"}
REFUSALS = (400, 409)
MOST_ROUNDS = 200
STRIDE_SECONDS = 100
CREATE, CANCEL, REFUND = "POST /v1/orders$", "POST /v1/orders/.*/cancel$", "POST /v1/orders/.*/refund$"
READ, ANY_CALL = "GET /v1/orders/", "/v1/"


class KilledError(BaseException):
    """The process is dead; nothing in the product may catch this."""


class Killer:
    """Ends a process before its statement number ``after``: whatever it had not committed by then is gone.

    A process that dies between two commits dies before some statement, so this reaches every moment between any two: after the
    lease and before the call, after the provider's answer and before it is recorded, after the record and before the next row.
    """

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, execute: Callable[..., T], sql: str, params: Any, many: bool, context: Any) -> T:
        if self.left <= 0:
            raise KilledError
        self.left -= 1
        return execute(sql, params, many, context)


class Shop:
    """One shop from its first order on. Refusals are right answers; any other exception is not."""

    def __init__(self, provider: Provider, clock: StoppedClock) -> None:
        self.provider = provider
        self.clock = clock
        self.client = Client()

    def begin(self) -> None:
        """Open anew, with nothing sold and nothing remembered."""
        self.clock.reset()
        self.provider.sim.reset()
        clear_tables()
        store = StoreFactory(code=STORE_CODE)
        self.kiosk: Actor = device_actor(DeviceFactory(store=store))
        self.manager, self.cashier = staff(Role.MANAGER, store), staff(Role.CASHIER, store)
        self.other_manager = staff(Role.MANAGER, store)
        self.store = store
        self.products = [stocked_product(store, UNITS, price=price) for price in PRICES]
        new_menu(store)
        self.supplied = dict.fromkeys((product.id for product in self.products), UNITS)
        self.orders: list[UUID] = []
        self.carts: list[tuple[Cart, Claim]] = []
        self.told: set[Message] = set()
        self.dies_after: int | None = None

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def do(self, work: Callable[[], T]) -> T | None:
        """Do one thing a second later, in a process that may be about to die; None when it died or was refused."""
        self.clock.advance(1)
        dies_after, self.dies_after = self.dies_after, None
        with ExitStack() as life:
            if dies_after is not None:
                life.enter_context(connection.execute_wrapper(Killer(dies_after)))
            try:
                return work()
            except DomainError as refusal:
                if refusal.status not in REFUSALS:
                    raise
            except KilledError:
                connection.close()
        return None

    def holding(self) -> list[UUID]:
        """Return the orders whose money is with the shop, first to last."""
        kept = Charge.objects.filter(paid_amount__gt=F("refunded_amount"))
        held = set(kept.values_list("order_id", flat=True))
        return [order_id for order_id in self.orders if order_id in held]

    # Guests

    def place(self, *lines: tuple[int, int]) -> None:
        items = tuple(AskedItem(self.products[product].id, quantity) for product, quantity in lines)
        self.carts.append((Cart(items=items, dining_option="eat_in"), claim(self.kiosk)))
        self.place_again(len(self.carts) - 1)

    def place_again(self, number: int) -> None:
        """Send a cart once more with its key, as a kiosk does that got no answer."""
        cart, key = self.carts[number]
        answer = self.do(lambda: place_order(cart=cart, store_id=self.store.id, by=self.kiosk, claim=key))
        if answer is not None:
            order_id = UUID(orjson.loads(answer.body)["id"])
            self.orders += [order_id] if order_id not in self.orders else []

    def open(self, order: int, method: Method = Method.MERCADO_PAGO_QR) -> None:
        order_id, key = self.orders[order], claim(self.kiosk)
        self.do(lambda: open_charge(order_id=order_id, method=method, by=self.kiosk, claim=key, at=self.now))

    def guest_cancels(self, order: int) -> None:
        self.do(lambda: cancel_order(order_id=self.orders[order], by=self.kiosk, at=self.now))

    # Staff

    def confirm(self, order: int, given: Decimal) -> None:
        """Take what the order's counter charge asks for, ``given`` BRL more."""
        charge = Charge.objects.filter(order_id=self.orders[order], method=Method.COUNTER).order_by("created_at").last()
        if charge is not None:
            received, charge_id = charge.amount + given, charge.id
            self.do(
                lambda: confirm_counter(
                    charge_id=charge_id, tender=Tender.CASH, received=received, by=self.cashier, at=self.now
                )
            )

    def cancel(self, order: int, restock: bool | None = None) -> None:
        lines = OrderLine.objects.filter(order_id=self.orders[order]).values_list("id", flat=True)
        wishes = {} if restock is None else dict.fromkeys(lines, restock)
        order_id = self.orders[order]
        self.do(lambda: cancel_order(order_id=order_id, by=self.manager, at=self.now, reason="x", restock=wishes))

    def void(self, order: int, line: int, restock: bool) -> None:
        line_id = self.line(order, line)
        order_id = self.orders[order]
        self.do(
            lambda: void_item(
                order_id=order_id, line_id=line_id, by=self.manager, at=self.now, reason="x", restock=restock
            )
        )

    def refund(self, order: int, amount: Decimal | None) -> None:
        """Give back of whatever the order's charges hold."""
        charge = Charge.objects.filter(order_id=self.orders[order], paid_amount__gt=0).order_by("created_at").last()
        if charge is not None:
            charge_id = charge.id
            self.do(
                lambda: refunds.request_refund(
                    charge_id=charge_id, amount=amount, reason="x", by=self.manager, at=self.now
                )
            )

    def retry_refunds(self) -> None:
        """Press *Tentar de novo* on every refund that is not done."""
        for refund in Refund.objects.exclude(state="done").order_by("created_at", "id"):
            refund_id = refund.id
            self.do(lambda refund_id=refund_id: refunds.retry_refund(refund_id=refund_id, by=self.manager, at=self.now))

    def move(self, order: int, how: str) -> None:
        order_id = self.orders[order]
        steps: dict[str, Callable[..., object]] = {"undo": undo_move, "recall": recall_order}
        if how in steps:
            self.do(lambda: steps[how](order_id=order_id, by=self.manager, at=self.now))
            return
        to = Status(min(Order.objects.get(id=order_id).status + 1, Status.FINISHED))
        self.do(lambda: move_order(order_id=order_id, to=to, by=self.manager, at=self.now))

    def bump(self, order: int, line: int, back: bool = False) -> None:
        order_id, item_id = self.orders[order], self.line(order, line)
        step = recall_item if back else bump_item
        self.do(lambda: step(order_id=order_id, item_id=item_id, by=self.manager, at=self.now))

    def restock(self, product: int, units: int) -> None:
        item_id = RecipeLine.objects.get(product=self.products[product]).item_id
        moved = self.do(
            lambda: adjust(store_id=self.store.id, item_id=item_id, delta=units, reason="count", by=SYSTEM, at=self.now)
        )
        self.supplied[self.products[product].id] += units if moved is not None else 0

    # The provider

    def buyer(self, number: int, act: Callable[[ProviderOrder], object]) -> None:
        """Let something happen to one of the provider's orders, first to last, if it can."""
        with self.provider.sim.orders() as book:
            order = list(book.orders.values())[number]
            try:
                act(order)
            except ApiError as refusal:
                if refusal.status not in REFUSALS:
                    raise

    def pay(self, number: int, *, lock_seconds: float = 0, **wish: Any) -> None:
        self.buyer(number, lambda order: self.book.pay(order, lock=timedelta(seconds=lock_seconds), **wish))

    def decline(self, number: int) -> None:
        self.buyer(number, self.book.decline)

    def expire_code(self, number: int) -> None:
        self.buyer(number, self.book.expire)

    def seller_refunds(self, number: int, amount: Decimal | None) -> None:
        self.buyer(number, lambda order: self.provider.sim.refund(self.book, order, amount))

    def bank_takes_back(self, number: int) -> None:
        self.buyer(number, self.book.charge_back)

    def trouble(self, match: str, *, phase: str, do: str, times: int = 1) -> None:
        self.provider.fault(match, phase=phase, do=do, times=times)

    @property
    def book(self) -> Any:
        return self.provider.sim.book

    @property
    def codes(self) -> int:
        """How many orders the provider has."""
        return len(self.book.orders)

    # Notifications: the provider's own courier is idle, each is delivered by hand

    @property
    def news(self) -> list[Message]:
        """All that the provider has to tell, as it came about."""
        return [each for order_id in self.book.orders for each in self.news_of(order_id)]

    def news_of(self, order_id: str) -> list[Message]:
        """All that it has to tell of one of its orders."""
        return self.provider.sim.courier._messages.get(order_id, [])

    def deliver(self, message: Message, sign: str = "docs") -> None:
        courier = self.provider.sim.courier
        headers = courier._headers(Delivery(message, str(uuid4()), sign), courier.policy)
        path = f"{WEBHOOK}?data.id={message.data_id}&type={message.topic}"
        answer = self.do(lambda: self.client.post(path, message.body, content_type="application/json", headers=headers))
        if answer is not None:
            assert answer.status_code == 200, answer.content
            self.told.add(message)

    def forge(self, data_id: str, action: str, sign: str) -> None:
        body = json.dumps({"action": action, "type": "order", "data": {"id": data_id, "version": 99}}).encode()
        self.deliver(Message("order", data_id, 99, action, body), sign)

    # Time and the engine

    def engine(self) -> None:
        """Do all that is due now, as the engine does, the tasks in this process."""
        self.do(self._round)

    def _round(self) -> None:
        at = self.now
        dispatch.deliver_new(subscriptions.AFTER_COMMIT, at=at)
        dispatch.retry_failed(subscriptions.AFTER_COMMIT, at=at)
        for chore in (*subscriptions.CHORES, *subscriptions.TIMED_CHORES):
            chore(at)
        for due, task in (*subscriptions.DUE, *subscriptions.TIMED_DUE):
            for row_id in due(at):
                task(id_=str(row_id))

    def settle(self) -> None:
        """Let time pass until nothing is due any more.

        What is paid or given back where nobody asks any more is known only by a notification, and the provider repeats one
        until it is answered; so what was dropped arrives in the end.
        """
        self.dies_after = None
        self.provider.sim.faults.clear()
        retried = False
        for _ in range(MOST_ROUNDS):
            self.engine()
            moments = self._due()
            if moments:
                self.clock.advance(max((min(moments) - self.now).total_seconds(), STRIDE_SECONDS))
            elif lost := [message for message in self.news if message not in self.told]:
                for message in lost:
                    self.deliver(message)
            elif not retried:
                retried = True
                self.retry_refunds()
            elif StoredEvent.objects.filter(dispatched_at=None).exists():
                continue
            else:
                return
        raise AssertionError(f"never came to rest: {self._due()}")

    def _due(self) -> list[datetime]:
        charges = Charge.objects.exclude(state__in=ENDED).filter(next_check_at__isnull=False)
        owed = Refund.objects.filter(state__in=REFUND_OPEN)
        waiting = Order.objects.filter(status=Status.AWAITING_PAYMENT)
        with self.provider.sim.orders() as book:
            paying = [order.pending.completes_at for order in book.orders.values() if order.pending]
        return [
            *charges.values_list("next_check_at", flat=True),
            *(each or self.now for each in owed.values_list("next_check_at", flat=True)),
            *(each or self.now for each in waiting.values_list("expires_at", flat=True)),
            *paying,
        ]

    # What must be true

    def check_commit(self) -> None:
        """What holds at every commit."""
        broken = {rule: rows for rule, rows in broken_rules().items() if rule not in WHEN_THE_ENGINE_HAS_LOOKED}
        assert broken == {}

    def check_rest(self) -> None:
        """What holds once nothing is due."""
        assert broken_rules() == {}
        self._check_charges()
        self._check_refunds()
        self._check_orders()
        self._check_stock()

    def _check_charges(self) -> None:
        """Each charge is at most one order at the provider, and both keep the same books of it."""
        charges = {charge.reference: charge for charge in Charge.objects.exclude(method=Method.COUNTER)}
        theirs = list(self.book.orders.values())
        assert Counter(order.external_reference for order in theirs) == Counter(
            reference for reference, charge in charges.items() if charge.provider_order_id
        )
        for order in theirs:
            charge = charges[order.external_reference]
            assert charge.provider_order_id == order.id
            assert (charge.paid_amount, charge.refunded_amount) == (order.paid, order.refunded), charge.state
            assert (charge.state == State.CHARGED_BACK) == (order.status == "charged_back"), charge.state
            if order.paid:
                paid_for = charge.pays_order and charge.order.paid_at is not None
                flagged = charge.state in FOR_STAFF and charge.order.attention != ""
                assert flagged or charge.state not in FOR_STAFF, charge.state
                assert paid_for or flagged or charge.refunded_amount == charge.paid_amount, charge.state

    def _check_refunds(self) -> None:
        """Each refund that was made has its row, each row was made once at most, and a key always came with the same bytes."""
        theirs = [refund for order in self.book.orders.values() for refund in order.refunds]
        ours = Refund.objects.exclude(charge__method=Method.COUNTER).filter(state="done")
        assert {each.id: each.amount for each in theirs} == dict(ours.values_list("provider_refund_id", "amount"))
        sent: dict[str, set[str]] = {}
        effects: Counter[str] = Counter()
        for request in self.provider.requests:
            if request["path"].endswith("/refund"):
                sent.setdefault(request["idempotency_key"], set()).add(request["body"])
                effects[request["idempotency_key"]] += request["status"] == 201 and not request["replayed"]
        assert [key for key, bodies in sent.items() if len(bodies) > 1] == []
        assert [key for key, count in effects.items() if count > 1] == []
        assert sent.keys() <= set(Refund.objects.values_list("key", flat=True))

    def _check_orders(self) -> None:
        """An order being made keeps its price less what was credited, an ended one nothing; the kitchen heard of it once.

        Who gets what a bank has taken back is decided elsewhere.
        """
        told = Counter(StoredEvent.objects.filter(type="order.paid").values_list("subject_id", flat=True))
        assert Order.objects.count() <= len(self.carts)
        for order in Order.objects.all():
            charges = list(Charge.objects.filter(order=order).exclude(state=State.MISMATCH))
            kept = sum((charge.paid_amount - charge.refunded_amount for charge in charges), Decimal(0))
            credits_ = Refund.objects.filter(
                charge__order=order, charge__pays_order=True, state="done", cause__in=KEPT_BY_THE_GUEST
            )
            credited = credits_.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
            ended = order.status in (Status.EXPIRED, Status.CANCELLED)
            contested = any(charge.state == State.CHARGED_BACK for charge in charges)
            assert contested or kept == (0 if ended else order.total - credited), order
            assert told[order.id] == (order.paid_at is not None), order

    def _check_stock(self) -> None:
        """What was supplied is on the shelf, or sold; nothing is held once no order waits."""
        for product in self.products:
            item_id = RecipeLine.objects.get(product=product).item_id
            level = StockLevel.objects.get(item_id=item_id)
            paid = OrderLine.objects.filter(product=product, order__paid_at__isnull=False)
            sold = paid.aggregate(sum=Sum("quantity"))["sum"] or 0
            back = StockMovement.objects.filter(item_id=item_id, reason="return").aggregate(sum=Sum("delta"))["sum"]
            assert (level.on_hand, level.reserved) == (self.supplied[product.id] - sold + (back or 0), 0)

    def line(self, order: int, line: int) -> UUID:
        lines = list(OrderLine.objects.filter(order_id=self.orders[order]).order_by("position"))
        return lines[line % len(lines)].id


def clear_tables() -> None:
    """Delete every row of the shop's apps; foreign keys are checked at the commit, so any order will do."""
    tables = [model._meta.db_table for app in APPS for model in apps.get_app_config(app).get_models()]
    core: list[type[Model]] = [
        model for model in apps.get_app_config("core").get_models() if "audit" not in model._meta.db_table
    ]
    tables += [model._meta.db_table for model in core]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(";".join(f"DELETE FROM {table}" for table in tables))

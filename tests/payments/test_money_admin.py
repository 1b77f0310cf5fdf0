"""Giving back and taking back in the back office."""

import re
from typing import Any
from uuid import UUID

import pytest
import requests
from django.test import Client
from django.utils import timezone

from apps.core.actors import Role
from apps.core.models import AuditEntry
from apps.inventory.models import RecipeLine, StockLevel
from apps.orders.models import CancelStep, Order, Preparation
from apps.orders.rules import Status
from apps.payments.models import Charge, Refund
from apps.stores.models import Store
from tests.factories import StaffRoleFactory, StoreFactory, place, stocked_product
from tests.fixtures import Screen, broken_rules
from tests.payments.back import REFUND, engine_looks, ledger, paid_by_qr, paid_in_cash
from tests.payments.conftest import Provider

CHARGES, REFUNDS = "/admin/payments/charge/", "/admin/payments/refund/"
ORDERS, STEPS = "/admin/orders/order/", "/admin/orders/cancelstep/"


def signed_in(role: Role, store: Store) -> Client:
    client = Client()
    client.force_login(StaffRoleFactory(role=role, store=store).user)
    return client


def act(client: Client, page: str, action: str, row: UUID, **answers: str) -> Any:
    told = {"action": action, "_selected_action": str(row), **answers}
    return client.post(page, told, follow=True)


def buttons(client: Client, page: str) -> list[str]:
    """Where the buttons of a page that have an address of their own lead."""
    return re.findall(r'formaction="([^"]+)"', client.get(page).content.decode())


@pytest.fixture
def charge(provider: Provider, order: Order, kiosk: Screen) -> Charge:
    return paid_by_qr(provider, order, kiosk, timezone.now())


def test_part_of_a_charge_is_given_back_with_a_reason(charge: Charge, store: Store) -> None:
    manager = signed_in(Role.MANAGER, store)

    asked = act(manager, CHARGES, "give_back", charge.id)
    assert "Motivo" in asked.content.decode()
    assert not Refund.objects.exists()
    act(manager, CHARGES, "give_back", charge.id, asked="1", amount="7.50", reason="veio frio")

    refund = Refund.objects.get()
    assert (str(refund.amount), refund.reason, refund.asked_by_kind) == ("7.50", "veio frio", "staff")
    assert manager.get(f"{CHARGES}{charge.id}/change/").status_code == 200
    assert "veio frio" in manager.get(REFUNDS).content.decode()
    assert "veio frio" not in signed_in(Role.MANAGER, StoreFactory()).get(REFUNDS).content.decode()
    assert manager.get(f"{REFUNDS}{refund.id}/change/").status_code == 200


def test_more_than_is_left_is_shown_as_refused(charge: Charge, store: Store) -> None:
    shown = act(signed_in(Role.OWNER, store), CHARGES, "give_back", charge.id, asked="1", amount="47.51", reason="x")

    assert "Restam R$ 47,50 para devolver." in shown.content.decode()
    assert not Refund.objects.exists()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.KITCHEN])
def test_whoever_is_not_at_the_counter_gives_nothing_back(role: Role, charge: Charge, store: Store) -> None:
    somebody = signed_in(role, store)

    act(somebody, CHARGES, "give_back", charge.id, asked="1", amount="", reason="x")
    act(somebody, ORDERS, "take_back", charge.order_id, asked="1", reason="x")

    assert not Refund.objects.exists()
    assert Order.objects.get().status == Status.RECEIVED


def test_manager_of_another_store_reaches_nothing(charge: Charge) -> None:
    stranger = signed_in(Role.MANAGER, StoreFactory())

    act(stranger, CHARGES, "give_back", charge.id, asked="1", amount="", reason="x")
    act(stranger, ORDERS, "take_back", charge.order_id, asked="1", reason="x")

    assert not Refund.objects.exists()
    assert Order.objects.get().status == Status.RECEIVED


def test_order_is_taken_back_and_its_refused_refund_tried_again(
    provider: Provider, charge: Charge, store: Store
) -> None:
    manager = signed_in(Role.MANAGER, store)
    provider.fault(REFUND, do="status", status=403)

    act(manager, ORDERS, "take_back", charge.order_id, asked="1", reason="acabou o gás")
    engine_looks(timezone.now())
    step = CancelStep.objects.get(kind="refund")
    assert step.state == "failed"
    shown = manager.get(f"{ORDERS}{charge.order_id}/change/").content.decode()
    assert "dinheiro de volta" in shown
    assert "precisa de alguém" in shown

    act(manager, STEPS, "try_again", step.id)
    engine_looks(timezone.now())
    act(manager, ORDERS, "seen", charge.order_id)

    step.refresh_from_db()
    assert (step.state, Order.objects.get().attention) == ("done", "")
    assert broken_rules() == {}


def test_goods_of_each_item_go_back_or_stay_as_the_counter_says(kiosk: Screen, store: Store) -> None:
    """Two items begun, two not; of each pair one is left to the kitchen's state and one decided otherwise."""
    cashier, now = signed_in(Role.CASHIER, store), timezone.now()
    products = [stocked_product(store, 10, name=name) for name in ("Bolo", "Pudim", "Suco", "Torta")]
    order = place(kiosk.device, *products)
    paid_in_cash(order, kiosk, now)
    lines = {line.name: str(line.id) for line in order.lines.all()}
    Preparation.objects.filter(line__name__in=("Bolo", "Pudim")).update(state="started", started_at=now)

    asked = act(cashier, ORDERS, "take_back", order.id).content.decode()
    decided = {lines["Pudim"]: "back", lines["Torta"]: "gone"}
    act(cashier, ORDERS, "take_back", order.id, asked="1", reason="x", **decided)

    texts = ("Estoque de 1× ", "já começou: não volta", "não começou: volta ao estoque")
    assert [asked.count(text) for text in texts] == [4, 2, 2]
    levels = dict(StockLevel.objects.values_list("item", "on_hand"))
    left = {row.product.name: levels[row.item_id] for row in RecipeLine.objects.select_related("product")}
    assert left == {"Bolo": 9, "Pudim": 10, "Suco": 10, "Torta": 9}
    assert broken_rules() == {}


def test_goods_are_not_asked_of_several_orders_or_of_an_unpaid_one(order: Order, kiosk: Screen, store: Store) -> None:
    cashier, now = signed_in(Role.CASHIER, store), timezone.now()
    unpaid = act(cashier, ORDERS, "take_back", order.id).content.decode()
    paid_in_cash(order, kiosk, now)
    other = place(kiosk.device, stocked_product(store, 10))
    paid_in_cash(other, kiosk, now)
    told = {"action": "take_back", "_selected_action": [str(order.id), str(other.id)]}

    both = cashier.post(ORDERS, told).content.decode()

    assert ["Estoque de" in page for page in (unpaid, both)] == [False, False]
    assert ["Motivo" in page for page in (unpaid, both)] == [True, True]


def test_step_of_a_cancellation_is_tried_again_from_its_order(provider: Provider, charge: Charge, store: Store) -> None:
    """The provider is away when the engine sends the refund, and back when somebody presses the button, twice."""
    cashier, page = signed_in(Role.CASHIER, store), f"{ORDERS}{charge.order_id}/change/"
    provider.fault("/v1/orders", do="status", status=503, times=100)
    act(cashier, ORDERS, "take_back", charge.order_id, asked="1", reason="acabou o gás")
    engine_looks(timezone.now())
    step = CancelStep.objects.get(kind="refund")
    again = f"{STEPS}{step.id}/tentar/"
    assert (step.state, engine_looks(timezone.now())) == ("waiting", [])
    assert buttons(cashier, page) == [again]

    told = [cashier.post(again, follow=True).content.decode() for _ in range(2)]
    assert ["de novo na fila" in text for text in told] == [True, False]
    assert "já está tentando" in told[1]
    assert len(engine_looks(timezone.now())) == 1  # still away

    with requests.Session() as session:
        session.delete(f"{provider.url}/_sim/faults", timeout=5)
    assert "de novo na fila" in cashier.post(again, follow=True).content.decode()
    engine_looks(timezone.now())

    step.refresh_from_db()
    assert (step.state, buttons(cashier, page)) == ("done", [])
    assert "já foi feito" in cashier.post(again, follow=True).content.decode()
    assert (engine_looks(timezone.now()), ledger(provider)) == ([], (charge.amount, charge.amount))
    assert AuditEntry.objects.filter(action="payments.refund_retried").count() == 2
    assert broken_rules() == {}


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.KITCHEN])
def test_only_the_counter_tries_a_step_again(role: Role, provider: Provider, charge: Charge, store: Store) -> None:
    provider.fault(REFUND, do="status", status=403)
    manager, somebody = signed_in(Role.MANAGER, store), signed_in(role, store)
    act(manager, ORDERS, "take_back", charge.order_id, asked="1", reason="x")
    engine_looks(timezone.now())
    steps = {step.kind: f"{STEPS}{step.id}/tentar/" for step in CancelStep.objects.all()}

    assert buttons(somebody, f"{ORDERS}{charge.order_id}/change/") == []
    assert buttons(manager, f"{ORDERS}{charge.order_id}/change/") == [steps["refund"]]
    refused = [
        somebody.post(steps["refund"]),
        signed_in(Role.MANAGER, StoreFactory()).post(steps["refund"]),
        manager.get(steps["refund"]),
    ]
    assert [answer.status_code for answer in refused] == [403, 404, 403]
    assert "já foi feito" in manager.post(steps["stock"], follow=True).content.decode()
    assert Refund.objects.get().state == "refused"


def test_refused_refund_is_tried_again_from_its_list(provider: Provider, charge: Charge, store: Store) -> None:
    manager = signed_in(Role.MANAGER, store)
    provider.fault(REFUND, do="status", status=403)
    act(manager, CHARGES, "give_back", charge.id, asked="1", amount="", reason="x")
    engine_looks(timezone.now())
    refund = Refund.objects.get()
    assert refund.state == "refused"

    act(manager, REFUNDS, "try_again", refund.id)
    engine_looks(timezone.now())

    refund.refresh_from_db()
    assert refund.state == "done"

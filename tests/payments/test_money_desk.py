"""The money desk: each real out of place is shown once, with its reason and what can be done; then it is gone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.actors import SYSTEM, Role
from apps.core.models import AuditEntry
from apps.orders.cancel import cancel_order
from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments import closing as closings
from apps.payments import desk as desks
from apps.payments.desk import Action
from apps.payments.differences import day_at
from apps.payments.models import Charge, ClosingLine, ProviderLine, Refund
from apps.payments.services import advance_charge
from apps.stores.models import Store
from tests.factories import StoreFactory, order_in, place, staff
from tests.fixtures import Screen
from tests.payments.back import REFUND, engine_looks, open_qr, paid_by_qr
from tests.payments.conftest import Provider
from tests.payments.test_closing import orphan
from tests.payments.test_late_money import expire
from tests.trail.conftest import browser_of, person

PAGE = "/admin/payments/closing/dinheiro/"
PAID = Decimal("47.50")


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def manager(store: Store) -> Client:
    return browser_of(person(Role.MANAGER, store))


def seen(at: datetime, stores: frozenset[Any] | None = None) -> list[tuple[str, Decimal, list[str]]]:
    found = desks.desk(stores, at=at)
    assert (found.count, found.total + found.at_risk) == (
        len(found.items) + len(found.ways),
        sum((item.amount for item in found.items), Decimal(0)),
    )
    assert desks._count((stores, at)) == found.count
    return [(item.title, item.amount, [action for action, _ in item.actions]) for item in found.items]


def press(client: Client, action: Action, id_: object, **told: str) -> str:
    answer = client.post(f"{PAGE}{action.value}/{id_}/", told, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def late(provider: Provider, order: Order, kiosk: Screen, at: datetime) -> Charge:
    charge = open_qr(order, kiosk, at)
    provider.pay(charge.provider_order_id)
    cancel_order(order_id=order.id, by=staff(Role.MANAGER, kiosk.store), at=at)
    settled = advance_charge(charge_id=charge.id, at=at)
    assert settled is not None
    assert settled.state == "late"
    return settled


def test_all_in_its_place_says_so(manager: Client, provider: Provider, order: Order, kiosk: Screen) -> None:
    paid_by_qr(provider, order, kiosk, timezone.now())

    shown = manager.get(PAGE).content.decode()

    assert "Todo o dinheiro está no lugar." in shown
    assert "Ainda não houve fechamento" in shown


def test_late_payment_is_shown_until_it_is_back(
    provider: Provider, order: Order, kiosk: Screen, manager: Client, now: datetime
) -> None:
    late(provider, order, kiosk, now)
    assert seen(now) == [("Pago fora de hora", PAID, ["ask_refund"])]
    assert f"pedido {order.number}" in manager.get(PAGE).content.decode()

    shown = press(manager, Action.ASK_REFUND, Refund.objects.get().id)

    assert "Todo o dinheiro está no lugar." in shown
    assert (Charge.objects.get().state, seen(now)) == ("refunded", [])


def test_refused_refund_is_tried_again(
    provider: Provider, order: Order, kiosk: Screen, manager: Client, now: datetime
) -> None:
    late(provider, order, kiosk, now)
    provider.fault(REFUND, status=400)
    engine_looks(now)
    assert seen(now) == [("Devolução recusada", PAID, ["retry_refund"])]

    press(manager, Action.RETRY_REFUND, Refund.objects.get().id)
    assert seen(now) == [("Pago fora de hora", PAID, ["ask_refund"])]
    engine_looks(timezone.now())

    assert seen(now) == []


def test_slow_refund_is_shown_after_a_while(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    paid_by_qr(provider, order, kiosk, now)
    cancel_order(order_id=order.id, by=staff(Role.MANAGER, kiosk.store), at=now)

    assert seen(now) == []
    assert seen(now + timedelta(minutes=16)) == [("Devolução demorada", PAID, ["ask_refund"])]


def test_divergent_payment_is_given_back(
    provider: Provider, order: Order, kiosk: Screen, manager: Client, now: datetime
) -> None:
    charge = open_qr(order, kiosk, now)
    provider.pay(charge.provider_order_id, amount="40.00")
    advance_charge(charge_id=charge.id, at=now)
    assert seen(timezone.now()) == [("Pagamento divergente", Decimal("40.00"), ["give_back", "ask_charge"])]

    press(manager, Action.GIVE_BACK, charge.id)

    assert (Refund.objects.get().amount, seen(timezone.now())) == (Decimal("40.00"), [])
    assert "Não há dinheiro desta cobrança a devolver." in press(manager, Action.GIVE_BACK, charge.id)


def test_contested_and_outside_money_stay_until_somebody_has_seen_them(
    provider: Provider, kiosk: Screen, order: Order, product: Any, manager: Client, now: datetime
) -> None:
    other = place(kiosk.device, product)
    contested, back = paid_by_qr(provider, order, kiosk, now), paid_by_qr(provider, other, kiosk, now)
    provider.control(f"orders/{contested.provider_order_id}/chargeback")
    provider.control(f"orders/{back.provider_order_id}/refund_by_seller", {"amount": "7.50"})
    for charge in (contested, back):
        press(manager, Action.ASK_CHARGE, charge.id)
    later = timezone.now()

    assert sorted(seen(later)) == [
        ("Contestado pelo banco", PAID, ["seen"]),
        ("Devolvido por fora", Decimal("7.50"), ["seen"]),
    ]
    for each in (order, other):
        press(manager, Action.SEEN, each.id)

    assert seen(later) == []
    assert AuditEntry.objects.filter(action="orders.attention_cleared").count() == 2


def test_code_that_is_not_closed_is_at_risk(
    provider: Provider, order: Order, kiosk: Screen, manager: Client, now: datetime
) -> None:
    charge = open_qr(order, kiosk, now)
    expire(order, now)
    later = now + timedelta(minutes=21)
    assert seen(now) == []

    assert seen(later) == [("QR aberto demais", PAID, ["ask_charge"])]
    assert (desks.desk(None, at=later).total, desks.desk(None, at=later).at_risk) == (Decimal(0), PAID)
    press(manager, Action.ASK_CHARGE, charge.id)

    assert seen(later) == []


def test_order_that_nothing_pays_for_is_shown(kiosk: Screen, now: datetime) -> None:
    order = order_in(Status.RECEIVED, kiosk.device)

    assert seen(timezone.now()) == [("Pedido sem pagamento", order.total, [])]


def test_difference_of_a_closing_is_resolved_or_put_aside(
    provider: Provider, store: Store, manager: Client, now: datetime
) -> None:
    for _ in range(2):
        orphan(provider)
    tomorrow = now + timedelta(days=1, hours=2)
    day = day_at(now, zone=store.timezone, starts_at=store.day_starts_at)
    row = closings.close_again(store_id=store.id, day=day, by=SYSTEM, at=tomorrow)
    closings.advance_closing(closing_id=row.id, at=tomorrow)
    ClosingLine.objects.update(found_at=now)
    title, money = "Dinheiro lá sem cobrança aqui", Decimal("12.00")
    assert seen(timezone.now()) == [(title, money, ["repair", "note"])] * 2
    first, second = ClosingLine.objects.order_by("id")

    press(manager, Action.REPAIR, first.id)
    assert "Escreva o que você viu" in press(manager, Action.NOTE, second.id, note=" ")
    assert len(seen(timezone.now())) == 1
    shown = press(manager, Action.NOTE, second.id, note="é da loja do shopping")

    assert "Todo o dinheiro está no lugar." in shown
    assert f"Último fechamento: {day:%d/%m/%Y}" in shown
    assert manager.get(f"/admin/payments/closing/{row.id}/change/").status_code == 200


def test_way_that_is_shut_is_told(store: Store, manager: Client, now: datetime) -> None:
    ProviderLine.objects.create(key="settings", filled_at=now, shut_until=now + timedelta(minutes=5), refused=True)

    assert "recusa o access token" in manager.get(PAGE).content.decode()


def test_refusal_is_shown(provider: Provider, order: Order, kiosk: Screen, manager: Client, now: datetime) -> None:
    charge = late(provider, order, kiosk, now)
    provider.fault("GET /v1/orders/", times=9, status=500)

    assert "O Mercado Pago não respondeu" in press(manager, Action.ASK_CHARGE, charge.id)


@pytest.mark.parametrize("role", [Role.CASHIER, Role.KITCHEN])
def test_who_may_not_see_it_is_refused(role: Role, store: Store) -> None:
    client = browser_of(person(role, store))

    assert client.get(PAGE).status_code == 403
    assert "Dinheiro fora do lugar" not in client.get("/admin/").content.decode()


def test_auditor_looks_and_does_nothing(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    charge = late(provider, order, kiosk, now)
    auditor = browser_of(person(Role.AUDITOR, kiosk.store))

    shown = auditor.get(PAGE).content.decode()
    assert "Pago fora de hora" in shown
    assert "dinheiro/ask_refund/" not in shown
    targets: list[tuple[Action, object]] = [
        (Action.ASK_REFUND, Refund.objects.get().id),
        (Action.ASK_CHARGE, charge.id),
        (Action.GIVE_BACK, charge.id),
        (Action.RETRY_REFUND, Refund.objects.get().id),
        (Action.SEEN, order.id),
    ]
    for action, target in targets:
        assert "não existe" in press(auditor, action, target)

    assert (Refund.objects.get().state, len(seen(now))) == ("queued", 1)


def test_other_stores_see_and_do_nothing(provider: Provider, order: Order, kiosk: Screen, now: datetime) -> None:
    charge = late(provider, order, kiosk, now)
    stranger = browser_of(person(Role.OWNER, StoreFactory()))

    assert "Todo o dinheiro está no lugar." in stranger.get(PAGE).content.decode()
    assert "não existe" in press(stranger, Action.ASK_REFUND, Refund.objects.get().id)
    assert "não existe" in press(stranger, Action.ASK_CHARGE, charge.id)
    assert stranger.get(f"{PAGE}{Action.ASK_CHARGE.value}/{charge.id}/").status_code == 403
    assert Refund.objects.get().state == "queued"


def test_badge_says_how_many(provider: Provider, order: Order, kiosk: Screen, manager: Client, now: datetime) -> None:
    assert manager.get("/admin/").context["board"]["misplaced"] == 0
    late(provider, order, kiosk, now)

    shown = manager.get("/admin/")

    assert shown.context["board"]["misplaced"] == 1
    assert "Dinheiro fora do lugar: 1 caso" in shown.content.decode()


def test_page_asks_as_often_for_many_as_for_one(
    provider: Provider,
    order: Order,
    kiosk: Screen,
    product: Any,
    manager: Client,
    now: datetime,
    queries_of: Callable[[Callable[[], object]], int],
) -> None:
    late(provider, order, kiosk, now)
    manager.get(PAGE)
    few = queries_of(lambda: manager.get(PAGE))
    template = Refund.objects.get()
    charge = Charge.objects.get()
    for number in range(29):
        copy = Charge.objects.get(id=charge.id)
        copy.pk, copy._state.adding = None, True
        copy.id = type(copy)._meta.pk.get_default()  # type: ignore[union-attr]
        copy.reference, copy.create_key, copy.client_key, copy.provider_order_id = (f"{number}",) * 4
        copy.save()
        Refund.objects.create(
            charge=copy, amount=template.amount, cause="late", key=f"r-{number}", created_at=now, next_check_at=now
        )

    assert queries_of(lambda: manager.get(PAGE)) == few
    assert len(seen(now)) == 30


@pytest.fixture
def queries_of() -> Callable[[Callable[[], object]], int]:
    def count(work: Callable[[], object]) -> int:
        desks._counts.clear()
        with CaptureQueriesContext(connection) as asked:
            work()
        return len(asked)

    return count


def test_more_than_the_page_shows_is_counted_and_added_up(
    provider: Provider, order: Order, kiosk: Screen, now: datetime, monkeypatch: pytest.MonkeyPatch, product: Any
) -> None:
    late(provider, order, kiosk, now)
    late(provider, place(kiosk.device, product), kiosk, now)
    monkeypatch.setattr(desks, "MOST", 1)

    found = desks.desk(None, at=now)

    assert (len(found.items), found.count, found.hidden, found.total) == (1, 2, 1, PAID * 2)

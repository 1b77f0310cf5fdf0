"""Cancelling, voiding and refunding through the API."""

import pytest
from django.utils import timezone

from apps.core.actors import Role
from apps.core.models import IdempotencyKey
from apps.orders.models import Order, OrderLine
from apps.orders.rules import Status
from apps.payments.models import Charge, Refund
from apps.stores.models import StaffRole
from tests.factories import StaffRoleFactory, StoreFactory, place, stocked_product
from tests.fixtures import Screen, broken_rules
from tests.payments.back import engine_looks, paid_by_qr
from tests.payments.conftest import Provider


def signed_in(kiosk: Screen, role: Role, *, here: bool = True) -> Screen:
    """A screen whose requests come from a person of the store, or of another one."""
    screen = Screen(kiosk.store)
    store = kiosk.store if here else StoreFactory()
    person: StaffRole = StaffRoleFactory(role=role, store=store)
    screen.client.credentials()
    screen.client.force_login(person.user)
    return screen


@pytest.fixture
def charge(provider: Provider, order: Order, kiosk: Screen) -> Charge:
    return paid_by_qr(provider, order, kiosk, timezone.now())


def test_refund_is_answered_and_shown_with_its_payment(charge: Charge, kiosk: Screen) -> None:
    manager = signed_in(kiosk, Role.MANAGER)

    reply = manager.post(f"/payments/{charge.id}/refunds", {"amount": "12.50", "reason": "veio frio"}, key="k")

    refund = Refund.objects.get()
    assert reply.status == 201
    assert reply.body == {
        "id": str(refund.id),
        "payment": str(charge.id),
        "status": "queued",
        "amount": "12.50",
        "created_at": reply.body["created_at"],
        "done_at": None,
        "cause": "requested",
        "reason": "veio frio",
        "problem": "",
    }
    engine_looks(timezone.now())
    told = manager.get(f"/payments/{charge.id}").body
    assert (told["status"], told["refunded_amount"]) == ("partially_refunded", "12.50")
    assert [(each["status"], each["reason"]) for each in told["refunds"]] == [("done", "veio frio")]
    assert "reason" not in kiosk.get(f"/payments/{charge.id}").body["refunds"][0]


def test_repeat_gets_the_same_bytes_and_one_refund(charge: Charge, kiosk: Screen) -> None:
    manager, path, body = signed_in(kiosk, Role.MANAGER), f"/payments/{charge.id}/refunds", {"reason": "errado"}

    first, again = (manager.post(path, body, key="k") for _ in range(2))

    assert (first.status, again.status, again.response["Idempotent-Replayed"]) == (201, 201, "true")
    assert first.response.content == again.response.content
    assert Refund.objects.count() == 1
    assert manager.post(path, {"reason": "outro"}, key="k").code == (422, "idempotency_key_reused")
    assert manager.post(path, {"reason": "errado"}).code == (400, "invalid")
    assert manager.post(path, body, key="other").code == (409, "invalid_transition")


def test_refused_refund_leaves_its_key_free(charge: Charge, kiosk: Screen) -> None:
    manager, path = signed_in(kiosk, Role.MANAGER), f"/payments/{charge.id}/refunds"

    refused = manager.post(path, {"amount": "47.51", "reason": "x"}, key="k")

    assert refused.code == (409, "refund_exceeds")
    assert refused.body["left"] == "47.50"
    assert not IdempotencyKey.objects.filter(key="k").exists()
    assert manager.post(path, {"amount": "47.50", "reason": "x"}, key="k").status == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"amount": "0", "reason": "x"},
        {"amount": "-1", "reason": "x"},
        {"amount": "1.001", "reason": "x"},
        {"amount": "NaN", "reason": "x"},
        {"reason": "x" * 141},
        {"reason": "x", "state": "done"},
    ],
)
def test_malformed_refund_is_refused(body: object, charge: Charge, kiosk: Screen) -> None:
    assert signed_in(kiosk, Role.MANAGER).post(f"/payments/{charge.id}/refunds", body, key="k").code == (400, "invalid")
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("role", "here", "code"),
    [
        (Role.CASHIER, True, (403, "refund_limit")),
        (Role.KITCHEN, True, (403, "permission_denied")),
        (Role.AUDITOR, True, (403, "permission_denied")),
        (Role.OWNER, False, (404, "not_found")),
    ],
)
def test_refund_is_by_role_store_and_amount(
    role: Role, here: bool, code: tuple[int, str], charge: Charge, kiosk: Screen, settings: object
) -> None:
    settings.REFUND_LIMIT_CASHIER = 20  # type: ignore[attr-defined]  # pytest-django's fixture
    somebody = signed_in(kiosk, role, here=here)

    assert somebody.post(f"/payments/{charge.id}/refunds", {"reason": "x"}, key="k").code == code
    assert kiosk.post(f"/payments/{charge.id}/refunds", {"reason": "x"}, key="k").code == (403, "permission_denied")
    assert not Refund.objects.exists()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_cancel_says_that_money_is_on_its_way(method: str, charge: Charge, kiosk: Screen, order: Order) -> None:
    manager = signed_in(kiosk, Role.MANAGER)
    path = f"/orders/{order.id}" if method == "DELETE" else f"/orders/{order.id}/cancel"
    assert kiosk.send(method, path, {}).code == (409, "invalid_transition")

    first = manager.send(method, path, {"reason": "acabou o gás"})
    engine_looks(timezone.now())
    again = manager.send(method, path, {"reason": "acabou o gás"})

    order.refresh_from_db()
    assert (first.status, first.body["status"], again.status) == (202, "cancelled", 200)
    assert order.cancel_reason == "acabou o gás"
    assert broken_rules() == {}


def test_item_is_voided_once_and_shown_as_such(provider: Provider, kiosk: Screen, board: Screen) -> None:
    order = place(kiosk.device, *(stocked_product(kiosk.store, 5) for _ in range(2)))
    paid_by_qr(provider, order, kiosk, timezone.now())
    cashier = signed_in(kiosk, Role.CASHIER)
    first, second = OrderLine.objects.filter(order=order).order_by("position")

    replies = [cashier.post(f"/orders/{order.id}/items/{first.id}/void", {"reason": "acabou"}) for _ in range(2)]

    assert [reply.status for reply in replies] == [200, 200]
    assert [item["state"] for item in replies[0].body["items"]] == ["voided", "queued"]
    assert Refund.objects.get().amount == 10
    last = cashier.post(f"/orders/{order.id}/items/{second.id}/void", {"reason": "acabou", "restock": False})
    assert last.code == (409, "last_item")
    assert board.post(f"/orders/{order.id}/items/{second.id}/void", {"reason": "x"}).code == (403, "permission_denied")
    stranger = signed_in(kiosk, Role.MANAGER, here=False)
    assert stranger.post(f"/orders/{order.id}/items/{second.id}/void", {"reason": "x"}).code == (404, "not_found")
    assert cashier.post(f"/orders/{order.id}/items/{second.id}/void", {}).code == (400, "invalid")
    order.refresh_from_db()
    assert order.status == Status.RECEIVED
    assert broken_rules() == {}

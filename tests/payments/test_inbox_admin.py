"""The back office's page of notifications: to look, and to look again."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.core.actors import Role
from apps.orders.models import Order
from apps.payments import inbox
from apps.payments.models import Charge, WebhookEvent
from apps.payments.rules import Method
from apps.payments.services import open_charge
from tests.factories import StaffRoleFactory, UserFactory, claim
from tests.fixtures import Screen
from tests.payments.conftest import Provider

LIST = "admin:payments_webhookevent_changelist"


@pytest.fixture
def owner(db: None) -> Client:
    user = UserFactory()
    StaffRoleFactory(user=user, role=Role.OWNER, store=None)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def event(charge: Charge | None = None, body: bytes = b"{}", **fields: object) -> WebhookEvent:
    given = {"processed_at": timezone.now(), "signature": "valid", "kind": "order", "outcome": "look"} | fields
    return WebhookEvent.objects.create(
        topic="order", charge=charge, dedup_key=body[-32:], headers={}, body=body, **given
    )


def test_strange_body_is_shown_as_text_and_not_whole(owner: Client) -> None:
    kept = event(body=b"<script>alert(1)</script>\xff" + b"x" * 8000)

    page = owner.get(reverse("admin:payments_webhookevent_change", args=[kept.id])).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert "x" * 4000 in page
    assert "x" * 4200 not in page


@pytest.mark.parametrize("chosen", ["kind__exact=order", "signature__exact=valid", "outcome__exact=look"])
def test_list_is_filtered(owner: Client, chosen: str) -> None:
    event(body=b"shown")
    event(body=b"not shown", kind="claim", signature="absent", outcome="noted")

    answer = owner.get(f"{reverse(LIST)}?{chosen}")

    assert [bytes(row.body) for row in answer.context["cl"].result_list] == [b"shown"]


def test_what_names_a_charge_may_be_looked_at_again(
    owner: Client, provider: Provider, order: Order, kiosk: Screen
) -> None:
    now = timezone.now()
    charge = open_charge(
        order_id=order.id, method=Method.MERCADO_PAGO_QR, by=kiosk.actor, claim=claim(kiosk.actor), at=now
    )
    ours, other = event(charge, b"ours"), event(None, b"other")

    answer = owner.post(reverse(LIST), {"action": "look_again", "_selected_action": [ours.id, other.id]}, follow=True)

    assert "Avisos a olhar de novo em instantes: 1." in answer.content.decode()
    assert inbox.process(at=now) == 1
    charge.refresh_from_db()
    assert charge.next_check_at == now


def test_nothing_of_ours_is_said_to_be_so(owner: Client) -> None:
    other = event()

    answer = owner.post(reverse(LIST), {"action": "look_again", "_selected_action": [other.id]}, follow=True)

    assert "não há o que perguntar" in answer.content.decode()
    other.refresh_from_db()
    assert other.processed_at is not None

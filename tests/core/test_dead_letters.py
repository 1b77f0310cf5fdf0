"""A delivery that was given up is handed back by an owner and then seen to arrive."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from apps.contracts.events import Envelope
from apps.core.actors import Role
from apps.core.dispatch import BACK_OFF_SECONDS, TRIES, deliver_new, retry_failed
from apps.core.models import FailedDelivery, Receipt, StoredEvent
from apps.stores.models import Store
from tests.factories import StaffRoleFactory

PAGE = "/admin/core/faileddelivery/"
trouble: list[str] = []


def on_told(event: Envelope) -> None:
    for what in trouble:
        raise ValueError(what)


TABLE = {"told": (on_told,)}


@pytest.fixture
def dead(db: None) -> FailedDelivery:
    """An event whose handler failed as often as it may."""
    trouble.append("the printer is on fire")
    now = timezone.now()
    StoredEvent.objects.create(
        type="told", version=1, occurred_at=now, subject_id=Store().id, seq=1, correlation_id="c", payload={}
    )
    deliver_new(TABLE, at=now)
    for _ in range(TRIES - 1):
        now += timedelta(seconds=BACK_OFF_SECONDS[-1])
        retry_failed(TABLE, at=now)
    trouble.clear()
    failure = FailedDelivery.objects.get()
    assert failure.dead_at is not None
    return failure


def try_again(role: Role, failure: FailedDelivery) -> tuple[int, list[str]]:
    client = Client()
    client.force_login(StaffRoleFactory(role=role, store=None).user)
    reply = client.post(PAGE, {"action": "try_again", "_selected_action": [str(failure.pk)]})
    return reply.status_code, [str(message) for message in get_messages(reply.wsgi_request)]


def test_owner_hands_it_back_and_it_arrives(dead: FailedDelivery) -> None:
    assert retry_failed(TABLE, at=timezone.now() + timedelta(days=1)) == 0

    assert try_again(Role.OWNER, dead) == (302, ["1 voltaram para a fila; somem daqui quando derem certo."])

    assert retry_failed(TABLE, at=timezone.now()) == 1
    assert not FailedDelivery.objects.exists()
    assert Receipt.objects.get().event_id == dead.event_id


def test_one_that_is_still_tried_is_left_alone(dead: FailedDelivery) -> None:
    due = timezone.now() + timedelta(hours=1)
    FailedDelivery.objects.update(dead_at=None, next_try_at=due, tries=2)

    assert try_again(Role.OWNER, dead)[1] == ["Nenhuma destas tinha sido abandonada; o sistema ainda tenta sozinho."]
    dead.refresh_from_db()
    assert (dead.tries, dead.next_try_at) == (2, due)


def test_manager_has_no_such_page(dead: FailedDelivery) -> None:
    assert try_again(Role.MANAGER, dead)[0] == 403
    dead.refresh_from_db()
    assert dead.dead_at is not None

"""Two at once, on two connections."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.core.actors import SYSTEM
from apps.core.facade import Limit, LimitedError, limits
from apps.core.models import StoredEvent
from apps.customers.models import Consent, Customer, LookupTicket
from apps.customers.rules import Purpose, Source
from apps.customers.services import Registration, erase_customer, issue_ticket, redeem_ticket, register_customer
from tests.customers.people import CPF, PASSWORD, document, known
from tests.fixtures import Screen

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Start all together, each on its own connection; return results or exceptions in order."""
    barrier = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            results[place] = work()
        except Exception as problem:  # noqa: BLE001 - it is the result
            results[place] = problem
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_limit_holds_over_many_connections() -> None:
    at, limit = timezone.now(), Limit("test", "somebody", 10, 3600)

    def knock() -> int:
        let_in = 0
        for _ in range(10):
            try:
                limits.hit([limit, Limit("shared", "all", 15, 3600)], at=at)
            except LimitedError:
                continue
            let_in += 1
        return let_in

    assert sum(at_once(*[knock] * 4)) == 10


def test_two_registrations_of_one_person_make_one_customer() -> None:
    told = Registration(
        name="Maria",
        document=document(),
        email="maria@example.org",
        password=PASSWORD,
        consents=frozenset({Purpose.LOYALTY}),
    )

    def register() -> str | None:
        return register_customer(told=told, source=Source.WEB, store_id=None, at=timezone.now())

    tokens = at_once(*[register] * 4)

    assert all(isinstance(token, str) for token in tokens), tokens
    assert Customer.objects.count() == 1
    assert Consent.objects.count() == 1
    types = sorted(StoredEvent.objects.values_list("type", flat=True))
    assert types == ["user.registered"] + ["user.registration_repeated"] * 3


def test_ticket_is_redeemed_by_one_of_many(kiosk: Screen) -> None:
    now = timezone.now()
    token = issue_ticket(document=document(), device_id=kiosk.device.id, at=now)
    refs = at_once(*[lambda: redeem_ticket(token=token, device_id=kiosk.device.id, at=now)] * 4)
    assert sum(ref is not None for ref in refs) == 1
    assert not [ref for ref in refs if isinstance(ref, Exception)]


def test_erasing_at_once_happens_once(kiosk: Screen) -> None:
    customer = known(CPF)
    issue_ticket(document=document(), device_id=kiosk.device.id, at=timezone.now())
    assert at_once(*[lambda: erase_customer(customer_id=customer.id, by=SYSTEM, at=timezone.now())] * 3) == [None] * 3
    assert StoredEvent.objects.filter(type="user.erased").count() == 1
    assert Consent.objects.filter(granted=False).count() == 1
    assert not LookupTicket.objects.exists()


def test_looking_up_while_the_person_is_erased_leaves_no_ticket_behind(kiosk: Screen) -> None:
    """Whichever comes first, no ticket of an erased customer stays."""
    for _ in range(5):
        customer = known(CPF)
        results = at_once(
            lambda customer=customer: erase_customer(customer_id=customer.id, by=SYSTEM, at=timezone.now()),
            lambda: issue_ticket(document=document(), device_id=kiosk.device.id, at=timezone.now()),
        )
        assert not [one for one in results if isinstance(one, Exception)]
        assert not LookupTicket.objects.filter(customer=customer).exists()

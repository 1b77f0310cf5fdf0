"""The demo shop and its past stand up to the audit."""

import pytest
from django.core.management import call_command
from django.db.models import Count
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.orders.models import Order
from apps.orders.rules import Status
from apps.payments import facade as payments
from apps.stores.models import Store
from breadmate import demo
from breadmate.demo_orders import seed_orders
from tests.fixtures import broken_rules


@pytest.mark.django_db
def test_past_orders_leave_every_row_that_the_audit_asks_for() -> None:
    now = timezone.now()
    demo.seed(now)
    told: list[int] = []

    seed_orders(600, now, told.append)

    by_status = dict(Order.objects.values_list("status").annotate(Count("id")))
    assert by_status.keys() == {Status.FINISHED, Status.EXPIRED, Status.CANCELLED}
    assert sum(by_status.values()) == 600
    assert told == [500, 600]
    assert broken_rules() == {}
    assert payments.open_closings(at=now) == 0
    assert payments.money_out_of_place(None, at=now) == 0


@pytest.mark.django_db
def test_demo_is_seeded_once_and_its_credentials_can_be_renewed() -> None:
    told = demo.seed(timezone.now())
    assert demo.still_valid(told)
    renewed = demo.credentials(timezone.now())
    assert demo.still_valid(renewed)
    assert not demo.still_valid(told)


@pytest.mark.django_db
def test_demo_data_is_refused_in_production(settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(SystemExit):
        call_command("seed_demo")
    assert not Store.objects.exists()

"""Typing a CPF on a kiosk, and what the ticket for it is good for."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.customers import facade, services
from apps.customers.models import LookupTicket
from apps.customers.services import TICKET_LIFE, issue_ticket, redeem_ticket
from tests.customers.people import CNPJ, CPF, CPF_DIGITS, document, known, new_cpf
from tests.fixtures import Screen

pytestmark = pytest.mark.django_db


def statements(queries: CaptureQueriesContext) -> list[str]:
    values = r"""'[^']*'(::\w+)?|"s\d+_x\d+"|\bNULL\b|\b\d+(\.\d+)?\b"""
    return [re.sub(values, "?", query["sql"]) for query in queries.captured_queries]


def test_answer_is_a_ticket_and_the_masked_cpf(kiosk: Screen) -> None:
    customer = known()
    reply = kiosk.post("/users/lookup", {"cpf": CPF})
    assert reply.status == 200
    assert reply.body.keys() == {"customer", "cpf"}
    assert reply.body["cpf"] == "***.982.247-**"
    assert reply.response["Cache-Control"] == "no-store"
    ticket = LookupTicket.objects.get()
    assert (ticket.customer_id, ticket.device_id) == (customer.id, kiosk.device.id)
    assert ticket.expires_at - ticket.created_at == timedelta(minutes=10)
    assert len(reply.body["customer"]) == 32
    assert reply.body["customer"].encode() not in bytes(ticket.token_hash)


def test_company_may_be_looked_up(kiosk: Screen) -> None:
    assert kiosk.post("/users/lookup", {"cpf": CNPJ}).body["cpf"] == "**.222.333/****-**"


def test_known_and_unknown_cannot_be_told_apart(kiosk: Screen) -> None:
    kiosk.post("/users/lookup", {"cpf": new_cpf()})  # what is made once
    cpf = new_cpf()
    with CaptureQueriesContext(connection) as work_on_unknown:
        unknown = kiosk.post("/users/lookup", {"cpf": cpf})
    known(cpf)
    with CaptureQueriesContext(connection) as work_on_known:
        found = kiosk.post("/users/lookup", {"cpf": cpf})

    assert (unknown.status, found.status) == (200, 200)
    assert unknown.body.keys() == found.body.keys()
    assert unknown.body["cpf"] == found.body["cpf"]
    assert len(unknown.body["customer"]) == len(found.body["customer"])
    assert len(unknown.response.content) == len(found.response.content)
    headers = [{k: v for k, v in one.response.items() if k != "X-Request-ID"} for one in (unknown, found)]
    assert headers[0] == headers[1]
    assert statements(work_on_known) == statements(work_on_unknown)
    assert LookupTicket.objects.filter(customer=None).count() == 2


@pytest.mark.parametrize(
    "body", [{"cpf": "529.982.247-26"}, {"cpf": "abc"}, {"cpf": 1}, {"cpf": None}, {}, [], {"cpf": CPF, "x": 1}]
)
def test_malformed_is_refused_and_makes_no_ticket(body: object, kiosk: Screen) -> None:
    reply = kiosk.post("/users/lookup", body)
    assert reply.code == (400, "invalid")
    assert CPF_DIGITS not in reply.response.content.decode()
    assert not LookupTicket.objects.exists()


def test_ticket_stands_for_the_customer_once(kiosk: Screen) -> None:
    customer, now = known(), timezone.now()
    token = issue_ticket(document=document(), device_id=kiosk.device.id, at=now)

    ref = facade.redeem_ticket(token=token, device_id=kiosk.device.id, at=now)

    assert ref == facade.CustomerRef(id=customer.id, document=document())
    assert CPF_DIGITS not in repr(ref)
    assert facade.redeem_ticket(token=token, device_id=kiosk.device.id, at=now) is None


def test_ticket_of_an_unknown_cpf_still_tells_the_checkout_which(kiosk: Screen) -> None:
    now = timezone.now()
    token = issue_ticket(document=document(), device_id=kiosk.device.id, at=now)
    assert redeem_ticket(token=token, device_id=kiosk.device.id, at=now) == facade.CustomerRef(None, document())


def test_ticket_is_good_for_ten_minutes(kiosk: Screen) -> None:
    now = timezone.now()
    token = issue_ticket(document=document(), device_id=kiosk.device.id, at=now)
    assert redeem_ticket(token=token, device_id=kiosk.device.id, at=now + TICKET_LIFE) is None
    assert redeem_ticket(token=token, device_id=kiosk.device.id, at=now + TICKET_LIFE - timedelta(seconds=1))


def test_ticket_is_good_on_its_own_device_only(kiosk: Screen, stranger: Screen) -> None:
    now = timezone.now()
    token = issue_ticket(document=document(), device_id=kiosk.device.id, at=now)
    for device_id in (stranger.device.id, uuid4(), None):
        assert redeem_ticket(token=token, device_id=device_id, at=now) is None
    assert redeem_ticket(token=token + "x", device_id=kiosk.device.id, at=now) is None
    assert redeem_ticket(token="", device_id=kiosk.device.id, at=now) is None
    assert redeem_ticket(token=token, device_id=kiosk.device.id, at=now) is not None


def test_ended_tickets_are_purged(kiosk: Screen) -> None:
    now = timezone.now()
    issue_ticket(document=document(), device_id=kiosk.device.id, at=now - timedelta(hours=2))
    issue_ticket(document=document(), device_id=kiosk.device.id, at=now - timedelta(minutes=15))
    assert services.purge(at=now) == 1
    assert LookupTicket.objects.count() == 1

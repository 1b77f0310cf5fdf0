"""Becoming known, without telling anybody who already is."""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.actors import Role
from apps.core.models import StoredEvent
from apps.customers.models import AccountClaim, Consent, Customer
from apps.customers.queries import document_of, granted_purposes
from apps.customers.rules import Purpose
from tests.customers.people import CNPJ, CPF, CPF_DIGITS, PASSWORD, Anyone, document, known, new_cpf, person
from tests.fixtures import Reply, Screen, Store

pytestmark = pytest.mark.django_db
EMAIL = "maria@example.org"
BODY: dict[str, Any] = {
    "name": "Maria das Dores",
    "cpf": CPF,
    "email": "Maria@Example.org",
    "phone": "(11) 98765-1234",
    "address": "Rua do Forno, 7",
    "password": PASSWORD,
    "consents": ["marketing", "loyalty"],
}


def headers_of(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.response.items() if name != "X-Request-ID"}


def statements(queries: CaptureQueriesContext) -> list[str]:
    """What was sent to the database, without its values."""
    values = r"""'[^']*'(::\w+)?|"s\d+_x\d+"|\b\d+(\.\d+)?\b"""
    return [re.sub(values, "?", query["sql"]) for query in queries.captured_queries]


def test_new_customer_is_kept_as_told() -> None:
    reply = Anyone().post("/users", BODY)

    assert reply.status == 201
    assert reply.response["Cache-Control"] == "no-store"
    claim = reply.body.pop("claim") if isinstance(reply.body, dict) else None
    assert {**reply.body, "claim": None} == {
        "name": "Maria das Dores",
        "cpf": "***.982.247-**",
        "email": "m***@example.org",
        "phone": "(11) 9****-1234",
        "consents": ["loyalty", "marketing"],
        "claim": None,
    }
    assert len(claim or "") == 32
    customer = Customer.objects.get()
    assert (customer.name, customer.email, customer.phone) == ("Maria das Dores", EMAIL, "+5511987651234")
    assert (customer.address, customer.user) == ("Rua do Forno, 7", None)
    assert document_of(customer) == document(CPF)
    assert granted_purposes(customer.id) == {Purpose.LOYALTY, Purpose.MARKETING}
    assert set(Consent.objects.values_list("source", "granted")) == {("web", True)}
    event = StoredEvent.objects.get()
    asked = AccountClaim.objects.get()
    assert (event.type, event.subject_id, event.store_id) == ("user.registered", customer.id, None)
    assert event.payload == {"claim": str(asked.id)}
    assert check_password(PASSWORD, asked.password_hash)


@pytest.mark.parametrize("body", [{"cpf": CPF}, {"cpf": CNPJ}, {"email": EMAIL}, {"phone": "11 98765-1234"}])
def test_one_way_to_be_found_is_enough(body: dict[str, str]) -> None:
    reply = Anyone().post("/users", {"name": "Ana", **body})
    assert reply.status == 201
    assert reply.body["claim"] is None
    assert Customer.objects.count() == 1
    assert not Consent.objects.exists()
    assert not AccountClaim.objects.exists()


def test_consent_remembers_the_kiosk_and_the_store(kiosk: Screen) -> None:
    assert kiosk.post("/users", {"name": "Ana", "cpf": CPF, "consents": ["loyalty"]}).status == 201
    assert Consent.objects.get().source == "kiosk"
    assert StoredEvent.objects.get().store_id == kiosk.store.id


def test_consent_remembers_the_counter(store: Store) -> None:
    assert (
        person(Role.CASHIER, store).post("/users", {"name": "Ana", "cpf": CPF, "consents": ["receipt"]}).status == 201
    )
    assert Consent.objects.get().source == "counter"


@pytest.mark.parametrize(
    "known_by",
    [
        {"cpf": CPF, "email": EMAIL},
        {"cpf": CPF, "email": "outra@example.org"},
        {"cpf": None, "email": EMAIL},
    ],
    ids=["both", "cpf", "e-mail"],
)
def test_known_is_answered_exactly_like_new(known_by: dict[str, Any]) -> None:
    other = {**BODY, "cpf": new_cpf(), "email": "nova@example.org"}
    Anyone("203.0.113.1").post("/users", {**BODY, "cpf": new_cpf(), "email": "antes@example.org"})  # what is made once
    with CaptureQueriesContext(
        connection,
    ) as work_on_new:
        new = Anyone("203.0.113.2").post("/users", other)
    customer = known(known_by["cpf"], email=known_by["email"], name="Dona da Conta")
    before = Customer.objects.filter(id=customer.id).values().get()
    consents = Consent.objects.count()

    with CaptureQueriesContext(connection) as work_on_known:
        again = Anyone("203.0.113.3").post("/users", BODY)

    assert (again.status, new.status) == (201, 201)
    assert headers_of(again) == headers_of(new)
    assert again.body.keys() == new.body.keys()
    assert {name: type(value) for name, value in again.body.items()} == {
        name: type(value) for name, value in new.body.items()
    }
    assert len(again.body["claim"]) == len(new.body["claim"])
    assert statements(work_on_known) == statements(work_on_new)
    assert Customer.objects.filter(id=customer.id).values().get() == before
    assert Consent.objects.count() == consents
    last = StoredEvent.objects.order_by("-id")[0]
    assert (last.type, last.subject_id) == ("user.registration_repeated", customer.id)


def test_cpf_of_one_and_email_of_another_is_the_cpfs_matter() -> None:
    by_email = known(None, email=EMAIL)
    by_cpf = known(CPF, email="outra@example.org")
    assert Anyone().post("/users", BODY).status == 201
    assert Customer.objects.count() == 2
    assert StoredEvent.objects.order_by("-id")[0].subject_id == by_cpf.id != by_email.id


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *(({"cpf": "529.982.247-26"}, "cpf"), ({"cpf": 52998224725}, "cpf"), ({"cpf": "1" * 300}, "cpf")),
        *(({"email": "maria"}, "email"), ({"email": 7}, "email"), ({"phone": "123"}, "phone"), ({"name": ""}, "name")),
        *(({"name": "x" * 121}, "name"), ({"name": "Ana\r\nBcc: x"}, "name"), ({"name": "a\u202eb"}, "name")),
        *(({"password": "123"}, "password"), ({"password": "password12"}, "password")),
        *(({"consents": ["everything"]}, "consents"), ({"consents": "loyalty"}, "consents")),
        *(({"is_staff": True}, "is_staff"), ({"user": "1"}, "user"), ({"address": "Rua\u2028B"}, "address")),
    ],
)
def test_malformed_is_refused_by_its_field(change: dict[str, Any], field: str) -> None:
    reply = Anyone().post("/users", {**BODY, **change})
    assert reply.code == (400, "invalid")
    assert {re.split(r"[\[.]", name)[0] for name, _ in reply.errors} == {field}
    assert not Customer.objects.exists()
    assert reply.response["Cache-Control"] == "no-store"


def test_somebody_who_cannot_be_found_is_refused() -> None:
    assert Anyone().post("/users", {"name": "Ana", "consents": []}).errors == [("", "contact_required")]


def test_password_needs_an_email() -> None:
    assert Anyone().post("/users", {"name": "Ana", "cpf": CPF, "password": PASSWORD}).errors == [("email", "required")]


def test_events_hold_nothing_personal() -> None:
    Anyone().post("/users", BODY)
    Anyone().post("/users", BODY)
    told = repr(list(StoredEvent.objects.values()))
    assert StoredEvent.objects.count() == 2
    for value in (CPF, CPF_DIGITS, EMAIL, "Maria", "98765"):
        assert value not in told

"""Who may ask what about customers, and what staff get to see."""

from typing import Any

import pytest
from django.utils import timezone

from apps.core.actors import Role
from apps.customers.models import Customer, CustomerRead
from apps.customers.services import erase_customer
from apps.stores.models import Store
from tests.customers.people import CNPJ, CPF, CPF_DIGITS, Anyone, document, known, new_cpf, person
from tests.factories import UserFactory, staff
from tests.fixtures import Screen

pytestmark = pytest.mark.django_db
BY_CPF = f"/users/cpf/{CPF}"
DEVICES = (Role.KIOSK, Role.BOARD, Role.PANEL)
STAFF = (Role.OWNER, Role.MANAGER, Role.CASHIER, Role.KITCHEN, Role.AUDITOR)
COUNTER = {Role.OWNER, Role.MANAGER, Role.CASHIER}


def caller(role: Role | None, store: Store) -> Screen:
    if role is None:
        return Anyone()
    return Screen(store, role) if role in DEVICES else person(role, store)


@pytest.mark.parametrize("role", [None, *DEVICES, *STAFF])
def test_only_the_counter_finds_people_by_cpf(role: Role | None, store: Store) -> None:
    known()
    expected = 401 if role is None else 200 if role in COUNTER else 403
    reply = caller(role, store).get(BY_CPF)
    assert reply.status == expected
    assert reply.response["Cache-Control"] == "no-store"
    if expected != 200:
        assert reply.code == (expected, {401: "not_authenticated", 403: "permission_denied"}[expected])
        assert not CustomerRead.objects.exists()
    assert CPF_DIGITS not in reply.response.content.decode()


@pytest.mark.parametrize("role", [None, *DEVICES, *STAFF])
def test_only_a_kiosk_gets_tickets(role: Role | None, store: Store) -> None:
    expected = 401 if role is None else 200 if role == Role.KIOSK else 403
    reply = caller(role, store).post("/users/lookup", {"cpf": CPF})
    assert reply.status == expected
    assert reply.response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("role", [None, *DEVICES, *STAFF])
def test_anybody_may_register(role: Role | None, store: Store) -> None:
    assert caller(role, store).post("/users", {"name": "Ana", "cpf": new_cpf()}).status == 201


@pytest.mark.parametrize("path", ["/users/lookup", BY_CPF])
def test_somebody_without_a_role_is_a_stranger(path: str) -> None:
    visitor = Anyone()
    visitor.client.force_login(UserFactory(is_staff=False))
    reply = visitor.get(path) if path == BY_CPF else visitor.post(path, {"cpf": CPF})
    assert reply.status == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/users"), ("DELETE", "/users"), ("GET", "/users/lookup"), ("POST", BY_CPF), ("DELETE", BY_CPF)],
)
def test_other_methods_are_refused(method: str, path: str, store: Store) -> None:
    who = Screen(store) if "lookup" in path else person(Role.OWNER, store)
    assert who.send(method, path).code == (405, "method_not_allowed")


def test_staff_see_a_masked_customer(store: Store) -> None:
    customer = known(phone="+5511987651234", email="maria@example.org", address="Rua do Forno, 7")
    cashier = person(Role.CASHIER, store)
    reply = cashier.get(BY_CPF)
    assert reply.body == {
        "id": str(customer.id),
        "name": "Maria das Dores",
        "cpf": "***.982.247-**",
        "phone": "(11) 9****-1234",
        "orders": None,
    }
    read = CustomerRead.objects.get()
    assert (read.customer, read.act, read.actor_id) == (customer, "lookup", cashier.id)


@pytest.mark.parametrize("spelling", [CPF, CPF_DIGITS, "529%2E982%2E247%2D25", f"{CPF}/"])
def test_every_spelling_finds_the_same_person(spelling: str, store: Store) -> None:
    customer = known()
    assert person(Role.CASHIER, store).get(f"/users/cpf/{spelling}").body["id"] == str(customer.id)


@pytest.mark.parametrize("spelling", [CNPJ, "11222333000181", "11.222.333%2F0001-81"])
def test_company_is_found_with_its_slash(spelling: str, store: Store) -> None:
    customer = known(CNPJ)
    reply = person(Role.CASHIER, store).get(f"/users/cpf/{spelling}")
    assert (reply.body["id"], reply.body["cpf"]) == (str(customer.id), "**.222.333/****-**")
    assert reply.body["phone"] is None


def test_unknown_and_erased_are_the_same_to_staff(store: Store) -> None:
    customer = known()
    erase_customer(customer_id=customer.id, by=staff(Role.OWNER, None), at=timezone.now())
    cashier = person(Role.CASHIER, store)
    answers = []
    for cpf in (CPF, new_cpf()):
        reply = cashier.get(f"/users/cpf/{cpf}")
        assert reply.code == (404, "not_found")
        answers.append({name: value for name, value in reply.body.items() if name != "request_id"})
    assert answers[0] == answers[1]
    assert CustomerRead.objects.filter(customer=None, act="lookup", actor_id=cashier.id).count() == 2


@pytest.mark.parametrize("cpf", ["529.982.247-26", "abc", "1" * 500, "..%2f..%2fetc", "' OR 1=1"])
def test_malformed_cpf_is_refused(cpf: str, store: Store) -> None:
    reply = person(Role.CASHIER, store).get(f"/users/cpf/{cpf}")
    assert reply.code == (400, "invalid")
    assert reply.errors == [("cpf", "invalid")]
    assert not CustomerRead.objects.exists()


def test_session_needs_a_csrf_token(store: Store) -> None:
    cashier = person(Role.CASHIER, store)
    cashier.client.handler.enforce_csrf_checks = True
    assert cashier.post("/users", {"name": "Ana", "cpf": new_cpf()}).status == 403
    assert not Customer.objects.exists()


def test_answers_of_a_kiosk_name_nobody(kiosk: Screen) -> None:
    known(email="maria@example.org")
    replies: list[Any] = [
        kiosk.post("/users/lookup", {"cpf": CPF}),
        kiosk.post("/users", {"name": "Outra", "cpf": CPF, "email": "outra@example.org"}),
    ]
    for reply in replies:
        text = reply.response.content.decode()
        for value in ("Maria", "maria@", CPF, CPF_DIGITS, str(Customer.objects.get().id)):
            assert value not in text
    assert document().masked in replies[0].response.content.decode()

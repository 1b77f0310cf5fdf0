"""People for these tests: valid CPFs that belong to nobody in particular, and ways to become known."""

import random
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone
from rest_framework.test import APIClient

from apps.core.actors import Role
from apps.core.models import StoredEvent, User
from apps.customers.models import Customer
from apps.customers.rules import Document, Purpose, Source, parse_document
from apps.customers.services import Registration, register_customer
from apps.customers.tokens import issue_for
from apps.stores.models import Store
from tests.factories import StaffRoleFactory, UserFactory
from tests.fixtures import Screen

CPF = "529.982.247-25"
CPF_DIGITS = "52998224725"
CNPJ = "11.222.333/0001-81"
PASSWORD = "broa de milho quente"


def new_cpf() -> str:
    """A valid CPF, most likely one that no other test uses."""
    digits = [random.randrange(10) for _ in range(9)]
    for length in (9, 10):
        rest = sum(digit * (length + 1 - place) for place, digit in enumerate(digits[:length])) % 11
        digits.append(0 if rest < 2 else 11 - rest)
    return "".join(map(str, digits))


def document(text: str = CPF) -> Document:
    parsed = parse_document(text)
    assert parsed is not None
    return parsed


def known(cpf: str | None = CPF, *, at: datetime | None = None, **told: Any) -> Customer:
    """Register somebody and return their row."""
    fields = {"name": "Maria das Dores", "consents": frozenset({Purpose.LOYALTY}), **told}
    registration = Registration(document=document(cpf) if cpf else None, **fields)
    register_customer(told=registration, source=Source.WEB, store_id=None, at=at or timezone.now())
    event = StoredEvent.objects.filter(type="user.registered").order_by("-id")[0]
    return Customer.objects.get(id=event.subject_id)


def person(role: Role, store: Store | None) -> "Person":
    """Somebody of the staff, signed in."""
    return Person(StaffRoleFactory(role=role, store=store, user=UserFactory(name="Bia")).user)


class Person(Screen):
    """Calls the API with the session of the back office."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.client = APIClient()
        self.client.force_login(user)

    @property
    def id(self) -> UUID:
        return self.user.pk


class Anyone(Screen):
    """Calls the API without a credential."""

    def __init__(self, address: str = "203.0.113.7") -> None:
        self.client = APIClient(REMOTE_ADDR=address)


def with_login(customer: Customer, password: str = PASSWORD) -> Customer:
    """Give a customer the login that a claimed account has; they have told an e-mail."""
    customer.user = User.objects.create_user(customer.email, password, name=customer.name)
    customer.save(update_fields=["user"])
    return customer


class Shopper(Screen):
    """A customer who calls the API with the token of their account."""

    def __init__(self, customer: Customer | None = None) -> None:
        email = f"{uuid4().hex[:8]}@example.org"
        self.customer = customer or with_login(known(new_cpf(), name="Maria das Dores", email=email))
        pair = issue_for(self.customer.user_id)
        assert pair is not None
        self.access = pair.access
        self.client = APIClient()
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.access}")

"""The back-office page of customers."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from apps.core.actors import Role
from apps.customers.models import Customer, CustomerRead
from apps.stores.models import Store
from tests.customers.people import CPF, CPF_DIGITS, known, new_cpf
from tests.factories import StaffRoleFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"
SECRETS = (CPF, CPF_DIGITS, "maria@example.org", "98765", "Rua do Forno")


def maria() -> Customer:
    return known(email="maria@example.org", phone="+5511987651234", address="Rua do Forno, 7")


def signed_in(role: Role, store: Store | None) -> Client:
    client = Client()
    client.force_login(StaffRoleFactory(role=role, store=store).user)
    return client


@pytest.fixture
def manager(store: Store) -> Client:
    return signed_in(Role.MANAGER, store)


def page_of(customer: Customer) -> str:
    return reverse("admin:customers_customer_change", args=[customer.id])


def find(client: Client, term: str) -> Any:
    return client.post(LIST, {"find": "1", "q": term})


def act(client: Client, action: str, *customers: Customer, **more: str) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": [str(one.id) for one in customers], **more})


@pytest.mark.parametrize("role", [Role.CASHIER, Role.KITCHEN, Role.AUDITOR])
def test_only_owners_and_managers_open_it(role: Role, store: Store) -> None:
    customer, client = maria(), signed_in(role, store)
    for path in (LIST, page_of(customer)):
        assert client.get(path).status_code == 403
    for answer in (find(client, CPF), act(client, "export", customer), act(client, "erase", customer, confirmed="1")):
        assert answer.status_code == 403
    assert Customer.objects.get().name == "Maria das Dores"
    assert not CustomerRead.objects.exists()


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
def test_pages_show_masked_values_only(role: Role, store: Store) -> None:
    customer, client = maria(), signed_in(role, store)
    for path in (LIST, page_of(customer), page_of(customer).replace("/change/", "/history/")):
        page = client.get(path, follow=True)
        text = page.content.decode()
        assert page.status_code == 200
        assert not [value for value in SECRETS if value in text]
        if "history" not in path:
            for shown in ("***.982.247-**", "m***@example.org", "(11) 9****-1234"):
                assert shown in text
    assert "no-store" in client.get(LIST)["Cache-Control"]


def test_title_and_address_name_nobody(manager: Client) -> None:
    customer = maria()
    text = manager.get(page_of(customer)).content.decode()
    title = text[text.index("<title>") : text.index("</title>")]
    assert "Maria" not in title
    assert "982" not in title.replace(str(customer.id), "").replace(str(customer.id)[-8:], "")


def test_nothing_is_changed_added_or_deleted_by_hand(manager: Client) -> None:
    customer = maria()
    assert manager.post(page_of(customer), {"name": "Outra"}).status_code == 403
    assert manager.get(LIST + "add/").status_code == 403
    assert manager.post(page_of(customer).replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert act(manager, "delete_selected", customer, post="yes").status_code == 302
    assert Customer.objects.get().name == "Maria das Dores"


def test_exact_cpf_leads_to_the_page_and_not_into_an_address(manager: Client) -> None:
    customer = maria()
    known(new_cpf())
    for spelling in (CPF, CPF_DIGITS, f"  {CPF} "):
        answer = find(manager, spelling)
        assert (answer.status_code, answer["Location"]) == (302, page_of(customer))
    assert set(CustomerRead.objects.values_list("customer", "act")) == {(customer.id, "search")}


@pytest.mark.parametrize("term", ["529.982.247-26", "52998224", "529.982.247", "ninguem@example.org", new_cpf()])
def test_what_is_not_found_is_not_put_into_an_address(term: str, manager: Client) -> None:
    maria()
    assert find(manager, term)["Location"] == LIST


def test_email_and_name_are_found(manager: Client) -> None:
    customer = maria()
    known(new_cpf(), name="Ana Lima")
    assert find(manager, "Maria@Example.org")["Location"] == page_of(customer)
    by_name = find(manager, "maria das")
    assert by_name["Location"] == f"{LIST}?q=maria+das"
    text = manager.get(by_name["Location"]).content.decode()
    assert "Maria das Dores" in text
    assert "Ana Lima" not in text


def test_search_by_cpf_is_limited_however_it_is_asked(manager: Client, settings: Settings) -> None:
    settings.LIMIT_STAFF_LOOKUP_PER_HOUR = 2
    customer = maria()
    assert find(manager, CPF)["Location"] == page_of(customer)
    assert "Maria das Dores" in manager.get(LIST, {"q": CPF}).content.decode()
    assert find(manager, CPF)["Location"] == LIST
    text = manager.get(LIST, {"q": CPF}).content.decode()
    assert "Maria das Dores" not in text
    assert "muitos CPFs" in text


def test_search_form_is_a_post(manager: Client) -> None:
    text = manager.get(LIST).content.decode()
    assert 'name="find"' in text
    assert 'id="searchbar"' not in text


def test_export_downloads_what_is_held_of_one(manager: Client) -> None:
    customer, other = maria(), known(new_cpf())
    answer = act(manager, "export", customer)
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == f'attachment; filename="cliente-{customer.id}.json"'
    assert "no-store" in answer["Cache-Control"]
    assert json.loads(answer.content)["document"]["number"] == CPF_DIGITS
    assert CustomerRead.objects.get().act == "export"
    assert act(manager, "export", customer, other).status_code == 302
    assert CustomerRead.objects.count() == 1


def test_erasing_asks_first(manager: Client) -> None:
    customer, other = maria(), known(new_cpf(), name="Ana Lima")
    question = act(manager, "erase", customer)
    assert question.status_code == 200
    text = question.content.decode()
    assert "Eliminar para sempre" in text
    assert "***.982.247-**" in text
    assert not [value for value in SECRETS if value in text]
    assert Customer.objects.filter(erased_at=None).count() == 2

    assert act(manager, "erase", customer, confirmed="1").status_code == 302

    customer.refresh_from_db()
    assert customer.erased_at is not None
    assert customer.name == ""
    assert list(Customer.objects.filter(erased_at=None)) == [other]
    assert manager.get(page_of(customer)).status_code == 200


def test_erased_is_not_offered_again(manager: Client) -> None:
    customer = maria()
    act(manager, "erase", customer, confirmed="1")
    assert act(manager, "erase", customer).status_code == 302


def test_list_takes_the_same_queries_for_one_and_many(manager: Client, django_assert_num_queries: Any) -> None:
    maria()
    manager.get(LIST)
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    with CaptureQueriesContext(connection) as one:
        manager.get(LIST)
    known(new_cpf())
    known(new_cpf())
    with django_assert_num_queries(len(one)):
        manager.get(LIST)


def test_record_of_reads_is_for_owners_of_the_whole_chain(store: Store, manager: Client) -> None:
    find(manager, new_cpf())
    path = "/admin/customers/customerread/"
    for client in (manager, signed_in(Role.OWNER, store)):
        assert client.get(path).status_code == 403
    assert signed_in(Role.OWNER, None).get(path).status_code == 200

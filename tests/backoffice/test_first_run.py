"""A shop is taken by who started it, once; everybody else is sent away from the pages that set it up."""

from typing import Any

import pytest
from django.test import Client, override_settings

from apps.core.actors import Role
from apps.core.models import User
from apps.stores.models import OpeningHours, StaffRole, Store
from breadmate import first_run
from tests.factories import ProductFactory, StaffRoleFactory
from tests.trail.conftest import browser_of, person

pytestmark = pytest.mark.django_db
OWNER = {
    "name": "Dona Lurdes",
    "email": "Lurdes@padaria.example",
    "password": "fornada de pao quente",
    "again": "fornada de pao quente",
}
STORE = {"name": "Padaria São João", "timezone": "America/Manaus", "days": ["0", "1"], "opens_at": "06:00"}
STORE |= {"closes_at": "13:30"}


@pytest.fixture
def browser() -> Client:
    return Client()


def owner_form(**changes: str) -> dict[str, str]:
    return {"code": first_run.code(), **OWNER, **changes}


def way_from(browser: Client, path: str = "/comecar/") -> str:
    return str(browser.get(path, follow=True).redirect_chain[-1][0])


def test_empty_shop_leads_from_the_front_to_its_first_owner(browser: Client) -> None:
    assert way_from(browser, "/") == "/comecar/dono/"
    assert way_from(browser, "/comecar/totem/") == "/comecar/dono/"
    assert first_run.code() in browser.get(first_run.way_in()).content.decode()


def test_owner_made_with_the_code_is_signed_in_and_goes_on(browser: Client) -> None:
    made = browser.post("/comecar/dono/", owner_form(code=first_run.code().lower().replace("-", " ")))

    assert made.headers["Location"] == "/comecar/loja/"
    user = User.objects.get(email="lurdes@padaria.example")
    assert user.check_password(OWNER["password"])
    assert StaffRole.objects.get(user=user, role=Role.OWNER).store is None

    assert browser.post("/comecar/loja/", STORE).headers["Location"] == "/comecar/pagamentos/"
    store = Store.objects.get()
    assert (store.name, store.code, store.timezone) == ("Padaria São João", "PADARIASAOJOAO", "America/Manaus")
    assert OpeningHours.objects.filter(store=store).count() == 2

    assert browser.post("/comecar/pagamentos/", {"skip": "1"}).headers["Location"] == "/comecar/produto/"
    ProductFactory()
    assert way_from(browser) == "/comecar/totem/"
    assert browser.post("/comecar/abrir/kiosk/").headers["Location"] == "/kiosk/"
    assert way_from(browser) == "/comecar/pronto/"
    assert way_from(browser, "/") == "/admin/"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "AAAAA-AAAAA-AAAAA-AAAAA"}, "code"),
        ({"code": ""}, "code"),
        ({"password": "1234", "again": "1234"}, "password"),
        ({"password": "lurdes@padaria", "again": "lurdes@padaria"}, "password"),
        ({"again": "outra coisa qualquer"}, "again"),
        ({"email": "lurdes"}, "email"),
    ],
)
def test_refusal_says_which_field_and_makes_nobody(browser: Client, changes: dict[str, str], field: str) -> None:
    refused: Any = browser.post("/comecar/dono/", owner_form(**changes))

    assert refused.status_code == 200
    assert field in refused.context["form"].errors
    assert not User.objects.exists()


def test_code_is_worth_nothing_once_there_is_an_owner(browser: Client) -> None:
    StaffRoleFactory(role=Role.OWNER, store=None)

    assert browser.post("/comecar/dono/", owner_form()).status_code == 302
    assert User.objects.count() == 1
    with pytest.raises(first_run.SetUpAlreadyError):
        first_run.make_owner(name="X", email="x@example.org", password="y", at=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER, Role.CASHIER, Role.KITCHEN, Role.AUDITOR])
def test_only_the_chains_owner_goes_on(role: Role, store: Store) -> None:
    StaffRoleFactory(role=Role.OWNER, store=None)
    other = browser_of(person(role, store))

    for page in ("pagamentos", "produto", "totem", "pronto"):
        assert other.get(f"/comecar/{page}/").status_code == 404
        assert Client().get(f"/comecar/{page}/").headers["Location"].startswith("/admin/login/")
    assert other.post("/comecar/abrir/kiosk/").status_code == 404
    assert Client().post("/comecar/abrir/kiosk/").status_code == 404


@override_settings(DEMO=True)
def test_demo_has_nothing_to_set_up(browser: Client) -> None:
    for path in ("/comecar/", "/comecar/dono/"):
        assert browser.get(path).status_code == 404
    assert browser.post("/comecar/dono/", owner_form()).status_code == 404

"""The back office speaks Portuguese on every page, says what happens today, and names no other store."""

import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import flatten_fieldsets
from django.db import connection
from django.db.models import Field, Model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from apps.core.actors import Role
from apps.orders.rules import Status
from apps.stores.models import Device, Store
from breadmate import translations
from breadmate.admin_site import site
from tests.factories import DeviceFactory, ProductFactory, StoreFactory, order_in, stocked_product
from tests.fixtures import Screen
from tests.trail.conftest import browser_of, page_of, person

CATALOG = Path(settings.BASE_DIR) / "locale" / "pt_BR" / "LC_MESSAGES" / "django.po"
# Words that are the same in both languages, or mean something else on our pages.
SAME = {"Link", "To", "System", "Code", "Value"}
MORE_ENGLISH = (
    "Log out",
    "Search",
    "Add ",
    "Home",
    "View site",
    "Password",
    "Please ",
    "History",
    "Welcome",
    "Show all",
)
TEXT_ATTRIBUTES = {"title", "placeholder", "alt", "aria-label", "value"}


class Words(HTMLParser):
    """What a page says to people; scripts and styles left out."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        kind = dict(attrs).get("type")
        hidden = kind in ("hidden", "checkbox", "radio") or tag == "option"
        self.said += [
            value for name, value in attrs if name in TEXT_ATTRIBUTES and value and not (name == "value" and hidden)
        ]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent and "material-symbols" not in (self.get_starttag_text() or ""):
            self.said.append(" ".join(data.split()))


def english() -> set[str]:
    """Every text of the theme that Django does not translate."""
    with CATALOG.open("rb") as file:
        return {
            " ".join(one.split())
            for message in read_po(file, locale="pt_BR")
            if message.id
            for one in (message.id if isinstance(message.id, tuple) else (message.id,))
            if "%(" not in one and message.string != one
        } - SAME


def pages(client: Client, store: Store) -> Iterator[tuple[str, Any]]:
    """Every page of the back office, the forms of its newest rows included."""
    yield "/admin/login/", Client().get("/admin/login/", headers={"Accept-Language": "en"})
    yield "/admin/login/ refused", Client().post("/admin/login/", {"username": "a@example.org", "password": "x"})
    for path in ("/admin/", "/admin/password_change/", "/admin/nada/", "/admin/password_change/done/"):
        yield path, client.get(path, headers={"Accept-Language": "en"})
    for model in site._registry:
        row = model._default_manager.first()
        addresses = [page_of(model, "changelist"), f"{page_of(model, 'changelist')}?q=zzzz", page_of(model, "add")]
        if row is not None:
            addresses += [page_of(model, each, row.pk) for each in ("change", "history", "delete")]
        for address in addresses:
            yield address, client.get(address, headers={"Accept-Language": "en"}, follow=True)
    yield "refused form", client.post(page_of(Device, "add"), {"store": str(store.pk)})


@pytest.mark.django_db
def test_no_page_speaks_english(kiosk: Screen, store: Store) -> None:
    stocked_product(store, 5)
    order_in(Status.READY, kiosk.device)
    owner = browser_of(person(Role.OWNER, None))
    wanted, found = english(), []

    for path, response in pages(owner, store):
        words = Words()
        words.feed(response.content.decode())
        assert '<html lang="pt' in response.content.decode(), path
        found += [(path, text) for text in words.said if text in wanted or text.startswith(MORE_ENGLISH)]

    assert len(wanted) > 60
    assert found == []


# Names that are the same in both languages.
SAME_NAME = {"subtotal", "total", "item"}


def shown_fields(page: BaseModelAdmin, request: HttpRequest) -> Iterator[Field]:
    """Every field of the model that a page shows, in its list or its form."""
    names = {*flatten_fieldsets(page.get_fieldsets(request)), *getattr(page, "list_display", ())}
    for field in page.model._meta.concrete_fields:
        if field.name in names:
            yield field


@pytest.mark.parametrize(("model", "page"), sorted(site._registry.items(), key=lambda each: each[0]._meta.label))
@pytest.mark.django_db
def test_every_field_shown_has_a_portuguese_name(model: type[Model], page: ModelAdmin, rf: RequestFactory) -> None:
    request = rf.get("/admin/", headers={"Accept-Language": "pt-BR"})
    request.user = person(Role.OWNER, None)
    inlines = [inline(model, site) for inline in page.inlines]

    nameless = [
        f"{field.model._meta.label}.{field.name}"
        for each in (page, *inlines)
        for field in shown_fields(each, request)
        if field.verbose_name == field.name.replace("_", " ") and field.verbose_name not in SAME_NAME
    ]

    assert nameless == []


def test_translations_are_compiled_when_they_are_new(tmp_path: Path) -> None:
    folder = tmp_path / "pt_BR" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(CATALOG.read_text())

    assert [translations.compile_new(tmp_path), translations.compile_new(tmp_path)] == [1, 0]
    assert b"Aplicar filtros" in (folder / "django.mo").read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["django.mo", "django.po"]


@pytest.mark.parametrize(
    ("model", "page"), sorted(site._registry.items(), key=lambda each: each[0]._meta.label), ids=lambda _: ""
)
@pytest.mark.django_db
def test_filters_name_no_other_store(model: type, page: ModelAdmin, store: Store) -> None:
    StoreFactory(name="Loja Alheia")
    response = browser_of(person(Role.MANAGER, store)).get(page_of(model, "changelist"))

    assert response.status_code in (200, 403)
    assert "Loja Alheia" not in response.content.decode()


@pytest.mark.django_db
def test_filter_by_store_offers_the_readers(store: Store) -> None:
    second = StoreFactory(name="Segunda")
    DeviceFactory(store=second)

    shown = browser_of(person(Role.OWNER, None)).get(page_of(Device, "changelist")).content.decode()

    assert "Segunda" in shown
    assert store.name in shown


@pytest.mark.django_db
def test_first_page_says_what_is_sold_waits_and_runs_out(kiosk: Screen, store: Store, stranger: Screen) -> None:
    sold = ProductFactory(name="Coxinha", price=Decimal("8.00"))
    order_in(Status.READY, kiosk.device, sold)
    order_in(Status.AWAITING_PAYMENT, kiosk.device, sold)
    order_in(Status.FINISHED, stranger.device, ProductFactory(name="Alheio", price=Decimal("100.00")))
    stocked_product(store, 3, name="Quindim")

    shown = browser_of(person(Role.MANAGER, store)).get("/admin/")

    board = shown.context["board"]
    assert [figure.value for figure in board["figures"]] == ["R$ 8,00", "1", "R$ 8,00"]
    assert {figure.label: figure.value for figure in board["states"]} == {
        "Aguardando pagamento": "1",
        "Recebido": "0",
        "Em preparação": "0",
        "Pronto": "1",
    }
    assert [row["name"] for row in board["top"]] == ["Coxinha"]
    assert [level.free for level in board["low"]] == [3]
    assert "Alheio" not in shown.content.decode()


@pytest.mark.django_db
def test_first_page_asks_as_often_for_many_orders_as_for_few(kiosk: Screen, store: Store) -> None:
    client = browser_of(person(Role.MANAGER, store))

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/admin/")
        return len(asked)

    order_in(Status.READY, kiosk.device)
    queries()
    few = queries()
    for _ in range(3):
        order_in(Status.FINISHED, kiosk.device)
    assert queries() == few


@pytest.mark.django_db
def test_cook_sees_no_money_on_the_first_page(kiosk: Screen, store: Store) -> None:
    order_in(Status.READY, kiosk.device)

    shown = browser_of(person(Role.KITCHEN, store)).get("/admin/").content.decode()

    assert "Vendas de hoje" not in shown
    assert not re.search(r"R\$ [0-9]", shown)


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER, Role.CASHIER, Role.KITCHEN, Role.AUDITOR])
@pytest.mark.django_db
def test_side_bar_leads_to_all_pages_one_may_open_and_no_other(role: Role, store: Store) -> None:
    client = browser_of(person(role, store))
    request = client.get("/admin/").wsgi_request
    open_to = {
        page_of(model, "changelist") for model, page in site._registry.items() if page.has_view_permission(request)
    }

    shown = client.get("/admin/").content.decode()

    linked = set(re.findall(r'href="(/admin/[a-z]+/[a-z]+/)"', shown))
    assert linked == open_to

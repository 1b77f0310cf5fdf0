"""The page of the trail: sentences people read, for those who answer for a store or check it, and nothing personal kept."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import trail
from apps.core.actors import Actor, Role
from apps.core.models import AuditEntry, User
from apps.stores.models import Device, StaffRole, Store
from breadmate.trail_page import SENTENCES
from tests.factories import DeviceFactory, ProductFactory, StoreFactory, UserFactory
from tests.trail.conftest import act, browser_of, entries, form_of, page_of, person

pytestmark = pytest.mark.django_db

LIST = "/admin/core/auditentry/"
PROJECT_APPS = ("apps", "breadmate")


def by(user: User) -> Actor:
    return Actor(kind="staff", id=user.pk, grants=frozenset())


def write(user: User, store: Store | None, subject: Any = None, **change: Any) -> None:
    changes = [{"field": "price", "from": "5.00", "to": "6.00"}] if subject is not None else []
    trail.record(
        by=by(user),
        action="catalog.product_changed",
        at=timezone.now(),
        subject=subject,
        store_id=store.pk if store else None,
        changes=changes,
    )


def text(client: Client, query: str = "") -> str:
    response = client.get(f"{LIST}{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_entry_reads_as_a_sentence(desk: Client, store: Store) -> None:
    ana = UserFactory(name="Ana Lima")
    write(ana, store, ProductFactory(name="Coxinha"))

    shown = text(desk)

    assert "Ana Lima" in shown
    assert "mudou produto “Coxinha”" in shown
    assert "preço: 5.00 → 6.00" in shown
    assert store.name in shown


def test_choices_and_personal_columns_in_words(desk: Client, store: Store) -> None:
    role = StaffRole.objects.create(user=UserFactory(), store=store, role="cashier")
    address = page_of(StaffRole, "change", role.pk)
    desk.post(address, {**form_of(desk, address), "role": "manager", "user": str(UserFactory().pk)})

    shown = text(desk)

    assert "papel: caixa → gerente" in shown
    assert "usuário: mudou" in shown


@pytest.mark.parametrize("role", [Role.OWNER, Role.AUDITOR])
def test_reader_of_one_store_sees_its_entries_alone(role: Role, store: Store) -> None:
    other = StoreFactory()
    for where in (store, other, None):
        write(UserFactory(), where)
    reader = browser_of(person(role, store))

    response = reader.get(LIST)

    assert [entry.store_id for entry in response.context["cl"].result_list] == [store.pk]
    assert other.name not in response.content.decode()
    theirs = AuditEntry.objects.get(store_id=other.pk)
    assert reader.get(f"{LIST}{theirs.pk}/change/").status_code == 302


@pytest.mark.parametrize("role", [Role.OWNER, Role.AUDITOR])
def test_reader_of_the_chain_sees_all(role: Role, store: Store) -> None:
    for where in (store, StoreFactory(), None):
        write(UserFactory(), where)
    reader = browser_of(person(role, None))

    assert len(reader.get(f"{LIST}?action=catalog").context["cl"].result_list) == 3


@pytest.mark.parametrize("role", [Role.MANAGER, Role.CASHIER, Role.KITCHEN])
def test_trail_is_for_nobody_else(role: Role, store: Store) -> None:
    write(UserFactory(), store)
    reader = browser_of(person(role, store))
    entry = AuditEntry.objects.first()

    assert reader.get(LIST).status_code == 403
    assert reader.get(f"{LIST}{entry.pk}/change/").status_code == 403


def test_not_even_a_superuser_writes_the_trail(store: Store) -> None:
    write(UserFactory(), store)
    boss = browser_of(UserFactory(is_superuser=True))
    entry = AuditEntry.objects.order_by("id").first()

    assert boss.get(f"{LIST}add/").status_code == 403
    assert boss.post(f"{LIST}{entry.pk}/change/", {"action": "x"}).status_code == 403
    assert boss.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    act(boss, AuditEntry, "delete_selected", entry, post="yes")
    assert AuditEntry.objects.filter(pk=entry.pk, action="catalog.product_changed").exists()


def test_filters_by_person_deed_store_and_row(desk: Client, store: Store) -> None:
    ana, rui, product = UserFactory(name="Ana"), UserFactory(name="Rui"), ProductFactory()
    write(ana, store, product)
    write(rui, None)

    def found(query: str) -> int:
        return len(desk.get(f"{LIST}?{query}").context["cl"].result_list)

    assert found(f"actor_id={ana.pk}") == 1
    assert found(f"store_id={store.pk}") == 1
    assert found("action=catalog") == 2
    assert found("action=orders") == 0
    assert found(f"subject_id__exact={product.pk}") == 1
    assert found(f"q={product.pk}") == 1
    assert found("actor_id=x&store_id=x") >= 2


def test_page_asks_as_often_for_many_entries_as_for_few(desk: Client, store: Store) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            text(desk, "?action=catalog")
        return len(asked)

    write(UserFactory(), store, ProductFactory())
    text(desk)
    few = queries()
    for _ in range(5):
        write(UserFactory(), store, ProductFactory())
    assert queries() == few


def test_subject_that_is_gone_is_still_told(desk: Client, store: Store) -> None:
    device = DeviceFactory(store=store, name="Velho")
    write(UserFactory(), store, device)
    Device.objects.filter(pk=device.pk).delete()

    assert "mudou dispositivo" in text(desk)


def test_person_who_is_renamed_is_told_by_the_new_name(desk: Client, store: Store) -> None:
    ana = UserFactory(name="Ana Antiga")
    write(ana, store)
    User.objects.filter(pk=ana.pk).update(name="Ana Nova")

    shown = text(desk)

    assert "Ana Nova" in shown
    assert "Antiga" not in shown


def test_nothing_personal_is_ever_kept(desk: Client) -> None:
    sent = {"email": "segredo@example.org", "name": "Zulmira Segredo", "is_staff": "on", "is_active": "on"}
    assert desk.post(page_of(User, "add"), sent).status_code == 302
    user = User.objects.get(email="segredo@example.org")
    address = page_of(User, "change", user.pk)
    desk.post(address, {**sent, "email": "outra.segredo@example.org", "name": "Zulmira Nova"})
    desk.post(page_of(StaffRole, "add"), {"user": str(user.pk), "role": "manager"})

    kept = json.dumps([entry.changes for entry in entries()], ensure_ascii=False)

    assert len(entries()) == 3
    assert "segredo" not in kept.lower()
    assert "Zulmira" not in kept
    assert {"field": "email", "changed": True} in entries()[1].changes
    assert {"field": "user", "changed": True} in entries()[2].changes


def test_no_history_table_keeps_a_personal_column() -> None:
    personal = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if hasattr(model, "history_object") or model.__name__.startswith("Historical")
        for field in model._meta.get_fields()
        if field.name in {"email", "phone", "guest_name", "address", "cpf_cipher", "cpf_index", "password"}
    }
    assert personal == set()


def test_history_is_kept_of_menu_prices_stores_and_promotions_only() -> None:
    names = {model.__name__ for model in apps.get_models()}
    kept = {name.removeprefix("Historical") for name in names if name.startswith("Historical")}
    assert kept == {
        *("Category", "Product", "ModifierGroup", "Option", "ProductModifierGroup", "ComboSlot", "SlotChoice"),
        *("StoreProduct", "StoreOption", "Promotion", "Coupon", "Store"),
    }


def test_every_deed_has_a_sentence() -> None:
    project = Path(__file__).resolve().parents[2]
    used = {
        action
        for folder in PROJECT_APPS
        for path in (project / folder).rglob("*.py")
        if path.name not in {"trail_page.py", "dashboard.py"} and "migrations" not in path.parts
        for line in path.read_text().splitlines()
        if re.search(r"record\(|action|orders\.|customers\.|_write\(", line)
        for action in re.findall(
            r'"((?:admin|catalog|inventory|orders|payments|customers|stores|core)\.[a-z_]+)"', line
        )
        if not re.search(r"apps\.|facade|get_model|default_auto", line)
    }
    assert used - SENTENCES.keys() - {"core.auditentry"} == set()

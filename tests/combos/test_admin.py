"""Combos in the back office: made on the product's page, filled on the slot's, seen by every menu."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.catalog.models import ComboSlot, MenuVersion, Product, SlotChoice
from apps.catalog.queries import menu_snapshot
from apps.core.actors import Role
from apps.stores.models import Store
from tests.combos.boxes import combo, slots_of
from tests.factories import ProductFactory, StaffRoleFactory, UserFactory, new_menu


@pytest.fixture
def owner(store: Store) -> Client:
    user = UserFactory()
    StaffRoleFactory(user=user, role=Role.OWNER, store=None)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def rows(page: Any) -> dict[str, Any]:
    """What a browser would send back unchanged."""
    form = page.context["adminform"].form
    sent: dict[str, Any] = {}
    forms = [form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for each in forms:
        for bound in each:
            value = bound.value()
            value = ",".join(value) if isinstance(value, list) else value
            if value is not None and value is not False:
                sent[bound.html_name] = value
    return sent


def product_page(product: Product) -> str:
    return reverse("admin:catalog_product_change", args=[product.id])


def slot_page(slot: ComboSlot) -> str:
    return reverse("admin:catalog_comboslot_change", args=[slot.id])


def version(store: Store) -> int:
    return MenuVersion.objects.get(store=store).value


def sent(client: Client, path: str, model: type, **added: Any) -> Any:
    """Send a page back with one row added to the inline of a model."""
    page = client.get(path)
    inlines = [inline.formset for inline in page.context["inline_admin_formsets"]]
    prefix = next(formset.prefix for formset in inlines if formset.model is model)
    body = rows(page)
    place = int(body[f"{prefix}-TOTAL_FORMS"])
    body |= {f"{prefix}-{place}-{name}": value for name, value in added.items()}
    body[f"{prefix}-TOTAL_FORMS"] = place + 1
    return client.post(path, body)


def test_combo_is_made_on_two_pages_and_every_menu_hears_of_it(owner: Client, store: Store) -> None:
    drink, made = ProductFactory(), ProductFactory(kind="combo")
    new_menu(store)
    first = version(store)

    page = sent(owner, product_page(made), ComboSlot, name="Bebida", position=0)
    assert page.status_code == 302, page.context["errors"]
    (slot,) = slots_of(made)
    page = sent(owner, slot_page(slot), SlotChoice, product=str(drink.id), price_delta="1.50", position=0)
    assert page.status_code == 302, page.context["errors"]

    assert version(store) == first + 2
    (shown,) = menu_snapshot(store.id).products[made.id].slots
    assert [(choice.product.id, str(choice.price_delta)) for choice in shown.choices] == [(drink.id, "1.50")]


def test_single_has_no_slots(owner: Client) -> None:
    single = ProductFactory()

    page = sent(owner, product_page(single), ComboSlot, name="Bebida", position=0)

    assert page.status_code == 200
    assert "Só um combo tem partes" in page.content.decode()
    assert not ComboSlot.objects.exists()


def test_combo_with_slots_does_not_become_a_single(owner: Client) -> None:
    made = combo([ProductFactory()])
    body = rows(owner.get(product_page(made))) | {"kind": "single"}

    page = owner.post(product_page(made), body)

    assert "Só um combo tem partes" in page.content.decode()
    assert Product.objects.get(id=made.id).kind == "combo"


def test_choice_does_not_become_a_combo(owner: Client) -> None:
    drink = ProductFactory()
    combo([drink])
    body = rows(owner.get(product_page(drink))) | {"kind": "combo"}

    page = owner.post(product_page(drink), body)

    assert "é opção de um combo" in page.content.decode()
    assert Product.objects.get(id=drink.id).kind == "single"


@pytest.mark.parametrize(("kind", "delta"), [("combo", "0.00"), ("single", "-20.01")])
def test_choice_that_makes_no_sense_is_refused(kind: str, delta: str, owner: Client) -> None:
    other, made = ProductFactory(kind=kind), combo([ProductFactory()], price="20.00")

    page = sent(owner, slot_page(slots_of(made)[0]), SlotChoice, product=str(other.id), price_delta=delta, position=1)

    assert (page.status_code, SlotChoice.objects.count()) == (200, 1)


def test_slot_stays_in_its_combo(owner: Client) -> None:
    made, other = combo([ProductFactory()]), ProductFactory(kind="combo")
    (slot,) = slots_of(made)
    body = rows(owner.get(slot_page(slot))) | {"product": str(other.id), "name": "Sobremesa"}

    assert owner.post(slot_page(slot), body).status_code == 302

    assert [(each.id, each.name) for each in slots_of(made)] == [(slot.id, "Sobremesa")]

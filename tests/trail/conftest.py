"""People who write, by form and by API, and what the trail says of it."""

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from apps.core.actors import Role
from apps.core.models import AuditEntry, User
from apps.stores.models import Store
from tests.factories import StaffRoleFactory


def person(role: Role, store: Store | None) -> User:
    user: User = StaffRoleFactory(role=role, store=store).user
    return user


def browser_of(user: User) -> Client:
    """A browser in which a person is signed in, without an entry for that."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page_of(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def form_of(client: Client, address: str) -> dict[str, Any]:
    """What a browser would send back if nobody touched the form."""
    response = client.get(address)
    assert response.status_code == 200
    context = response.context
    forms = [context["adminform"].form]
    for formset in context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.initial_forms]
    sent = {}
    for form in forms:
        for field in form:
            value = field.value()
            if value is None or value is False:
                continue
            if isinstance(value, list):
                value = ",".join(str(each) for each in value)
            subfields = getattr(field.field, "fields", None)
            if subfields and hasattr(value, "astimezone"):
                sent[f"{field.html_name}_0"], sent[f"{field.html_name}_1"] = f"{value:%Y-%m-%d}", f"{value:%H:%M:%S}"
            else:
                sent[field.html_name] = str(value)
    return sent


def act(client: Client, model: type, action: str, *rows: Any, **more: str) -> Any:
    sent = {"action": action, ACTION_CHECKBOX_NAME: [str(row.pk) for row in rows], **more}
    return client.post(page_of(model, "changelist"), sent)


def entries() -> list[AuditEntry]:
    """All entries but those of signing in, oldest first."""
    return list(AuditEntry.objects.exclude(action__startswith="stores.sign").order_by("id"))


@pytest.fixture
def chief(store: Store) -> User:
    """An owner of the whole chain."""
    return person(Role.OWNER, None)


@pytest.fixture
def desk(chief: User) -> Client:
    return browser_of(chief)

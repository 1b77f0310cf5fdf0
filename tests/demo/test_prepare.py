"""What a new database is given."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from apps.catalog.models import Category, Product
from apps.core.actors import Role
from breadmate import first_run
from tests.factories import StaffRoleFactory


def shelves() -> list[tuple[str, str]]:
    return list(Category.objects.order_by("position").values_list("slug", "name"))


@pytest.mark.django_db
def test_shop_without_demo_data_begins_with_the_named_categories(settings: Settings) -> None:
    settings.CATEGORIES = ["Lanche", "Sobremesa gelada"]
    call_command("prepare")
    assert shelves() == [("lanche", "Lanche"), ("sobremesa-gelada", "Sobremesa gelada")]
    assert not Product.objects.exists()


@pytest.mark.django_db
def test_what_staff_made_of_the_categories_stays(settings: Settings) -> None:
    call_command("prepare")
    Category.objects.filter(slug="bebida").delete()
    call_command("prepare")
    assert [slug for slug, _ in shelves()] == ["lanche", "acompanhamento", "sobremesa"]


@pytest.mark.django_db
def test_way_in_is_told_until_the_shop_has_an_owner(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    call_command("prepare", demo_file=file)
    assert json.loads(file.read_text()) == {"set_up": first_run.way_in()}
    assert file.stat().st_mode & 0o077 == 0

    StaffRoleFactory(role=Role.OWNER, store=None)
    call_command("prepare", demo_file=file)

    assert json.loads(file.read_text()) == {}

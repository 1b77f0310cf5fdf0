"""What a new database is given."""

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from apps.catalog.models import Category, Product


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

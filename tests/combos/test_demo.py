"""The demo shop's combos make sense."""

import pytest
from django.utils import timezone

from apps.catalog.queries import menu_snapshot
from apps.stores.models import Store
from breadmate import demo
from breadmate.demo_menu import COMBOS
from breadmate.settings import BASE_DIR


@pytest.fixture
def shops(db: None) -> list[Store]:
    demo.seed(timezone.now())
    return list(Store.objects.all())


def test_combos_come_first_and_can_all_be_had(shops: list[Store]) -> None:
    for shop in shops:
        first = menu_snapshot(shop.id).categories[0]

        assert (first.slug, [each.slug for each in first.products]) == ("combo", [combo.slug for combo in COMBOS])
        assert [each.unavailable_until(timezone.now()) for each in first.products] == [(False, None)] * len(COMBOS)


def test_no_combo_is_dearer_than_its_things_one_by_one(shops: list[Store]) -> None:
    for shop in shops:
        for combo in menu_snapshot(shop.id).categories[0].products:
            apart = sum(min(each.product.price - each.price_delta for each in slot.choices) for slot in combo.slots)
            assert combo.price < apart, combo.slug


def test_each_combo_has_its_picture() -> None:
    assert [combo.slug for combo in COMBOS if not (BASE_DIR / "static" / "art" / f"{combo.slug}.svg").is_file()] == []

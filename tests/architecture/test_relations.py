"""Foreign keys point down the order of the apps, also those named by a string."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models

ORDER = [
    {"kiosk", "kitchen", "counter"},
    {"payments"},
    {"orders"},
    {"inventory", "promotions"},
    {"catalog", "customers"},
    {"stores"},
    {"core"},
]
HEIGHT = {label: len(ORDER) - level for level, labels in enumerate(ORDER) for label in labels}


def relations() -> Iterator[tuple[models.Model, models.Field]]:
    for model in apps.get_models():
        if model._meta.app_label in HEIGHT:
            for field in model._meta.get_fields():
                if field.is_relation and not field.auto_created:
                    yield model, field


def sentence(model: type[models.Model], field: models.Field) -> str:
    return f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"


def test_every_app_with_models_has_its_place() -> None:
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    assert ours == HEIGHT.keys() & ours


def test_relations_point_down_or_stay_inside() -> None:
    upward = [
        sentence(model, field)
        for model, field in relations()
        if field.related_model._meta.app_label in HEIGHT
        and HEIGHT[field.related_model._meta.app_label] >= HEIGHT[model._meta.app_label]
        and field.related_model._meta.app_label != model._meta.app_label
    ]
    assert upward == []


def test_relations_across_apps_leave_no_trace_below() -> None:
    named = [
        sentence(model, field)
        for model, field in relations()
        if field.related_model._meta.app_label in HEIGHT
        and field.related_model._meta.app_label != model._meta.app_label
        and field.remote_field.related_name != "+"
    ]
    assert named == []


def test_only_accounts_are_tied_to_django_itself() -> None:
    outside = [
        sentence(model, field) for model, field in relations() if field.related_model._meta.app_label not in HEIGHT
    ]
    assert sorted(outside) == ["core.User.groups -> auth.Group", "core.User.user_permissions -> auth.Permission"]


@pytest.mark.parametrize("model", ["core.StoredEvent", "core.Receipt", "core.FailedDelivery", "core.IdempotencyKey"])
def test_core_points_at_nothing(model: str) -> None:
    assert [field.name for field in apps.get_model(model)._meta.get_fields() if field.is_relation] == []

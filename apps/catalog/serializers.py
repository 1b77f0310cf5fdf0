"""What clients may send about the menu."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.models import STATIONS
from apps.core.facade import StrictCharField, StrictIntegerField, StrictSerializer

MONEY = re.compile(r"[0-9]{1,6}\.[0-9]{2}")
SMALL = 32_767


@extend_schema_field({"type": "string", "format": "decimal", "example": "12.50"})
class MoneyField(serializers.Field[Decimal, Any, str, Any]):
    """BRL as a JSON string with exactly two decimals; never negative, never a number."""

    default_error_messages = {"invalid": 'Use um texto com duas casas, como "12.50".'}

    def to_internal_value(self, data: Any) -> Decimal:
        """Read it without going through a float."""
        if not isinstance(data, str) or not MONEY.fullmatch(data):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        """Write it the same way."""
        return f"{value:.2f}"


class StrictBooleanField(serializers.BooleanField):
    """A JSON true or false, nothing that only looks like one."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse words and numbers."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class CategorySerializer(StrictSerializer):
    """A category as owners say it."""

    name = StrictCharField(max_length=60)
    slug = serializers.SlugField(max_length=50, required=False)
    position = StrictIntegerField(min_value=0, max_value=SMALL, default=0)


class ProductSerializer(StrictSerializer):
    """The chain's fields of a product as owners say them."""

    category = serializers.UUIDField()
    name = StrictCharField(max_length=80)
    slug = serializers.SlugField(max_length=50, required=False)
    description = StrictCharField(max_length=300, allow_blank=True, default="")
    price = MoneyField()
    station = serializers.ChoiceField(choices=STATIONS, default="balcao")
    prep_minutes = StrictIntegerField(min_value=0, max_value=24 * 60, default=0)
    allergens = serializers.ListField(child=serializers.SlugField(max_length=50), max_length=30, default=list)
    tags = serializers.ListField(child=serializers.SlugField(max_length=50), max_length=30, default=list)
    needs_release = StrictBooleanField(default=False)
    position = StrictIntegerField(min_value=0, max_value=SMALL, default=0)
    modifier_groups = serializers.ListField(child=serializers.UUIDField(), max_length=20, default=list)


class StoreTermsSerializer(StrictSerializer):
    """What differs for a product at one store; ``price`` null means the chain's."""

    price = MoneyField(allow_null=True, required=False)
    sold_here = StrictBooleanField(required=False)


class PauseSerializer(StrictSerializer):
    """For how long something is not to be had: some hours, or until a moment."""

    hours = serializers.ChoiceField(choices=[1, 2, 4], required=False)
    until = serializers.DateTimeField(required=False)

    def validate_hours(self, hours: Any) -> int:
        """Refuse text and true, which a choice takes for a number."""
        if type(self.initial_data.get("hours")) is not int:
            raise serializers.ValidationError("Use 1, 2 ou 4.", code="invalid_choice")
        return int(hours)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for exactly one of the two, and for a moment still to come."""
        if len(attrs) != 1:
            raise serializers.ValidationError({"hours": "Informe hours ou until, um dos dois."}, code="invalid")
        if "until" in attrs and attrs["until"] <= timezone.now():
            raise serializers.ValidationError({"until": "Informe um momento que ainda vem."}, code="invalid")
        return attrs

    def end(self, at: datetime) -> datetime:
        """Return when it may be had again."""
        until: datetime | None = self.validated_data.get("until")
        return until or at + timedelta(hours=self.validated_data["hours"])


class ListQuerySerializer(serializers.Serializer[Any]):
    """How a list of products is narrowed; ``cursor`` and ``page_size`` belong to paging."""

    q = serializers.CharField(max_length=60, allow_blank=True, default="")
    category = serializers.CharField(max_length=50, allow_blank=True, default="")
    store = serializers.UUIDField(required=False)

"""Serializers that take nothing on faith: unknown fields and look-alike numbers are refused."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses every field it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        """Check the names before the values."""
        if isinstance(data, dict):
            unknown = sorted(str(name) for name in data.keys() - self.fields.keys())
            if unknown:
                raise serializers.ValidationError(
                    {name[:60]: [ErrorDetail("Campo desconhecido.", code="unknown_field")] for name in unknown[:20]}
                )
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """A JSON integer: no text, no fraction, no true or false."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse anything that only looks like a number."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """A JSON string; numbers are not turned into text."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse anything but a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))

"""Serializers that take nothing on faith: unknown fields and look-alike numbers are refused."""

import unicodedata
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


class LineField(StrictCharField):
    """One line of text as others will read it: one spelling (NFC), single spaces, nothing that hides or turns text."""

    HIDDEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
    TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")

    def to_internal_value(self, data: Any) -> str:
        """Refuse what cannot be seen; line breaks are spaces."""
        text = unicodedata.normalize("NFC", " ".join(super().to_internal_value(data).split()))
        if any(unicodedata.category(letter) in self.HIDDEN or letter in self.TURNING for letter in text):
            self.fail("invalid")
        return text

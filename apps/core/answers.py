"""The words in which each app's ``answers`` tells the API's schema what is answered.

Answers are built by hand, for speed; what stands in ``answers`` is only ever read for the schema, and tests hold real answers
against it.
"""

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

REFUSALS = "x-refusals"

REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    description="There when this is the stored answer to an earlier request with the same key.",
    response=[201, 202],
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1 to 64 printable ASCII characters of the caller's own; kept for 24 h.",
    required=True,
)


class Shape(serializers.Serializer[Any]):
    """What an answer, or a part of one, looks like."""


class AnyOf(Shape):
    """One of several shapes, the fullest first; which one depends on who asks."""

    shapes: ClassVar[tuple[type[Shape], ...]] = ()


class Page(Shape):
    """A page of a list."""

    next = serializers.URLField(allow_null=True, help_text="Where the page that follows is; null after the last.")
    previous = serializers.URLField(allow_null=True)


@extend_schema_field({"type": "string", "format": "decimal", "pattern": r"^-?\d+\.\d{2}$", "example": "12.50"})
class Money(serializers.Field[Any, Any, Any, Any]):
    """BRL with exactly two decimals."""


def refuses(*codes: str) -> dict[str, Any]:
    """Return what ``extend_schema`` takes as ``extensions``: the codes an operation refuses with, besides those of all."""
    return {REFUSALS: list(codes)}

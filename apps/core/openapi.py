"""How the API's schema writes a shape that is one of several."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from apps.core.answers import AnyOf


class AnyOfExtension(OpenApiSerializerExtension):
    """Writes ``anyOf``: what fits a shape fits another that only lacks some of its fields, so it is not ``oneOf``."""

    target_class = AnyOf
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Name the shapes."""
        refs = [auto_schema.resolve_serializer(shape, direction).ref for shape in self.target.shapes]
        return {"description": type(self.target).__doc__, "anyOf": refs}

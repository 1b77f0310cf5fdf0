"""The API's description of itself, as programs and its own page ask for it."""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request


class SchemaView(SpectacularAPIView):
    """The same for all who ask, and a third of a second's work: a process makes each of its forms once."""

    made: ClassVar[dict[str, str | bytes]] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer YAML or JSON."""
        renderer = request.accepted_renderer
        form = renderer.media_type
        if form not in self.made:
            self.made[form] = renderer.render(self.generator_class().get_schema(public=True), form, {})
        return HttpResponse(self.made[form], content_type=f"{form}; charset=utf-8")

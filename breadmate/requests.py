"""The request as this project reads it: parameters are UTF-8, whatever its ``Content-Type`` says of the body.

Django takes the encoding named there for the query too. Python knows encodings that are not text, and fails with them while
the request is being made, which is before any middleware could answer.
"""

from typing import Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest
from django.utils.http import parse_header_parameters


class _Utf8(HttpRequest):
    """Keeps the media type and its parameters, and never an encoding. What cannot be read is no media type at all."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):
            self.content_type, self.content_params = "", {}


class WebRequest(_Utf8, WSGIRequest):
    """One request to the web process."""


class StreamRequest(_Utf8, ASGIRequest):
    """One request to the stream process."""


class WebHandler(WSGIHandler):
    """Django's own, with our request."""

    request_class = WebRequest


class StreamHandler(ASGIHandler):
    """Django's own, with our request."""

    request_class = StreamRequest

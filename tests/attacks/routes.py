"""Every route of the program with its methods, as the URLconf says, and the file that says who may call each."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

TABLE = Path(__file__).resolve().parents[1] / "access.toml"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WEBHOOK = "/api/v1/payments/webhook"
WEB, STREAMS = "breadmate.urls", "breadmate.stream_urls"


def table() -> dict[str, dict[str, str]]:
    """Read the file: lines by section."""
    return tomllib.loads(TABLE.read_text())


NAMED = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


def walk(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return every pattern with its view; regular expressions without their anchors and with their parts by name."""
    for pattern in patterns:
        route = prefix + NAMED.sub(r"<\1>", str(pattern.pattern)).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        else:
            yield f"/{route}", pattern.callback


def routes(urlconf: str) -> dict[str, Any]:
    """Return the views of a process by route, those that a middleware answers too."""
    return dict(walk(get_resolver(urlconf).url_patterns)) | ({WEBHOOK: None} if urlconf == WEB else {})


def methods_of(view: Any) -> tuple[str, ...] | None:
    """Return which methods a view of the API has; None for a function, which has to be asked."""
    cls = getattr(view, "cls", None)
    return tuple(method for method in METHODS if hasattr(cls, method.lower())) if cls is not None else None

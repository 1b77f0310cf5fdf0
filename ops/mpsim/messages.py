"""What goes in and out of the simulator's HTTP server."""

from dataclasses import dataclass, field
from typing import Literal

from ops.mpsim.errors import ApiError
from ops.mpsim.wire import dumps


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One response; ``cut`` breaks the connection instead: by a reset, or in silence after ``hold_seconds``."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cut: Literal["reset", "silence"] | None = None
    hold_seconds: float = 0.0


def json_answer(status: int, body: object) -> Answer:
    """Answer with JSON."""
    return Answer(status, dumps(body))


def error_answer(error: ApiError) -> Answer:
    """Answer with a refusal."""
    return json_answer(error.status, error.body())


def older_error_answer(error: ApiError) -> Answer:
    """Answer with a refusal in the form of the older endpoints."""
    return json_answer(error.status, error.older_body())


def not_found(path: str) -> Answer:
    """Answer for a path that is not emulated."""
    body = {"message": f"{path} not found", "error": "not_found", "status": 404, "cause": []}
    return json_answer(404, body)

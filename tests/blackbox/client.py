"""A client from outside: nothing but HTTP."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

TIMEOUT_SECONDS = 15


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw) if self.raw.strip() else None


@dataclass(frozen=True)
class Caller:
    """Somebody who calls one server, with a token or without."""

    base_url: str
    token: str = ""
    scheme: str = "Device"

    def call(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Reply:
        sent = {"Accept": "application/json", **(headers or {})}
        if self.token:
            sent["Authorization"] = f"{self.scheme} {self.token}"
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(f"{self.base_url}{path}", data=data, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return Reply(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, dict(error.headers), error.read())

    def get(self, path: str, **kwargs: Any) -> Reply:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, *, key: str = "", **kwargs: Any) -> Reply:
        return self.call("POST", path, {} if body is None else body, headers={"Idempotency-Key": key} if key else None)

    def patch(self, path: str, body: Any) -> Reply:
        return self.call("PATCH", path, body)

    @contextmanager
    def events(self, path: str) -> Iterator[Iterator[tuple[str, Any]]]:
        """Open a live stream and yield its events as (name, data)."""
        headers = {"Authorization": f"{self.scheme} {self.token}"} if self.token else {}
        request = urllib.request.Request(f"{self.base_url}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as stream:
            yield parse_events(stream)


def parse_events(stream: Any) -> Iterator[tuple[str, Any]]:
    """Read SSE."""
    name = ""
    for line in stream:
        text = line.decode().rstrip("\n")
        if text.startswith("event: "):
            name = text.removeprefix("event: ")
        elif text.startswith("data: "):
            yield name, json.loads(text.removeprefix("data: "))


def new_key() -> str:
    return str(uuid4())


def product(menu: Any, slug: str) -> Any:
    """Find one product in a menu document."""
    return next(p for category in menu["categories"] for p in category["products"] if p["slug"] == slug)


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Wait until a condition gives something true, and return that."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.1)
    return found

"""Planned trouble: requests that fail before they take effect, or whose answer is lost after."""

import re
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus

from ops.mpsim.errors import bad_value
from ops.mpsim.messages import Answer, json_answer

PHASES = ("before", "after")
UNAVAILABLE = 503
KINDS = ("status", "timeout", "reset", "slow", "badjson", "html")


@dataclass(slots=True)
class Fault:
    """One rule: the next ``times`` requests whose ``METHOD /path`` matches get the fault.

    ``before``: the request has no effect. ``after``: its effect is kept and only the answer is spoilt.
    ``slow`` delays the work (its idempotency key stays locked meanwhile) or, after, the answer.
    With ``for_s`` the rule is over after so many seconds, whatever is left of it.
    """

    match: str
    times: int = 1
    phase: str = "before"
    do: str = "status"
    status: int = UNAVAILABLE
    headers: dict[str, str] = field(default_factory=dict)
    delay_ms: int = 0
    for_s: float = 0
    planned_at: float = field(default_factory=time.monotonic, repr=False)

    @property
    def has_turns(self) -> bool:
        """Tell whether it still happens."""
        return self.times > 0 and not (self.for_s and time.monotonic() - self.planned_at > self.for_s)

    def __post_init__(self) -> None:
        if self.for_s < 0:
            raise bad_value("for_s is 0 or more", "for_s")
        if self.phase not in PHASES:
            raise bad_value(f"phase is one of {', '.join(PHASES)}", "phase")
        if self.do not in KINDS:
            raise bad_value(f"do is one of {', '.join(KINDS)}", "do")
        try:
            re.compile(self.match)
        except re.error as error:
            raise bad_value(f"match is not a regular expression: {error}", "match") from None

    def spoil(self, answer: Answer | None) -> Answer:
        """Return what the client gets in place of ``answer`` (None: there is none, nothing was done)."""
        match self.do:
            case "timeout":
                return Answer(0, cut="silence", hold_seconds=(self.delay_ms or 30_000) / 1000)
            case "reset":
                return Answer(0, cut="reset")
            case "badjson":
                whole = answer.body if answer else b'{"id":"ORD01","status":"created"}'
                return Answer(answer.status if answer else 200, whole[: len(whole) // 2], headers=self.headers)
            case "html":
                page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
                status = 502 if self.status == UNAVAILABLE else self.status
                return Answer(status, page, content_type="text/html", headers=self.headers)
            case _:
                text = HTTPStatus(self.status).phrase.lower() if self.status in set(HTTPStatus) else "error"
                plain = json_answer(self.status, {"message": text, "status": self.status})
                return Answer(plain.status, plain.body, headers=self.headers)


class Faults:
    """The planned faults, taken in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        """Plan some more."""
        with self._lock:
            self._faults.extend(faults)

    def take(self, method: str, path: str) -> Fault | None:
        """Use up one turn of the first fault that matches."""
        with self._lock:
            for fault in self._faults:
                if fault.has_turns and re.search(fault.match, f"{method} {path}"):
                    fault.times -= 1
                    return fault
        return None

    def left(self) -> list[Fault]:
        """Return the faults that have turns left."""
        with self._lock:
            return [fault for fault in self._faults if fault.has_turns]

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._faults.clear()


class RateLimit:
    """A bucket that refills with ``per_second`` requests and holds one second's worth."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = 0.0
        self._filled_at = 0.0

    def allows(self, per_second: float) -> bool:
        """Take one request out of the bucket, unless it is empty."""
        with self._lock:
            now = time.monotonic()
            size = max(1.0, per_second)
            self._tokens = min(size, self._tokens + (now - self._filled_at) * per_second)
            self._filled_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

"""The id that ties one request to its log lines and events."""

import logging
import re
from contextvars import ContextVar
from uuid import uuid4

current: ContextVar[str] = ContextVar("request_id", default="-")

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def take(offered: str | None) -> str:
    """Adopt the caller's id when it is a sane token, else make one; remember it for this context."""
    request_id = offered if offered and SANE.fullmatch(offered) else uuid4().hex
    current.set(request_id)
    return request_id


class LogFilter(logging.Filter):
    """Puts the request id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record."""
        record.request_id = current.get()
        return True

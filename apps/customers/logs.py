"""Keeps CPFs and CNPJs out of every log line, whatever wrote them."""

import logging
import re
from typing import Any

SCRUBBED = "[cpf]"
SHORTEST = 11
_BETWEEN = r"(?:[.\-/ ]|%2[DEF0def]|\\u002[dDfF])?"
_UNSPLIT = r"(?<![0-9])"
_END = r"(?![0-9])"
PATTERN = re.compile(
    # Ids of ours are kept whole: a run of digits inside one is not a CPF.
    r"(?P<id>(?<![0-9A-Za-z])(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})(?![0-9A-Za-z]))"
    rf"|{_UNSPLIT}\d{{3}}{_BETWEEN}\d{{3}}{_BETWEEN}\d{{3}}{_BETWEEN}\d{{2}}{_END}"
    rf"|{_UNSPLIT}\d{{2}}{_BETWEEN}\d{{3}}{_BETWEEN}\d{{3}}{_BETWEEN}\d{{4}}{_BETWEEN}\d{{2}}{_END}"
    # CNPJs given since 2026 have letters too; without their punctuation they look like any other word.
    r"|(?<![0-9A-Za-z])[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}(?:/|%2[Ff])[0-9A-Z]{4}-\d{2}(?!\d)",
    re.ASCII,
)
STANDARD = frozenset(logging.makeLogRecord({}).__dict__) - {"msg", "args", "exc_text", "stack_info"}
DEEPEST = 6

_formatter = logging.Formatter()


def scrub(text: str) -> str:
    """Return the text with every 11- or 14-digit run, formatted or not, replaced."""
    if len(text) < SHORTEST:
        return text
    return PATTERN.sub(lambda found: found[0] if found["id"] else SCRUBBED, text)


class ScrubCpf(logging.Filter):
    """Rewrites records on their way into a handler: message, traceback, stack and whatever was added to them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a wrong format must not print its arguments either
            message = f"{record.msg!s} {record.args!r}"
        record.msg, record.args = scrub(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = _formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = scrub(record.exc_text)
        if record.stack_info:
            record.stack_info = scrub(record.stack_info)
        for name in record.__dict__.keys() - STANDARD - {"msg", "args", "exc_text", "stack_info"}:
            record.__dict__[name] = _scrubbed(record.__dict__[name], DEEPEST)
        return True


def _scrubbed(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, bool) or depth == 0:
        return value
    if isinstance(value, int):
        return SCRUBBED if scrub(str(value)) == SCRUBBED else value
    if isinstance(value, dict):
        return {_scrubbed(key, depth - 1): _scrubbed(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(inner, depth - 1) for inner in value]
    return value

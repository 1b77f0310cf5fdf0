"""How a log record is written: always one line, whatever is in it."""

import logging
import re
from datetime import UTC, datetime
from typing import Any

import orjson

# Postgres repeats the row in these lines of its messages.
_ROW = re.compile(r"(DETAIL|CONTEXT|LINE \d+|parameters): .*")


def without_rows(text: str) -> str:
    """Return a message or traceback without the values that Postgres quotes."""
    return _ROW.sub(lambda found: f"{found[1]}: …", text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for machines: time, level, logger, message, request_id, then what the record brought."""

    def format(self, record: logging.LogRecord) -> str:
        """Write it."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_rows(record.getMessage()),
            "request_id": getattr(record, "request_id", "-"),
            **getattr(record, "fields", {}),
        }
        trace = _trace(self, record)
        if trace:
            told["trace"] = without_rows(trace)
        try:
            return _dumped(told)
        except orjson.JSONEncodeError:  # a lone surrogate, most likely
            return _dumped(_whole_characters(told))


class LineFormatter(logging.Formatter):
    """One line, for people; only a traceback takes more."""

    def format(self, record: logging.LogRecord) -> str:
        """Write it."""
        time = datetime.fromtimestamp(record.created).astimezone().isoformat(sep=" ", timespec="milliseconds")
        message = _whole_characters(without_rows(record.getMessage())).replace("\r", "\\r").replace("\n", "\\n")
        line = f"{time} {record.levelname} {record.name} [{getattr(record, 'request_id', '-')}] {message}"
        trace = _trace(self, record)
        return f"{line}\n{_whole_characters(without_rows(trace))}" if trace else line


def _dumped(told: Any) -> str:
    return orjson.dumps(told, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = [record.exc_text or (formatter.formatException(record.exc_info) if record.exc_info else "")]
    parts.append(record.stack_info or "")
    return "\n".join(part for part in parts if part)


def _whole_characters(value: Any) -> Any:
    """Replace lone surrogates, which orjson refuses."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole_characters(inner) for inner in value]
    return value

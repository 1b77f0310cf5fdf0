"""The log: one line a record, one record a request, nothing in it that was only meant for us."""

import json
import logging

import pytest
from django.db import IntegrityError
from django.test import Client

from apps.core.log_format import JsonFormatter, LineFormatter
from apps.core.request_log import RequestLogMiddleware
from tests.fixtures import Screen

ID = "01936f00-0000-7000-8000-000000000000"


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("shop", logging.WARNING, "file.py", 1, message, args, None)
    made.__dict__.update({"request_id": "r-1", **extra})
    return made


def with_fault(text: str) -> logging.LogRecord:
    made = record("it failed")
    error = IntegrityError(text)
    made.exc_info = (IntegrityError, error, None)
    return made


def requests_in(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "breadmate.requests"]


def test_json_line_has_the_agreed_names() -> None:
    told = json.loads(JsonFormatter().format(record("hello %s", "you", fields={"status": 200, "store": None})))
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "WARNING",
        "logger": "shop",
        "message": "hello you",
        "request_id": "r-1",
        "status": 200,
        "store": None,
    }


@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()])
@pytest.mark.parametrize("text", ["a\nINFO forged", "a\r\nb", "a\rb", "\u2028x", "half \ud800 a character"])
def test_record_is_one_line(formatter: logging.Formatter, text: str) -> None:
    for line in (formatter.format(record("%s", text)), formatter.format(record(text))):
        assert "\n" not in line
        assert "\r" not in line
        assert line.encode()


def test_json_trace_is_one_line() -> None:
    told = JsonFormatter().format(with_fault("broken"))
    assert "\n" not in told
    assert "IntegrityError: broken" in json.loads(told)["trace"]


@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()])
def test_rows_that_postgres_quotes_are_left_out(formatter: logging.Formatter) -> None:
    text = 'duplicate key value violates "user_email"\nDETAIL:  Key (email)=(ana@example.org) already exists.'
    assert "ana@example.org" not in formatter.format(with_fault(text))
    assert "ana@example.org" not in formatter.format(record("refused: %s", text))
    assert "user_email" in formatter.format(with_fault(text))


def test_request_is_told_once_with_its_route_and_caller(kiosk: Screen, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    kiosk.get(f"/orders/{ID}?secret=sesame")
    (line,) = requests_in(caplog)
    fields = dict(line.__dict__["fields"])
    assert fields.pop("milliseconds") > 0
    assert fields == {
        "method": "GET",
        "route": "api/v1/orders/<uuid:order_id>",
        "status": 404,
        "principal": "device",
        "store": str(kiosk.store.id),
    }


def test_neither_path_query_body_nor_token_is_told(kiosk: Screen, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kiosk.post("/orders/quote?secret=in-query", {"secret": "in-body"}, key="in-key")
    kiosk.client.get("/api/v1/in-path")
    kiosk.client.get("/t/in-token/")
    kiosk.client.get("/api/v1/menu", headers={"Host": "in-host"})
    written = "\n".join(JsonFormatter().format(line) for line in caplog.records)
    assert written.count("milliseconds") == 4
    for secret in ("in-query", "in-body", "in-key", "in-path", "in-token", "in-host", kiosk.token, ID):
        assert secret not in written


def test_unmatched_and_refused_requests_are_told_too(
    db: None, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.get("/nothing-here")
    client.post("/api/v1/orders", b"x" * 70_000, content_type="application/json")
    told = [(line.__dict__["fields"]["route"], line.__dict__["fields"]["status"]) for line in requests_in(caplog)]
    assert told == [("-", 404), ("-", 413)]


def test_page_is_told_without_asking_who_reads_it(
    kiosk: Screen, client: Client, django_assert_num_queries: object
) -> None:
    """The line must not cost the query that finds out who is signed in."""
    client.cookies["sessionid"] = "x" * 32
    with django_assert_num_queries(1):  # type: ignore[operator]  # the page's own look for an order
        client.get("/t/abc/")


def test_streams_tell_too() -> None:
    assert RequestLogMiddleware.async_capable

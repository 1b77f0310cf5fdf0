"""Refusals: always a problem document, never HTML, a trace or an echo."""

from typing import Any

import pytest
from django.test import Client

from apps.core.actors import Role
from apps.stores.models import Store
from tests.fixtures import Reply, Screen

CHECKOUT = "/api/v1/orders/checkout"
MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


def call(kiosk: Screen, raw: bytes, content_type: str = "application/json", **headers: str) -> Reply:
    headers = {"Idempotency-Key": "k", **headers}
    return Reply(kiosk.client.generic("POST", CHECKOUT, raw, content_type, headers=headers))


def test_stranger_is_told_how_to_identify(db: None) -> None:
    reply = Reply(Client().get("/api/v1/orders"))

    assert reply.code == (401, "not_authenticated")
    assert reply.response["WWW-Authenticate"] == "Device"
    assert set(reply.body) == MEMBERS


@pytest.mark.parametrize("header", ["Device x", "Device " + "x" * 5000, "Device é", "Bearer x", "Device", "Basic eDp4"])
def test_wrong_token_is_refused(header: str, db: None) -> None:
    reply = Reply(Client().get("/api/v1/orders", headers={"Authorization": header.encode().decode("latin-1")}))

    assert reply.code == (401, "not_authenticated")


def test_device_of_the_wrong_kind_is_refused(panel: Screen) -> None:
    assert panel.checkout({}).code == (403, "permission_denied")


@pytest.mark.parametrize("path", ["/nowhere", "/orders/1", "/orders/00000000-0000-0000-0000-000000000000/x"])
def test_unknown_path_is_a_problem(path: str, kiosk: Screen) -> None:
    assert kiosk.get(path).code == (404, "not_found")


@pytest.mark.parametrize(("method", "path"), [("PUT", "/orders"), ("DELETE", "/menu"), ("GET", "/orders/checkout")])
def test_wrong_method_names_the_right_ones(method: str, path: str, kiosk: Screen) -> None:
    reply = kiosk.send(method, path)

    assert reply.code == (405, "method_not_allowed")
    assert method not in reply.response["Allow"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"],
)
def test_wrong_media_type_is_refused(content_type: str, kiosk: Screen) -> None:
    assert call(kiosk, b"a=1", content_type).code == (415, "unsupported_media_type")


def test_wrong_accept_is_refused(kiosk: Screen) -> None:
    assert kiosk.get("/orders", Accept="text/html").code == (406, "not_acceptable")


BROKEN: dict[str, bytes] = {
    "cut": b'{"items": [',
    "empty": b"",
    "NaN": b'{"expected_total": NaN}',
    "5000 digits": b'{"items": ' + b"9" * 5000 + b"}",
    "not UTF-8": b'{"guest_name": "\xff"}',
    "lone surrogate": b'{"guest_name": "\\ud800"}',
    "lone surrogate in a name": b'{"\\ud800": 1}',
    "NUL": b'{"guest_name": "\\u0000"}',
    "deep within bounds": b'{"items": ' + b"[" * 500 + b"]" * 500 + b"}",
    "deep": b"[" * 20_000,
    "deep in a field": b'{"items": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "name twice": b'{"dining_option": "eat_in", "dining_option": "take_out"}',
    "BOM": b"\xef\xbb\xbf{}",
    "5,000 names": b"{" + b",".join(b'"%d":0' % n for n in range(5000)) + b"}",
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_body_is_refused(case: str, kiosk: Screen) -> None:
    reply = call(kiosk, BROKEN[case])

    assert reply.code == (400, "invalid")
    assert len(reply.response.content) < 4096


@pytest.mark.parametrize("charset", ["zzz", "utf-16", "latin-1"])
def test_other_charset_is_refused(charset: str, kiosk: Screen) -> None:
    assert call(kiosk, b"{}", f"application/json; charset={charset}").code == (400, "invalid")


def test_body_beyond_64_kib_is_refused(kiosk: Screen) -> None:
    assert call(kiosk, b'"' + b"x" * 70_000 + b'"').code == (413, "too_large")


def test_refusal_does_not_echo_what_was_sent(kiosk: Screen) -> None:
    reply = kiosk.checkout({"x" * 5000: 1, "<script>alert(1)</script>" * 50: 2})

    assert reply.code == (400, "invalid")
    assert len(reply.response.content) < 1500


@pytest.mark.parametrize("path", ["/orders", "/orders/"])
def test_path_answers_with_and_without_a_slash(path: str, kiosk: Screen) -> None:
    assert kiosk.get(path).status == 200


@pytest.mark.parametrize("offered", ["abc", "A-1.b_2", "x" * 64])
def test_sane_request_id_comes_back(offered: str, kiosk: Screen) -> None:
    assert kiosk.get("/orders", **{"X-Request-ID": offered}).response["X-Request-ID"] == offered


@pytest.mark.parametrize("offered", ["", "x" * 65, "a b", "a;b", "é", "<script>", "a\tb"])
def test_insane_request_id_is_replaced(offered: str, store: Store) -> None:
    reply: Any = Screen(store, Role.BOARD).get("/nowhere", **{"X-Request-ID": offered})

    made = reply.response["X-Request-ID"]
    assert made != offered
    assert (len(made), made.isalnum()) == (32, True)
    assert reply.body["request_id"] == made


def test_every_request_gets_an_id_of_its_own(kiosk: Screen) -> None:
    ids = {kiosk.get("/orders").response["X-Request-ID"] for _ in range(3)}

    assert len(ids) == 3

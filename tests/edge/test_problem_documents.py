"""Every error below /api/ is a problem document; pages answer with a page."""

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest
from django.test import Client, RequestFactory
from psycopg_pool import PoolTimeout

from apps.core import health
from apps.stores import queries
from breadmate.requests import WebRequest
from tests.fixtures import Reply, Screen

ID = "01936f00-0000-7000-8000-000000000000"


@pytest.fixture
def web() -> Client:
    """Somebody without a credential, who gets what a fault answers instead of the fault."""
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v2/menu",
        "/api/v1/orders/not-an-id",
        f"/api/v1/orders/{ID}/nothing",
        "/api/v1/%ff%fe",
        "/api/v1/%zz",
        "/api/v1/%",
        "/api/v1/../../etc/passwd",
        "/api/v1/metrics",
        "/api//v1/menu",
    ],
)
def test_unknown_path_is_404(db: None, web: Client, path: str) -> None:
    assert Reply(web.get(path)).code == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/orders/checkout", "POST, OPTIONS"),
        ("PUT", "/api/v1/orders/checkout", "POST, OPTIONS"),
        ("TRACE", "/api/v1/orders/checkout", "POST, OPTIONS"),
        ("POST", "/api/v1/orders", "GET, HEAD, OPTIONS"),
        ("BREW", "/api/v1/orders", "GET, HEAD, OPTIONS"),
    ],
)
def test_wrong_method_is_405_with_allow(kiosk: Screen, method: str, path: str, allowed: str) -> None:
    reply = Reply(kiosk.client.generic(method, path))
    assert reply.code == (405, "method_not_allowed")
    assert reply.response["Allow"] == allowed


def test_wrong_method_on_a_plain_view_is_405_with_allow(db: None, web: Client) -> None:
    reply = Reply(web.get("/api/v1/payments/webhook"))
    assert reply.code == (405, "method_not_allowed")
    assert reply.response["Allow"] == "POST"


def test_other_formats_are_406(kiosk: Screen) -> None:
    assert kiosk.get("/orders", Accept="text/html").code == (406, "not_acceptable")


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "127.0.0.1:x", "a b", "[::1"])
def test_other_hosts_are_400(kiosk: Screen, host: str) -> None:
    assert kiosk.get("/orders", Host=host).code == (400, "invalid")


def test_forwarded_host_changes_nothing(kiosk: Screen) -> None:
    reply = kiosk.get("/orders", **{"X-Forwarded-Host": "evil.example"})
    assert (reply.status, b"evil" in reply.response.content) == (200, False)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8000.evil.example"])
def test_other_origins_are_told_nothing(kiosk: Screen, origin: str) -> None:
    reply = kiosk.get("/orders", Origin=origin)
    assert not [name for name in reply.response.headers if name.lower().startswith("access-control")]


def test_cookie_without_csrf_token_is_403(kiosk: Screen) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["bm_device"] = kiosk.token
    response = client.post("/api/v1/orders/quote", "{}", content_type="application/json")
    assert Reply(response).code == (403, "permission_denied")


def test_page_without_csrf_token_is_a_friendly_403(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
    assert response.status_code == 403
    assert "Esta porta é só para a equipe" in response.content.decode()


@pytest.mark.parametrize("query", ["&".join(f"a{n}=1" for n in range(51)), "store=" + "x" * 513, "a" * 513 + "=1"])
def test_long_query_is_400(kiosk: Screen, query: str) -> None:
    assert kiosk.get(f"/orders?{query}").code == (400, "invalid")


@pytest.mark.parametrize("query", ["&".join(f"a{n}=1" for n in range(50)), "store=" + "x" * 512, "a=" + "%C3%A9" * 512])
def test_longest_query_is_read(kiosk: Screen, query: str) -> None:
    assert kiosk.get(f"/orders?{query}").status == 200


def test_page_may_have_a_long_query(db: None, web: Client) -> None:
    assert web.get("/admin/login/?next=/" + "x" * 600).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/menu?store=%00", "/api/v1/menu?store=a%00b&x=1", "/api/v1/orders/%00"])
def test_null_character_is_400(db: None, web: Client, path: str) -> None:
    assert Reply(web.get(path)).code == (400, "invalid")


@pytest.mark.parametrize("path", ["/t/%00/", "/t/a%00b/order/", "/admin/login/?next=%00"])
def test_null_character_on_a_page_is_a_friendly_400(db: None, web: Client, path: str) -> None:
    response = web.get(path)
    assert (response.status_code, response["Content-Type"]) == (400, "text/html; charset=utf-8")


@pytest.mark.parametrize("named", ["charset=rot13", "charset=hex", "charset=latin-1", "charset=zzz", "a*=zzz''x"])
def test_query_is_utf8_whatever_the_body_is_said_to_be(rf: RequestFactory, named: str) -> None:
    media = f"application/json; {named}"
    request = WebRequest(rf.get("/?name=p%C3%A3o").environ | {"CONTENT_TYPE": media})
    assert (request.GET["name"], request.encoding, request.META["CONTENT_TYPE"]) == ("pão", None, media)


def test_head_answers_as_get_without_the_body(kiosk: Screen) -> None:
    get, head = kiosk.client.get("/api/v1/orders"), kiosk.client.head("/api/v1/orders")
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Type"] == get["Content-Type"]


def test_options_name_the_methods_only(kiosk: Screen) -> None:
    reply = Reply(kiosk.client.options("/api/v1/orders/checkout"))
    assert (reply.status, reply.body) == (200, {"methods": ["POST", "OPTIONS"]})
    assert reply.response["Allow"] == "POST, OPTIONS"


def test_body_shorter_than_announced_is_400(kiosk: Screen) -> None:
    response = kiosk.client.generic("POST", "/api/v1/orders/quote", "{}", "application/json", CONTENT_LENGTH="20")
    assert Reply(response).code == (400, "incomplete_body")


@pytest.mark.parametrize("length", ["x", "1e3", "²"])
def test_length_that_is_no_number_is_400(kiosk: Screen, length: str) -> None:
    response = kiosk.client.generic("POST", "/api/v1/orders/quote", "{}", "application/json", CONTENT_LENGTH=length)
    assert Reply(response).code == (400, "invalid")


AWAY = [
    OperationalError("connection refused"),
    InterfaceError("connection already closed"),
]


@pytest.fixture(params=AWAY, ids=["refused", "closed"])
def database_away(request: pytest.FixtureRequest, kiosk: Screen) -> Iterator[None]:
    """The database answers nothing any more."""

    def fail(*_: Any, **__: Any) -> None:
        raise request.param

    with patch.object(BaseDatabaseWrapper, "cursor", fail), patch.object(BaseDatabaseWrapper, "make_cursor", fail):
        yield


@pytest.mark.parametrize("path", ["/api/v1/orders", "/api/v1/menu?store=" + ID, f"/api/v1/orders/{ID}"])
def test_database_away_is_503_with_a_short_wait(kiosk: Screen, database_away: None, path: str) -> None:
    reply = Reply(kiosk.client.get(path))
    assert reply.code == (503, "database_unavailable")
    assert 1 <= int(reply.response["Retry-After"]) <= 5


def test_webhook_without_database_asks_for_another(web: Client, database_away: None) -> None:
    reply = Reply(web.post("/api/v1/payments/webhook", "{}", content_type="application/json"))
    assert reply.code == (503, "database_unavailable")


@pytest.mark.parametrize("path", ["/kiosk/", "/kitchen/", "/t/abc/"])
def test_page_without_database_is_a_friendly_503(web: Client, kiosk: Screen, database_away: None, path: str) -> None:
    web.cookies["bm_device"] = kiosk.token
    queries.devices.clear()  # a screen asked about a moment ago is still known, and its page needs nothing else
    response = web.get(path)
    assert response.status_code == 503
    assert "A massa ainda está descansando" in response.content.decode()
    assert 1 <= int(response["Retry-After"]) <= 5
    assert response["Cache-Control"] == "no-store"


def test_server_that_takes_no_writes_is_503(kiosk: Screen) -> None:
    """A replica that is to become the primary; psycopg says it is an internal error."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    reply = Reply(kiosk.client.post("/api/v1/devices/heartbeat", "{}", content_type="application/json"))
    assert reply.code == (503, "database_unavailable")


def test_full_pool_is_503(kiosk: Screen, web: Client) -> None:
    """Django turns what the pool raises into its own error; this holds it to that."""

    def wait_in_vain(wrapper: BaseDatabaseWrapper, *_: Any) -> None:
        with wrapper.wrap_database_errors:
            raise PoolTimeout("couldn't get a connection after 3.00 sec")

    away = [patch.object(BaseDatabaseWrapper, name, wait_in_vain) for name in ("cursor", "make_cursor")]
    with away[0], away[1]:
        assert Reply(kiosk.client.get("/api/v1/orders")).code == (503, "database_unavailable")
        web.cookies["bm_device"] = kiosk.token
        queries.devices.clear()
        assert web.get("/kiosk/").status_code == 503


SECRET = "tomato-secret-47"


def explode(*_: Any, **__: Any) -> None:
    raise RuntimeError(SECRET)


def test_fault_in_an_api_view_is_500_without_details(kiosk: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.orders.queries.board", explode)
    monkeypatch.setattr("apps.orders.api.store_of", explode)
    kiosk.client.raise_request_exception = False
    reply = kiosk.get("/orders")
    assert reply.code == (500, "internal_error")
    assert SECRET not in json.dumps(reply.body)


def test_fault_in_a_page_is_a_friendly_500(kiosk: Screen, web: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "device_actor", explode)
    web.cookies["bm_device"] = kiosk.token
    response = web.get("/kiosk/")
    assert response.status_code == 500
    assert "Algo queimou no nosso forno" in response.content.decode()
    assert SECRET not in response.content.decode()


def test_fault_is_logged_with_its_trace_and_without_the_path(
    kiosk: Screen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("apps.orders.api.store_of", explode)
    kiosk.client.raise_request_exception = False
    kiosk.get("/orders?secret=sesame")
    faults = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.name for record in faults] == ["breadmate.errors"]
    assert faults[0].exc_info
    assert "sesame" not in caplog.text


def test_health_touches_nothing(database_away: None) -> None:
    assert health.live(HttpRequest()).status_code == 200
    assert health.ready(HttpRequest()).status_code == 503


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/api/v1/metrics", "/__debug__/", "/.env"])
def test_inner_matters_are_404(db: None, web: Client, path: str) -> None:
    assert web.get(path).status_code == 404

"""A menu in memory is answered before the middleware; nobody can tell by which door it came."""

import logging
from collections.abc import Iterator
from itertools import count

import pytest
from django.conf import settings as configured
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from apps.catalog import door
from apps.catalog.askers import askers
from apps.catalog.finished import shelf
from apps.core.actors import Role
from apps.stores.models import Store
from tests.factories import ProductFactory, new_menu
from tests.fixtures import Screen

SHORT = "apps.catalog.door.MenuMiddleware"
ID = "the-same"


@pytest.fixture
def kiosk(store: Store) -> Iterator[Screen]:
    ProductFactory(name="Coxinha")
    new_menu(store)
    found = Screen(store, Role.KIOSK)
    assert found.get("/menu").status == 200
    yield found
    door.buckets = type(door.buckets)()


def ask(method: str, path: str, **environ: str) -> HttpResponse:
    return Client(raise_request_exception=False).generic(method, path, **{"HTTP_X_REQUEST_ID": ID} | environ)


def short_way_taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that grows with every request that the short way leaves to the long one."""
    passed: list[str] = []
    real = door.MenuMiddleware.__call__

    def call(self: door.MenuMiddleware, request: object) -> object:
        through = self.get_response
        self.get_response = lambda asked: passed.append(asked.path) or through(asked)  # type: ignore[func-returns-value]
        try:
            return real(self, request)  # type: ignore[arg-type]
        finally:
            self.get_response = through

    monkeypatch.setattr(door.MenuMiddleware, "__call__", call)
    return passed


SHORT_ONES: list[tuple[str, dict[str, str]]] = [
    ("/api/v1/menu", {}),
    ("/api/v1/menu/", {}),
    ("/api/v1/menu//", {}),
    ("/api/v1/menu?lang=pt-BR", {}),
    ("/api/v1/menu?lang=xx&store={store}", {}),
    ("/api/v1/menu?store={store}", {"HTTP_AUTHORIZATION": ""}),
    ("/api/v1/menu", {"HTTP_ACCEPT_ENCODING": "br, gzip"}),
    ("/api/v1/menu", {"HTTP_ACCEPT_ENCODING": "gzip;q=0"}),
    ("/api/v1/menu", {"HTTP_IF_NONE_MATCH": "{etag}"}),
    ("/api/v1/menu", {"HTTP_IF_NONE_MATCH": 'W/{etag}, "b"'}),
    ("/api/v1/menu", {"HTTP_IF_NONE_MATCH": "*"}),
    ("/api/v1/menu", {"HTTP_IF_NONE_MATCH": '"other"', "HTTP_ACCEPT_ENCODING": "gzip"}),
    ("/api/v1/menu", {"HTTP_ACCEPT": "application/json"}),
    ("/api/v1/menu", {"HTTP_ORIGIN": "https://elsewhere.example"}),
    ("/api/v1/menu", {"HTTP_COOKIE": "csrftoken=" + "a" * 32 + "; other=1"}),
    ("/api/v1/menu", {"CONTENT_TYPE": "application/json"}),
    ("/api/v1/menu", {"wsgi.url_scheme": "https"}),
]
LONG_ONES: list[tuple[str, str, dict[str, str]]] = [
    ("HEAD", "/api/v1/menu", {}),
    ("POST", "/api/v1/menu", {}),
    ("OPTIONS", "/api/v1/menu", {}),
    ("GET", "/api/v1/menux", {}),
    ("GET", "/api/v1/menu", {"HTTP_COOKIE": "sessionid=" + "a" * 32}),
    ("GET", "/api/v1/menu", {"HTTP_AUTHORIZATION": "Device unknown"}),
    ("GET", "/api/v1/menu", {"HTTP_AUTHORIZATION": ""}),
    ("GET", "/api/v1/menu", {"HTTP_ACCEPT": "text/html"}),
    ("GET", "/api/v1/menu", {"HTTP_HOST": "elsewhere.example"}),
    ("GET", "/api/v1/menu", {"HTTP_CONTENT_ENCODING": "gzip"}),
    ("GET", "/api/v1/menu", {"HTTP_TRANSFER_ENCODING": "chunked"}),
    ("GET", "/api/v1/menu", {"CONTENT_TYPE": "text/plain; charset=latin-1"}),
    ("GET", "/api/v1/menu", {"CONTENT_LENGTH": "99999999"}),
    ("GET", "/api/v1/menu", {"CONTENT_LENGTH": "x"}),
    ("GET", "/api/v1/menu?store=x", {}),
    ("GET", "/api/v1/menu?store=", {}),
    ("GET", "/api/v1/menu?lang=%00", {}),
    ("GET", "/api/v1/menu?" + "&".join("a" * 60), {}),
    ("GET", "/api/v1/menu?lang=" + "a" * 600, {}),
]


def both(kiosk: Screen, settings: Settings, method: str, path: str, environ: dict[str, str]) -> list[object]:
    """What the short way and what the long way answer to one request."""
    etag = shelf.menu(kiosk.store.id, "pt-BR", kiosk.store.created_at)[0].etag
    told = {"HTTP_AUTHORIZATION": f"Device {kiosk.token}"} | {
        name: value.replace("{etag}", etag) for name, value in environ.items()
    }
    seen = []
    for middleware in (configured.WEB_MIDDLEWARE, [each for each in configured.WEB_MIDDLEWARE if each != SHORT]):
        settings.MIDDLEWARE = middleware
        shelf.menu(kiosk.store.id, "pt-BR", kiosk.store.created_at)
        response = ask(method, path.replace("{store}", str(kiosk.store.id)), **told)
        seen.append((response.status_code, response.content, dict(response.items()), response.cookies.output()))
    return seen


@pytest.mark.parametrize(("path", "environ"), SHORT_ONES)
def test_both_doors_answer_the_same(
    path: str, environ: dict[str, str], kiosk: Screen, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = short_way_taken(monkeypatch)

    short, long = both(kiosk, settings, "GET", path, environ)

    assert short == long
    assert passed == []


@pytest.mark.parametrize(("method", "path", "environ"), LONG_ONES)
def test_what_is_out_of_the_ordinary_goes_the_long_way(
    method: str,
    path: str,
    environ: dict[str, str],
    kiosk: Screen,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed = short_way_taken(monkeypatch)

    short, long = both(kiosk, settings, method, path, environ)

    assert short == long
    assert len(passed) == 1


def test_answer_in_production_says_the_same_over_https(kiosk: Screen, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT = 31_536_000, True
    plain = both(kiosk, settings, "GET", "/api/v1/menu", {})
    secure = both(kiosk, settings, "GET", "/api/v1/menu", {"wsgi.url_scheme": "https"})

    assert plain[0] == plain[1]
    assert plain[0][0] == 301  # type: ignore[index]
    assert secure[0] == secure[1]
    assert "Strict-Transport-Security" in secure[0][2]  # type: ignore[index]


def test_short_way_is_logged_as_the_long_one(
    kiosk: Screen, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "breadmate.requests"):
        both(kiosk, settings, "GET", "/api/v1/menu", {})

    told = [record.__dict__["fields"] for record in caplog.records][-2:]
    for each in told:
        each.pop("milliseconds")
    assert told[0] == told[1]
    assert told[0]["route"] == "api/v1/menu"


def test_both_doors_count_into_one_limit(kiosk: Screen, settings: Settings) -> None:
    door.buckets = type(door.buckets)()
    settings.LIMIT_MENU_PER_MINUTE = 4
    seen = [answer[0] for _ in range(3) for answer in both(kiosk, settings, "GET", "/api/v1/menu", {})[:2]]  # type: ignore[index]

    assert seen[0] == 200
    assert seen[-1] == 429


def test_kiosk_that_asks_seldom_is_not_counted_among_strangers(
    kiosk: Screen, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.buckets = type(door.buckets)()
    settings.LIMIT_MENU_PER_MINUTE = 10
    hours = count(askers._clock() + 3600.0, 3600.0)
    monkeypatch.setattr(askers, "_clock", lambda: next(hours))

    assert [kiosk.get("/menu").status for _ in range(6)] == [200] * 6

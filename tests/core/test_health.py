"""Health, and what everything answers while the database is away."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

PROJECT = Path(__file__).resolve().parents[2]
ASK = """
import json, sys
import django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False, headers={"Host": "127.0.0.1"})
answers = {}
for method, path, headers in json.load(sys.stdin):
    answer = client.generic(method, path, "{}", "application/json", headers=headers)
    answers[path] = [answer.status_code, answer["Content-Type"], answer.get("Retry-After"), answer.content.decode()]
print(json.dumps(answers))
"""
DEVICE = {"Authorization": "Device x", "Idempotency-Key": "k"}
ASKED = [
    ("GET", "/health/live", {}),
    ("GET", "/health/ready", {}),
    ("GET", "/health", {}),
    ("GET", "/api/v1/orders", DEVICE),
    ("GET", "/api/v1/menu?store=00000000-0000-7000-8000-000000000000", {}),
    ("POST", "/api/v1/orders/checkout", DEVICE),
    ("POST", "/api/v1/payments/webhook", {}),
    ("GET", "/kiosk/", {"Cookie": "bm_device=x"}),
]


@pytest.mark.parametrize("path", ["/health", "/health/", "/health/live", "/health/ready"])
def test_healthy_says_so(path: str, db: None) -> None:
    answer = Client().get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "healthy"})


def test_alive_touches_nothing() -> None:
    """No ``db`` fixture here: a query would fail the test."""
    assert Client().get("/health/live").json() == {"status": "healthy"}


@pytest.fixture(scope="module")
def without_database() -> dict[str, list[object]]:
    """What a process answers whose database is not there."""
    away = {"DATABASE_URL": "postgres://nobody@127.0.0.1:9/none", "DB_POOL": "0", "REDIS_URL": ""}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps(ASKED),
        env={**os.environ, **away, "DJANGO_SETTINGS_MODULE": "breadmate.settings", "PYTHONPATH": str(PROJECT)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers: dict[str, list[object]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_alive_while_the_database_is_away(without_database: dict[str, list[object]]) -> None:
    assert without_database["/health/live"][0] == 200


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_not_ready_while_the_database_is_away(path: str, without_database: dict[str, list[object]]) -> None:
    status, _, _, body = without_database[path]

    assert (status, json.loads(str(body))) == (503, {"status": "database_unavailable"})


@pytest.mark.parametrize("path", [path for _, path, _ in ASKED if path.startswith("/api/")])
def test_api_says_try_again_while_the_database_is_away(path: str, without_database: dict[str, list[object]]) -> None:
    status, content_type, retry_after, body = without_database[path]

    assert (status, content_type) == (503, "application/problem+json")
    assert json.loads(str(body))["code"] == "database_unavailable"
    assert retry_after in ("2", "30")


def test_page_is_a_page_without_a_trace_while_the_database_is_away(without_database: dict[str, list[object]]) -> None:
    status, content_type, _, body = without_database["/kiosk/"]

    assert (status, content_type) == (503, "text/html; charset=utf-8")
    assert "Traceback" not in str(body)

"""The API describes itself whole: every credential known, no name twice, nothing guessed."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from breadmate.schema_view import SchemaView

PUBLIC = {"/api/v1/menu", "/api/v1/devices/pair", "/api/v1/auth/token", "/api/v1/auth/token/refresh"}


def test_schema_is_made_without_a_warning(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))
    assert "Warning" not in capsys.readouterr().err


@pytest.fixture
def schema() -> dict[str, Any]:
    answer = APIClient().get("/api/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    return dict(answer.json())


@pytest.mark.parametrize(
    ("form", "begins"), [("application/vnd.oai.openapi", b"openapi: "), ("application/vnd.oai.openapi+json", b"{")]
)
def test_each_form_of_the_schema_is_made_once(monkeypatch: pytest.MonkeyPatch, form: str, begins: bytes) -> None:
    monkeypatch.setattr(SchemaView, "made", {})
    first = APIClient().get("/api/v1/schema", headers={"Accept": form})
    assert first.content.startswith(begins)

    SchemaView.made[form] = "remembered"
    again = APIClient().get("/api/v1/schema?lang=en", headers={"Accept": form})
    assert (again.content, again["Content-Type"]) == (b"remembered", f"{form}; charset=utf-8")


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            yield path, method, told


def test_every_credential_is_described(schema: dict[str, Any]) -> None:
    assert schema["components"]["securitySchemes"].keys() == {
        "customer",
        "device",
        "device_cookie",
        "integrator",
        "staff",
        "staff_session",
    }


def test_only_public_operations_need_no_credential(schema: dict[str, Any]) -> None:
    open_ = {path for path, _, told in operations(schema) if not told.get("security") or {} in told["security"]}
    by_design = {
        path
        for path in open_
        if path in PUBLIC or path.startswith(("/api/v1/users", "/api/v1/products", "/api/v1/categories"))
    }
    assert open_ == by_design
    ids = [told["operationId"] for _, _, told in operations(schema)]
    assert len(ids) == len(set(ids))

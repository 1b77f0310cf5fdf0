"""A server that is set up wrongly ends with a word instead of serving."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
RIGHT = {
    "BREADMATE_ENV": "production",
    "SECRET_KEY": "k" * 60,
    "PUBLIC_URL": "https://shop.example",
    "CUSTOMER_KEYS": "1:" + base64.urlsafe_b64encode(b"a" * 32).decode(),
    "CUSTOMER_INDEX_KEY": base64.urlsafe_b64encode(b"c" * 32).decode(),
    "PAYMENT_KEYS": "1:" + base64.urlsafe_b64encode(b"p" * 32).decode(),
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
}


def load(module: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    command = [sys.executable, "-W", "ignore", "-c", f"import breadmate.{module}"]
    return subprocess.run(command, cwd=PROJECT, env={**clean, **environ}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["wsgi", "asgi"])
def test_server_without_customer_keys_does_not_start(module: str) -> None:
    without = {name: value for name, value in RIGHT.items() if not name.startswith("CUSTOMER")}

    ended = load(module, without)

    assert ended.returncode != 0
    assert "BreadMate does not start" in ended.stderr
    assert "customers.E001" in ended.stderr
    assert "customers.E002" in ended.stderr


@pytest.mark.parametrize("module", ["wsgi", "asgi"])
def test_server_that_is_set_up_rightly_starts(module: str) -> None:
    ended = load(module, RIGHT)

    assert (ended.returncode, ended.stderr) == (0, "")

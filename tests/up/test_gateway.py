"""The gateway's own configuration, run by Debian's nginx in front of a running stack."""

import shutil
import subprocess
import time
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.blackbox.client import Caller, new_key, product
from tests.stack import PROJECT, Stack, free_ports

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is missing. Type:  sudo apt-get install -y nginx-light")


@pytest.fixture(scope="module")
def gateway() -> Generator[tuple[Stack, str, Path]]:
    port = free_ports()
    address = f"http://127.0.0.1:{port}"
    with Stack(
        settings={"BEHIND_PROXY": "1", "NUM_PROXIES": "1", "PUBLIC_URL": address, "STREAM_URL": address}
    ) as stack:
        text = (PROJECT / "ops/nginx/breadmate.conf").read_text()
        for what, where in [
            ("listen 8080;", f"listen 127.0.0.1:{port};"),
            ("server web:8000;", f"server 127.0.0.1:{stack.port};"),
            ("server stream:8000;", f"server 127.0.0.1:{stack.port + 1};"),
            ("/tmp/nginx", f"{stack.run_dir}/nginx"),
            ("access_log /dev/stdout", f"access_log {stack.run_dir}/gateway.log"),
            ("error_log /dev/stderr", f"error_log {stack.run_dir}/gateway-errors.log"),
        ]:
            assert what in text
            text = text.replace(what, where)
        (stack.run_dir / "gateway.conf").write_text(text)
        command = [str(NGINX), "-c", str(stack.run_dir / "gateway.conf"), "-g", "daemon off;"]
        nginx = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            wait_until_it_listens(address)
            yield stack, address, stack.run_dir / "gateway.log"
        finally:
            nginx.terminate()
            nginx.wait(10)


def wait_until_it_listens(address: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("nginx did not start")


def test_briefs_bare_paths_are_the_api(gateway: tuple[Stack, str, Path]) -> None:
    stack, address, _ = gateway
    token = stack.demo["stores"][0]["devices"]["kiosk"]
    bare, full = Caller(address, token), Caller(f"{address}/api/v1", token)
    assert bare.get("/products/bebida").body == full.get("/products/bebida").body
    menu = bare.get("/menu").body
    body = {
        "dining_option": "eat_in",
        "items": [{"product": product(menu, "cafe-coado")["id"], "quantity": 1}],
    }
    order = bare.post("/orders/checkout", body, key=new_key()).body
    assert full.get(f"/orders/{order['id']}").body["number"] == order["number"]
    payment = bare.post("/payments", {"order": order["id"], "method": "mercado_pago_qr"}, key=new_key())
    assert payment.status == 201
    assert bare.post("/payments/webhook", {"type": "order", "data": {"id": "x"}}).status == 200
    assert Caller(address).post("/users", {"name": "Rui", "cpf": "15350946056", "consents": []}).status in (
        200,
        201,
        202,
    )


def test_live_streams_come_from_the_same_origin(gateway: tuple[Stack, str, Path]) -> None:
    stack, address, _ = gateway
    with Caller(address, stack.demo["stores"][0]["devices"]["board"]).events("/kitchen/stream") as tickets:
        assert next(tickets)[0] == "board"


def test_gateway_refuses_in_our_own_words(gateway: tuple[Stack, str, Path]) -> None:
    _, address, _ = gateway
    stranger = Caller(address)
    huge = stranger.call("POST", "/api/v1/users", b"x" * 70_000)
    assert (huge.status, huge.headers["Content-Type"], huge.body["code"]) == (
        413,
        "application/problem+json",
        "too_large",
    )
    for hidden in ("/metrics", "/.git/config", "/.env"):
        assert stranger.get(hidden).status == 404


def test_no_cpf_no_token_and_no_query_is_logged(gateway: tuple[Stack, str, Path]) -> None:
    _, address, log = gateway
    stranger = Caller(address)
    stranger.get("/users/cpf/15350946056")
    stranger.get("/t/a-guests-secret-token/")
    stranger.get("/products?q=segredo")
    logged = wait_for_line(log, "/t/***")
    assert not [secret for secret in ("15350946056", "a-guests-secret", "segredo") if secret in logged]


def wait_for_line(log: Path, text: str) -> str:
    for _ in range(50):
        if text in log.read_text():
            break
        time.sleep(0.1)
    logged = log.read_text()
    assert text in logged
    return logged


def test_clients_address_is_the_one_the_gateway_saw(gateway: tuple[Stack, str, Path]) -> None:
    """Five wrong sign-ins lock, however often the client names another address for itself."""
    _, address, _ = gateway
    stranger = Caller(address)
    wrong = {"email": "ninguem@demo.breadmate.local", "password": "errada"}
    told = [
        stranger.call("POST", "/api/v1/auth/token", wrong, headers={"X-Forwarded-For": f"203.0.113.{number}"}).status
        for number in range(7)
    ]
    assert told[-1] == 429

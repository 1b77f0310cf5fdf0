"""The program around the API: start, refusal, end, snapshot and the buyer's pages."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from ops.mpsim import snapshot
from ops.mpsim.__main__ import main, span
from ops.mpsim.simulator import Setup, Simulator
from tests.mpsim.conftest import Harness, order_body

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["BREADMATE_ENV", "DJANGO_ENV"])
def test_never_runs_in_production(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "production")

    assert main(["--port", "0", "--webhook-url", "nonsense"]) == 2  # the address would end it too, with another line
    assert capsys.readouterr().err == f"mpsim: {name}=production: the simulator never runs in production\n"


def test_taken_port_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = main(["--port", str(port)])

    assert code == 1
    assert capsys.readouterr().err == f"mpsim: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_spans_of_time_are_read() -> None:
    assert [span("3s..8s"), span("200ms..2s"), span("5s")] == [(3, 8), (0.2, 2), (5, 5)]


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Run the program on a free port and return it with its address."""
    environment = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "ops.mpsim", "--port", "0", *arguments]
    program = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    match = re.search(r"http://127\.0\.0\.1:\d+", program.stdout.readline())
    assert match is not None
    return program, match.group()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_program_serves_and_ends_cleanly(tmp_path: Path, ending: signal.Signals) -> None:
    file = tmp_path / "mpsim.json"
    headers = {"Authorization": "Bearer APP_USR-SIM-2", "X-Idempotency-Key": "c-1"}
    program, url = start("--pos", "BMLOJA01TOTEM01", "--token", "APP_USR-SIM-2", "--snapshot", str(file))
    with program, requests.Session() as session:
        session.trust_env = False
        created = session.post(f"{url}/v1/orders", json=order_body(), headers=headers, timeout=5)
        program.send_signal(ending)
        out, _ = program.communicate(timeout=10)

    assert created.status_code == 201
    assert program.returncode == 0
    lines = out.splitlines()
    assert re.search(r" POST /v1/orders 201 [\d.]+ms$", lines[0])
    assert lines[1:] == ["mpsim ended"]
    assert created.json()["id"] in file.read_text()


def test_snapshot_brings_everything_back(mp: Harness, tmp_path: Path) -> None:
    paid = mp.create("c-1")
    mp.control(f"orders/{paid['id']}/pay")
    mp.sdk.order().refund(
        paid["id"], {"transactions": [{"id": paid["transactions"]["payments"][0]["id"], "amount": "7.50"}]}
    )
    waiting = mp.create("c-2", external_reference="bm-2")
    mp.control(f"orders/{waiting['id']}/pay", {"delay_ms": 1000, "lock_ms": 2000}, expect=202)
    mp.control("clock", {"advance_s": 0.5})
    file = tmp_path / "mpsim.json"

    snapshot.save(mp.sim, file)
    again = Simulator(Setup(pos=("BMLOJA01TOTEM01",)), mp.sim.clock)
    snapshot.load(again, file)

    assert again.book.orders == mp.sim.book.orders
    assert again.keys.kept == mp.sim.keys.kept
    assert (again.pos, again.stores) == (mp.sim.pos, mp.sim.stores)
    again.clock.advance(3)
    assert again.book.find(waiting["id"]).status == "processed"


def test_snapshot_that_is_missing_is_an_empty_start(tmp_path: Path) -> None:
    sim = Simulator(Setup())
    snapshot.load(sim, tmp_path / "none.json")

    assert sim.book.orders == {}


def test_buyer_pays_on_the_page(mp: Harness) -> None:
    order = mp.create(description="Pão & <café>")
    url = f"{mp.url}/sim/pay/{order['id']}"

    shown = mp.session.get(url, timeout=5)
    after = mp.session.post(url, data={"action": "pay"}, timeout=5)

    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="pt-BR">' in shown.text
    assert "R$\u00a047,50" in shown.text
    assert "Pão &amp; &lt;café&gt;" in shown.text
    assert re.findall(r'name="action" value="(\w+)"', shown.text) == ["pay", "decline", "expire"]
    assert (after.url, "Pagamento aprovado" in after.text, "<button" in after.text) == (url, True, False)
    assert mp.get(order["id"])["status"] == "processed"


@pytest.mark.parametrize(
    ("action", "status", "words"),
    [
        ("decline", "created", "Pagamento recusado"),
        ("expire", "expired", "Cobrança expirada"),
    ],
)
def test_buyer_may_refuse(mp: Harness, action: str, status: str, words: str) -> None:
    order = mp.create()

    after = mp.session.post(f"{mp.url}/sim/pay/{order['id']}", data={"action": action}, timeout=5)

    assert words in after.text
    assert mp.get(order["id"])["status"] == status


def test_button_pressed_too_late_changes_nothing(mp: Harness) -> None:
    order = mp.create()
    mp.sdk.order().cancel(order["id"])

    after = mp.session.post(f"{mp.url}/sim/pay/{order['id']}", data={"action": "pay"}, timeout=5)

    assert "Pedido cancelado" in after.text
    assert mp.get(order["id"])["status"] == "canceled"


def test_list_shows_open_orders_newest_first(mp: Harness) -> None:
    orders = [mp.create(f"c-{number}", external_reference=f"bm-{number}") for number in range(3)]
    mp.control(f"orders/{orders[0]['id']}/pay")

    text = mp.session.get(f"{mp.url}/", timeout=5).text

    assert re.findall(r'href="/sim/pay/(\w+)"', text) == [orders[2]["id"], orders[1]["id"]]
    assert "pago</small>" in text


def test_pages_load_nothing_from_elsewhere(mp: Harness) -> None:
    order = mp.create()
    for path in ("/", f"/sim/pay/{order['id']}", "/sim/pay/ORD0"):
        text = mp.session.get(mp.url + path, timeout=5).text
        assert re.findall(r"https?://|<script|src=", text) == []

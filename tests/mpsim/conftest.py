"""A running simulator, the unmodified SDK pointed at it, and a receiver of its webhooks."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import mercadopago
import pytest
import requests
from mercadopago.config import RequestOptions
from mercadopago.http import HttpClient

from ops.mpsim.app import App
from ops.mpsim.server import Server
from ops.mpsim.simulator import Setup, Simulator

TOKEN = "APP_USR-SIM-1"
OTHER_TOKEN = "APP_USR-SIM-2"
OFFICIAL = "https://api.mercadopago.com"
PATIENCE_SECONDS = 10


class PooledHttpClient(HttpClient):
    """Sends the SDK's calls to the simulator over one kept connection and never retries."""

    def __init__(self, base_url: str, session: requests.Session) -> None:
        self.base_url = base_url
        self.session = session
        self.last: requests.Response

    def request(
        self,
        method: str,
        url: str,
        maxretries: object = None,
        retry_on: object = None,
        backoff_factor: object = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        url = url.replace(OFFICIAL, self.base_url)
        self.last = self.session.request(method, url, timeout=(2.0, timeout), allow_redirects=False, **kwargs)
        return {"status": self.last.status_code, "response": self.last.json() if self.last.content else None}


@dataclass
class Harness:
    """A merchant and a tester at one running simulator."""

    sim: Simulator
    url: str
    session: requests.Session
    http: PooledHttpClient = field(init=False)
    sdk: Any = field(init=False)

    def __post_init__(self) -> None:
        self.http = PooledHttpClient(self.url, self.session)
        self.sdk = mercadopago.SDK(TOKEN, http_client=self.http)

    def key(self, value: str) -> RequestOptions:
        return RequestOptions(connection_timeout=5.0, custom_headers={"x-idempotency-key": value})

    def create(self, key: str = "c-1", **changes: Any) -> dict[str, Any]:
        """Create an order through the SDK and return it."""
        answer = self.sdk.order().create(order_body(**changes), self.key(key))
        assert answer["status"] == 201, answer
        order: dict[str, Any] = answer["response"]
        return order

    def get(self, order_id: str) -> dict[str, Any]:
        order: dict[str, Any] = self.sdk.order().get(order_id)["response"]
        return order

    def control(self, path: str, body: object = None, expect: int = 200) -> dict[str, Any]:
        answer = self.session.post(f"{self.url}/_sim/{path}", json=body, timeout=5)
        assert answer.status_code == expect, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def row(self, order_id: str) -> dict[str, Any]:
        told: dict[str, Any] = self.session.get(f"{self.url}/_sim/orders/{order_id}", timeout=5).json()
        return told

    def ledger(self) -> dict[str, Any]:
        told: dict[str, Any] = self.session.get(f"{self.url}/_sim/orders", timeout=5).json()["ledger"]
        return told

    def journal(self, kind: str) -> list[dict[str, Any]]:
        told = self.session.get(f"{self.url}/_sim/journal", timeout=5).json()
        return [entry for entry in told["entries"] if entry["kind"] == kind]


def order_body(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "qr",
        "total_amount": "47.50",
        "description": "BreadMate pedido T042",
        "external_reference": "bm-1",
        "expiration_time": "PT5M",
        "config": {"qr": {"external_pos_id": "BMLOJA01TOTEM01", "mode": "dynamic"}},
        "transactions": {"payments": [{"amount": "47.50"}]},
    }
    return body | changes


def code_of(answer: dict[str, Any]) -> tuple[int, str]:
    """Status and error code of a refusal, from the SDK or from ``requests`` made a dict."""
    return answer["status"], answer["response"]["errors"][0]["code"]


@pytest.fixture
def mp() -> Iterator[Harness]:
    sim = Simulator(Setup(tokens=(TOKEN, OTHER_TOKEN), pos=("BMLOJA01TOTEM01",)))
    server = Server(App(sim), "127.0.0.1", 0, log=lambda line: None)
    server.start()
    with requests.Session() as session:
        session.trust_env = False
        yield Harness(sim, server.url, session)
    server.stop()


@dataclass(frozen=True)
class Received:
    """One webhook as it arrived."""

    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


class Inbox:
    """Webhooks in the order of their arrival; ``answers`` gives the next statuses, then 200."""

    def __init__(self) -> None:
        self.arrived: queue.Queue[Received] = queue.Queue()
        self.answers: queue.Queue[int] = queue.Queue()
        self.url = ""

    def next(self) -> Received:
        return self.arrived.get(timeout=PATIENCE_SECONDS)


@pytest.fixture
def inbox(mp: Harness) -> Iterator[Inbox]:
    box = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = 200 if box.answers.empty() else box.answers.get()
            box.arrived.put(Received(parse_qs(urlsplit(self.path).query), headers, body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    box.url = f"http://127.0.0.1:{server.server_port}/api/v1/payments/webhook"
    mp.control("webhooks/policy", {"url": box.url})
    yield box
    server.shutdown()
    server.server_close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait, in small steps, until something on another thread has become true."""

    def wait(condition: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(PATIENCE_SECONDS * 100):
            if condition():
                return
            pause.wait(0.01)
        pytest.fail("it never became true")

    return wait

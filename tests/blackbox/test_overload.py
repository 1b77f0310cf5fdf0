"""More is asked than can be done: polls are refused in good form, and guests still order."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.blackbox.client import Caller, Reply, new_key
from tests.blackbox.flow import audit, basket
from tests.stack import PROJECT, Stack

CONNECTIONS = 400
LINES = 4  # so that each worker has some
SECONDS = 5.0


def flood(stack: Stack, kiosk: Caller) -> "subprocess.Popen[str]":
    """Poll over many connections at once, from a process of its own."""
    address = urlsplit(stack.base_url)
    head = f"GET /api/v1/orders HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Device {kiosk.token}\r\n"
    plan = {"host": address.hostname, "port": address.port, "clients": CONNECTIONS, "seconds": SECONDS}
    flooding = subprocess.Popen(
        [sys.executable, "-m", "bench.load"], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert flooding.stdin is not None
    flooding.stdin.write(json.dumps(plan | {"requests": [{"head": head, "body": "", "keyed": False}]}))
    flooding.stdin.close()
    return flooding


def poll_on_one_line(stack: Stack, kiosk: Caller, flooding: "subprocess.Popen[str]") -> list[Reply]:
    """Poll again and again, as browsers and gateways do over a connection that is kept."""
    address = urlsplit(stack.base_url)
    replies = list[Reply]()
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=30)) as line:
        line.connect()
        kept = line.sock
        while flooding.poll() is None:
            line.request("GET", "/api/v1/orders", headers={"Authorization": f"Device {kiosk.token}"})
            answer = line.getresponse()
            replies.append(Reply(answer.status, dict(answer.headers), answer.read()))
        assert line.sock is kept, "one line for all, also for what was refused unread"
    return replies


def test_flooded_shop_refuses_polls_and_sells(stack: Stack, kiosk: Caller) -> None:
    """Seen red with ``is_refused`` that refuses nothing: no poll is answered 503, each waits for seconds.

    A refusal that nobody has read has no request id; seen red with none of them.
    """
    cart = basket(kiosk.get("/api/v1/menu").body)
    placed, polls = list[Reply](), list[Reply]()
    with flood(stack, kiosk) as flooding, ThreadPoolExecutor(LINES) as beside:
        steady = [beside.submit(poll_on_one_line, stack, kiosk, flooding) for _ in range(LINES)]
        while flooding.poll() is None:
            placed.append(kiosk.post("/api/v1/orders/checkout", cart, key=new_key()))
            if placed[-1].status == 201:
                kiosk.post(f"/api/v1/orders/{placed[-1].body['id']}/cancel", {"reason": "desistiu"})
            polls.append(kiosk.get("/api/v1/orders"))
            assert kiosk.get("/health/live").status == 200
        polls += [poll for line in steady for poll in line.result()]
        summed = json.loads(flooding.stdout.read() if flooding.stdout else "{}")

    assert {poll.status for poll in polls} <= {200, 503}
    refused = [poll for poll in polls if poll.status == 503]
    assert any("X-Request-ID" not in poll.headers for poll in refused)
    assert {"503"} <= set(summed["statuses"]) <= {"200", "503"}, summed
    statuses = {reply.status for reply in placed}
    assert 201 in statuses
    assert statuses <= {201, 429, 503}  # 429: more orders wait to be paid or cancelled than a kiosk may have
    for reply in refused:
        assert (reply.headers["Content-Type"], reply.body["code"]) == ("application/problem+json", "overloaded")
        assert int(reply.headers["Retry-After"]) >= 1
    assert audit(stack)["ok"]

"""What goes wrong on purpose: repeated keys, faults before and after the effect, limits."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.mpsim.conftest import TOKEN, Harness, code_of, order_body


def create(mp: Harness, key: str, **changes: Any) -> bytes:
    mp.create(key, **changes)
    return mp.http.last.content


def test_same_key_and_body_is_answered_with_the_same_bytes(mp: Harness) -> None:
    first = create(mp, "c-1")
    mp.control("orders/" + mp.http.last.json()["id"] + "/pay")
    again = create(mp, "c-1")

    assert again == first
    assert mp.ledger()["orders"] == 1
    assert [entry["replayed"] for entry in mp.journal("request")] == [False, True]


def test_same_key_with_another_body_is_refused(mp: Harness) -> None:
    create(mp, "c-1")

    answer = mp.sdk.order().create(order_body(external_reference="bm-2"), mp.key("c-1"))

    assert code_of(answer) == (409, "idempotency_key_already_used")
    assert mp.ledger()["orders"] == 1


def test_refused_request_may_reuse_its_key(mp: Harness) -> None:
    mp.sdk.order().create(order_body(type="online"), mp.key("c-1"))

    assert mp.create("c-1")["status"] == "created"


def test_key_is_forgotten_after_a_day(mp: Harness) -> None:
    create(mp, "c-1")
    mp.control("clock", {"advance_s": 24 * 3600 - 60})
    assert code_of(mp.sdk.order().create(order_body(external_reference="bm-2"), mp.key("c-1")))[0] == 409
    mp.control("clock", {"advance_s": 60})

    assert mp.create("c-1", external_reference="bm-2")["external_reference"] == "bm-2"


def test_key_belongs_to_one_path(mp: Harness) -> None:
    order_id = mp.create("k")["id"]

    assert mp.sdk.order().cancel(order_id, mp.key("k"))["response"]["status"] == "canceled"


def test_repeated_refund_is_made_once(mp: Harness) -> None:
    order = mp.create()
    mp.control(f"orders/{order['id']}/pay")
    part = {"transactions": [{"id": order["transactions"]["payments"][0]["id"], "amount": "10.00"}]}

    for _ in range(2):
        mp.sdk.order().refund(order["id"], part, mp.key("r-1"))

    assert mp.ledger()["refunded"] == "10.00"


def test_key_at_work_is_locked(mp: Harness, eventually: Callable[[Callable[[], bool]], None]) -> None:
    mp.control("faults", [{"match": "POST /v1/orders$", "do": "slow", "delay_ms": 300}])
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Idempotency-Key": "c-1"}
    answers: list[int] = []

    def slow() -> None:
        answer = requests.post(f"{mp.url}/v1/orders", json=order_body(), headers=headers, timeout=5)
        answers.append(answer.status_code)

    thread = threading.Thread(target=slow)
    thread.start()
    eventually(lambda: bool(mp.sim.keys.busy))
    meanwhile = mp.session.post(f"{mp.url}/v1/orders", json=order_body(), headers=headers, timeout=5)
    thread.join()

    assert code_of({"status": meanwhile.status_code, "response": meanwhile.json()}) == (423, "resource_locked")
    assert answers == [201]
    assert mp.ledger()["orders"] == 1


LOST = [
    ({"do": "timeout", "delay_ms": 50}, requests.ConnectionError),
    ({"do": "reset"}, requests.ConnectionError),
    ({"do": "badjson"}, requests.exceptions.JSONDecodeError),
    ({"do": "html"}, requests.exceptions.JSONDecodeError),
]


@pytest.mark.parametrize(("fault", "error"), LOST)
def test_fault_after_commits_once(mp: Harness, fault: dict[str, Any], error: type[Exception]) -> None:
    mp.control("faults", [{"match": "POST /v1/orders$", "phase": "after"} | fault])

    with pytest.raises(error):
        mp.create("c-1")
    committed = mp.session.get(f"{mp.url}/_sim/orders", timeout=5).json()["orders"]
    order = mp.create("c-1")

    assert [row["id"] for row in committed] == [order["id"]]
    assert mp.ledger()["orders"] == 1


@pytest.mark.parametrize(("fault", "error"), LOST)
def test_fault_before_has_no_effect(mp: Harness, fault: dict[str, Any], error: type[Exception]) -> None:
    mp.control("faults", [{"match": "POST /v1/orders$", "phase": "before"} | fault])

    with pytest.raises(error):
        mp.create("c-1")
    assert mp.ledger()["orders"] == 0
    mp.create("c-1")
    assert [entry["fault"] for entry in mp.journal("request")] == [f"before {fault['do']}", None]


def test_lost_refund_answer_refunds_once(mp: Harness) -> None:
    order_id = mp.create()["id"]
    mp.control(f"orders/{order_id}/pay")
    mp.control("faults", [{"match": "/refund$", "phase": "after", "do": "status", "status": 500}])

    lost = mp.sdk.order().refund(order_id, None, mp.key("r-1"))
    again = mp.sdk.order().refund(order_id, None, mp.key("r-1"))

    assert lost == {"status": 500, "response": {"message": "internal server error", "status": 500}}
    assert (again["status"], again["response"]["status"]) == (201, "refunded")
    assert mp.ledger()["refunded"] == "47.50"


def test_fault_hits_as_often_as_told(mp: Harness) -> None:
    fault = {"match": "POST /v1/orders$", "times": 2, "status": 429, "headers": {"Retry-After": "3600"}}
    mp.control("faults", [fault])

    answers = [mp.sdk.order().create(order_body(), mp.key("c-1"))["status"] for _ in range(2)]
    wait = mp.http.last.headers["retry-after"]

    assert (answers, wait) == ([429, 429], "3600")
    assert mp.create("c-1")["status"] == "created"


def test_answer_cut_by_the_client_leaves_the_server_well(mp: Harness) -> None:
    mp.control("faults", [{"match": "GET /users/me", "do": "timeout"}])

    with pytest.raises(requests.ReadTimeout):
        mp.session.get(f"{mp.url}/users/me", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=0.1)

    assert mp.sdk.user().get()["status"] == 200


@pytest.mark.parametrize(
    "fault",
    [{"match": "("}, {"match": "x", "do": "explode"}, {"match": "x", "phase": "during"}, {"match": "x", "tmies": 2}],
)
def test_senseless_fault_is_refused(mp: Harness, fault: dict[str, Any]) -> None:
    mp.control("faults", [fault], expect=400)


def test_rate_limit_answers_429_with_retry_after(mp: Harness) -> None:
    mp.control("settings", {"rate_limit_rps": 0.001})

    answers = [mp.sdk.user().get()["status"] for _ in range(2)]

    assert answers == [200, 429]
    assert mp.http.last.headers["retry-after"] == "1"


def test_reset_returns_to_the_start(mp: Harness) -> None:
    first = mp.create("c-1")
    mp.control("clock", {"advance_s": 1000})
    mp.control("faults", [{"match": "."}])
    mp.control("settings", {"lenient_amounts": True})

    mp.control("reset")

    assert mp.session.get(f"{mp.url}/_sim/settings", timeout=5).json()["lenient_amounts"] is False
    assert mp.session.get(f"{mp.url}/_sim/health", timeout=5).json()["offset_s"] == 0
    assert code_of(mp.sdk.order().get(first["id"])) == (404, "order_not_found")
    assert mp.create("c-1")["id"] != first["id"]


def test_fault_with_an_end_is_over_by_itself(mp: Harness) -> None:
    mp.control("faults", [{"match": "/v1/orders", "times": 1_000_000, "status": 503, "for_s": 0.2}])
    assert mp.sdk.order().create(order_body(), mp.key("c-1"))["status"] == 503

    until = time.monotonic() + 10
    while mp.sdk.order().create(order_body(), mp.key("c-1"))["status"] != 201:
        assert time.monotonic() < until
        time.sleep(0.05)

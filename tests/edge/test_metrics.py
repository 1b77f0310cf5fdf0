"""What Prometheus reads, and where from."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from apps.core.models import FailedDelivery, StoredEvent
from apps.core.request_log import UNMATCHED
from apps.payments.rules import ACTIVE
from breadmate import gauges
from tests.fixtures import Screen


def counted(**labels: str) -> float:
    return REGISTRY.get_sample_value("breadmate_http_requests_total", labels) or 0.0


def values(page: bytes) -> dict[str, float]:
    return {
        sample.name + "".join(f" {value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_request_is_counted_by_route_and_status(kiosk: Screen) -> None:
    route = "api/v1/orders"
    before = counted(method="GET", route=route, status="200")
    timed = REGISTRY.get_sample_value("breadmate_http_request_seconds_count", {"method": "GET", "route": route}) or 0
    kiosk.get("/orders?x=1")
    assert counted(method="GET", route=route, status="200") == before + 1
    assert (
        REGISTRY.get_sample_value("breadmate_http_request_seconds_count", {"method": "GET", "route": route})
        == timed + 1
    )


def test_strangers_cannot_make_series(kiosk: Screen) -> None:
    kiosk.client.generic("BREW", "/api/v1/first")
    series = len(list(next(m for m in REGISTRY.collect() if m.name == "breadmate_http_requests").samples))
    for n in range(20):
        kiosk.client.generic(f"BREW{n}", f"/api/v1/{n}")
    after = next(metric for metric in REGISTRY.collect() if metric.name == "breadmate_http_requests").samples
    assert len(list(after)) == series
    assert counted(method="OTHER", route=UNMATCHED, status="404") >= 21


@pytest.mark.django_db
def test_reading_tells_lag_and_dead_deliveries() -> None:
    now = timezone.now()
    StoredEvent.objects.all().delete()
    for age, dispatched in ((90, None), (30, None), (500, now)):
        StoredEvent.objects.create(
            type="order.paid",
            version=1,
            occurred_at=now - timedelta(seconds=age),
            subject_id="01936f00-0000-7000-8000-000000000000",
            seq=1,
            correlation_id="-",
            payload={},
            dispatched_at=dispatched,
        )
    for dead in (None, now, now):
        FailedDelivery.objects.create(
            event_id=StoredEvent.objects.latest("id").id,
            handler=f"h{FailedDelivery.objects.count()}",
            tries=1,
            next_try_at=now,
            dead_at=dead,
            error="",
        )
    shown = gauges.Gauges()
    shown.refresh(now)
    told = values(gauges.page(shown))
    assert told["breadmate_outbox_undelivered"] == 2
    assert told["breadmate_outbox_lag_seconds"] == 90
    assert (told["breadmate_deliveries_waiting"], told["breadmate_deliveries_dead"]) == (1, 2)
    assert {state: told[f"breadmate_charges_open {state}"] for state in ACTIVE} == dict.fromkeys(ACTIVE, 0)


@pytest.mark.django_db
def test_database_is_read_every_fifteen_seconds(django_assert_num_queries: object) -> None:
    now = timezone.now()
    shown = gauges.Gauges()
    shown.refresh(now)
    with django_assert_num_queries(0):  # type: ignore[operator]
        shown.refresh(now + timedelta(seconds=14))
        gauges.page(shown)
    with django_assert_num_queries(4):  # type: ignore[operator]
        shown.refresh(now + timedelta(seconds=15))


def test_nothing_is_said_before_the_first_reading() -> None:
    assert values(gauges.page(gauges.Gauges())) == {}


def test_only_metrics_is_served_and_only_here() -> None:
    server = gauges.serve(gauges.Gauges(), 0)
    assert server is not None
    try:
        host, port = server.server_address[:2]
        assert host == "127.0.0.1"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/")
        assert refused.value.code == 404
        refused.value.close()
    finally:
        server.shutdown()
        server.server_close()


def test_engine_does_without_a_port_that_is_taken() -> None:
    server = gauges.serve(gauges.Gauges(), 0)
    assert server is not None
    try:
        assert gauges.serve(gauges.Gauges(), server.server_address[1]) is None
    finally:
        server.shutdown()
        server.server_close()


COUNT_ONE = """
import django; django.setup()
from apps.core.metrics import count_request
count_request(method="GET", route="r", status=200, seconds=0.01)
"""
SAY = """
import django; django.setup()
from breadmate import gauges
print(gauges.page(gauges.Gauges()).decode())
"""


def test_processes_count_together(tmp_path: Path) -> None:
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "breadmate.settings"}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNT_ONE], env=environ, check=True)
    said = subprocess.run([sys.executable, "-c", SAY], env=environ, check=True, capture_output=True)
    assert values(said.stdout)["breadmate_http_requests_total GET r 200"] == 2

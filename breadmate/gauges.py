"""The numbers Prometheus reads, served by the engine on this machine only.

What requests counted comes from the folder all processes count into; what stands in the database is read every 15 s, so that
no scrape touches it.
"""

import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.conf import settings
from django.db.models import Count, Min
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from apps.core.models import FailedDelivery, StoredEvent
from apps.payments.breaker import Passage
from apps.payments.lines import passages
from apps.payments.models import Charge
from apps.payments.rules import ACTIVE

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
READ_EVERY_SECONDS = 15.0
WAY_MEANING = "The way to an account at the provider: 0 open, 1 being tried, 2 shut, 3 its token is refused."


@dataclass(frozen=True, slots=True)
class Reading:
    """What stood in the database at one moment."""

    undelivered: int
    lag_seconds: float
    waiting_retries: int
    dead: int
    charges: dict[str, int] = field(default_factory=dict)
    ways: dict[str, Passage] = field(default_factory=dict)


def read(at: datetime) -> Reading:
    """Read the database. Four queries, each on an index of what is open or of a few rows."""
    waiting = StoredEvent.objects.filter(dispatched_at=None).aggregate(count=Count("id"), oldest=Min("occurred_at"))
    failed = FailedDelivery.objects.aggregate(all=Count("id"), dead=Count("dead_at"))
    states = Charge.objects.filter(state__in=ACTIVE).order_by().values_list("state").annotate(Count("id"))
    oldest = waiting["oldest"]
    return Reading(
        undelivered=waiting["count"],
        lag_seconds=max((at - oldest).total_seconds(), 0.0) if oldest else 0.0,
        waiting_retries=failed["all"] - failed["dead"],
        dead=failed["dead"],
        charges=dict.fromkeys(ACTIVE, 0) | dict(states),
        ways=passages(at),
    )


class Gauges(Collector):
    """The last reading in Prometheus' form; nothing before there is one, rather than zeros."""

    def __init__(self) -> None:
        self.reading: Reading | None = None
        self.read_at: datetime | None = None

    def refresh(self, at: datetime) -> None:
        """Read again when the last reading is old."""
        if self.read_at is None or (at - self.read_at).total_seconds() >= READ_EVERY_SECONDS:
            self.reading, self.read_at = read(at), at

    def collect(self) -> Iterator[Metric]:
        """Say the last reading."""
        if self.reading is None or self.read_at is None:
            return
        now = self.reading
        plain = (
            ("breadmate_read_timestamp_seconds", "When the database was read.", self.read_at.timestamp()),
            ("breadmate_outbox_undelivered", "Events no subscriber has seen yet.", now.undelivered),
            ("breadmate_outbox_lag_seconds", "Age of the oldest of them.", now.lag_seconds),
            ("breadmate_deliveries_waiting", "Deliveries that failed and will be tried again.", now.waiting_retries),
            ("breadmate_deliveries_dead", "Deliveries that were given up.", now.dead),
        )
        for name, meaning, value in plain:
            yield GaugeMetricFamily(name, meaning, value)
        charges = GaugeMetricFamily("breadmate_charges_open", "Charges that are not final.", labels=["state"])
        for state, count in sorted(now.charges.items()):
            charges.add_metric([state], count)
        yield charges
        ways = GaugeMetricFamily("mp_breaker_state", WAY_MEANING, labels=["account"])
        for account, passage in sorted(now.ways.items()):
            ways.add_metric([account], list(Passage).index(passage))
        yield ways


def page(gauges: Gauges) -> bytes:
    """Return everything Prometheus may read."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(gauges)
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def serve(gauges: Gauges, port: int) -> ThreadingHTTPServer | None:
    """Answer ``/metrics`` on this machine in a thread; None when the port is taken, for a second engine does without."""

    class Handler(BaseHTTPRequestHandler):
        """Knows one path."""

        server_version, sys_version = "BreadMate", ""

        def do_GET(self) -> None:
            """Answer it."""
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            body = page(gauges)
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class named it
            """Keep scrapes out of the log."""

    try:
        server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    except OSError as problem:
        logger.warning("no metrics on port %s: %r", port, problem)
        return None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def start() -> Gauges | None:
    """Begin to serve when ``METRICS_PORT`` is set."""
    if not settings.METRICS_PORT:
        return None
    gauges = Gauges()
    serve(gauges, settings.METRICS_PORT)
    return gauges

"""What this process counts for Prometheus; with ``PROMETHEUS_MULTIPROC_DIR`` all processes count into that folder.

Only the engine serves the numbers, on ``METRICS_PORT`` of this machine.
"""

from functools import lru_cache

from prometheus_client import Counter, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0)

_requests = Counter("breadmate_http_requests", "Requests answered.", ["method", "route", "status"])
_seconds = Histogram("breadmate_http_request_seconds", "Time to answer.", ["method", "route"], buckets=BUCKETS)
_refused_lookups = Counter(
    "breadmate_lookups_refused", "CPF look-ups refused because their device or store asked too often."
)


def count_refused_lookup() -> None:
    """Count one refused CPF look-up: some in a minute are a clumsy guest, many are somebody trying numbers."""
    _refused_lookups.inc()


def count_request(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; ``route`` is a pattern of ours and never a path, so that the series stay few."""
    known = method if method in METHODS else "OTHER"
    _counter(known, route, status).inc()
    _histogram(known, route).observe(seconds)


@lru_cache(maxsize=4096)
def _counter(method: str, route: str, status: int) -> Counter:
    return _requests.labels(method, route, str(status))


@lru_cache(maxsize=1024)
def _histogram(method: str, route: str) -> Histogram:
    return _seconds.labels(method, route)

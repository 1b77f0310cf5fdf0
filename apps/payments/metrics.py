"""What payments count for Prometheus: never an account's token, a payer or a QR."""

from prometheus_client import Counter, Histogram

SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 4.5, 6.0)

_calls = Counter("mp_requests", "Calls to Mercado Pago; held ones were not sent.", ["op", "status"])
_seconds = Histogram("mp_latency_seconds", "Time to a whole answer.", ["op"], buckets=SECONDS)
_states = Counter("mp_attempts", "Charges that came into a state.", ["state"])
_paid_late = Counter("mp_paid_late", "Charges paid when their order no longer waited.")

_drift = Counter("mp_reconcile_drift", "Differences a nightly closing has found.", ["kind"])


def count_call(op: str, status: str, seconds: float | None = None) -> None:
    """Count one call; without ``seconds`` it was not sent."""
    _calls.labels(op, status).inc()
    if seconds is not None:
        _seconds.labels(op).observe(seconds)


def count_state(state: str) -> None:
    """Count a charge that came into a state."""
    _states.labels(state).inc()
    if state == "late":
        _paid_late.inc()


def count_drift(kind: str) -> None:
    """Count a difference between the provider's books and ours."""
    _drift.labels(kind).inc()

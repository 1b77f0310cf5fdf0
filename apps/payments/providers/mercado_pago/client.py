"""The SDK's own extension point: kept-alive connections, our time-outs, no hidden retries, our base URL.

The SDK opens a connection a call, waits up to 60 s, sleeps on Retry-After in the calling thread and hides the headers
(its source, 3.6.0). Retries belong to us: same key, same bytes, later.
"""

import threading
from typing import Any

import requests
from django.conf import settings
from mercadopago.http import HttpClient
from requests.adapters import HTTPAdapter

OFFICIAL_URL = "https://api.mercadopago.com"

_of_thread = threading.local()


def _session() -> requests.Session:
    session: requests.Session | None = getattr(_of_thread, "session", None)
    if session is None:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", HTTPAdapter(max_retries=0))
        session.mount("http://", HTTPAdapter(max_retries=0))
        _of_thread.session = session
    return session


class PooledHttpClient(HttpClient):  # type: ignore[misc]
    """One session a thread, never shared across a fork."""

    def request(
        self,
        method: str,
        url: str,
        maxretries: int | None = None,
        retry_on: list[int] | None = None,
        backoff_factor: float | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Send one request once; the answer's body may be anything, also none."""
        response = _session().request(
            method,
            url.replace(OFFICIAL_URL, settings.MP_BASE_URL, 1),
            timeout=(settings.MP_CONNECT_TIMEOUT_SECONDS, settings.MP_READ_TIMEOUT_SECONDS),
            allow_redirects=False,
            **kwargs,
        )
        try:
            body = response.json()
        except ValueError:
            body = None
        return {"status": response.status_code, "response": body, "headers": dict(response.headers)}

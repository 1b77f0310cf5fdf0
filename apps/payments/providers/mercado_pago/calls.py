"""The one way every call to Mercado Pago goes: let in, sent once, timed, counted, judged."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import mercadopago
import requests
from django.conf import settings
from mercadopago.config import RequestOptions

from apps.payments import lines, metrics
from apps.payments.accounts import Account
from apps.payments.breaker import Outcome
from apps.payments.errors import BadCredentialsError, ProviderRejectedError, ProviderUnavailableError
from apps.payments.providers.mercado_pago.client import PooledHttpClient

logger = logging.getLogger(__name__)

Send = Callable[[mercadopago.SDK, RequestOptions], Any]

LOCKED = 423  # another request with this key is at work: says nothing of the provider
FAILED = {408, 424, 429}
TRY_AGAIN = {*FAILED, LOCKED}
UNAUTHORIZED = 401
SERVER_FAULT = 500
GOOD = {200, 201}
SOON = timedelta(seconds=1)
WITHOUT_TOKEN = timedelta(seconds=60)
LONGEST_REST = timedelta(days=1)
MOST_PATIENCE_SECONDS = 5.0
PATIENT = {"fetch", "cancel", "refund", "search"}  # nobody waits for these
WHOLE_SECONDS = re.compile(r"\d{1,9}")


def call(account: Account, op: str, send: Send, *, key: str | None = None, body: bytes | None = None) -> Any:
    """Make one call and return its JSON. Nothing here sleeps or repeats; what failed is for the caller to send again later.

    Args:
        op: what it is, for the metrics.
        send: calls the SDK with the options it is given: a fresh object, because the SDK writes its token into the one it
            gets and would carry it on.
        key: the idempotency key.
        body: the exact bytes to send, in place of the SDK's own encoding.

    Raises:
        ProviderRejectedError: it answered and refused.
        ProviderUnavailableError: no usable answer, or the call may not go now; says when, if that is known.
    """
    if not account.token:
        raise ProviderUnavailableError(f"account {account.key} has no access token", retry_after=WITHOUT_TOKEN)
    with _place(op):
        try:
            trial = lines.enter(account.key, patient=op in PATIENT)
        except ProviderUnavailableError:
            metrics.count_call(op, "held")
            raise
        outcome = Outcome.FAILED
        try:
            status, headers, answer = _send(account, op, send, key, body)
            outcome = _outcome(status, answer)
        finally:
            lines.leave(account.key, outcome, trial=trial)
    if status in GOOD and isinstance(answer, (dict, list)):
        return answer
    if outcome == Outcome.ANSWERED and status not in TRY_AGAIN:
        raise ProviderRejectedError(error_code(answer), status)
    if status == UNAUTHORIZED:
        raise BadCredentialsError(f"{status} {error_code(answer)}", retry_after=retry_after(headers))
    raise ProviderUnavailableError(f"{status} {error_code(answer)}", retry_after=retry_after(headers))


def call_patiently(account: Account, op: str, send: Send, *, key: str | None = None, body: bytes | None = None) -> Any:
    """Make one call as ``call`` does, for a command that may wait a moment for its turn.

    Raises:
        ProviderRejectedError, ProviderUnavailableError: as ``call``, after at most ``MOST_PATIENCE_SECONDS``.
    """
    end = time.monotonic() + MOST_PATIENCE_SECONDS
    while True:
        try:
            return call(account, op, send, key=key, body=body)
        except ProviderUnavailableError as problem:
            rest = problem.retry_after.total_seconds() if problem.retry_after is not None else MOST_PATIENCE_SECONDS
            if time.monotonic() + rest >= end:
                raise
            time.sleep(rest)


def error_code(answer: Any) -> str:
    """Return the provider's own word for what is wrong, wherever it stands."""
    if not isinstance(answer, dict):
        return "unreadable"
    errors = answer.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return str(errors[0].get("code", "unknown"))[:60]
    return str(answer.get("error") or answer.get("message") or "unknown")[:60]


def retry_after(headers: Any, now: datetime | None = None) -> timedelta | None:
    """Read ``Retry-After``, in seconds or as a date; None when it says nothing we can use."""
    told = str(headers.get("Retry-After", "")).strip()
    if WHOLE_SECONDS.fullmatch(told):
        return min(timedelta(seconds=int(told)), LONGEST_REST)
    try:
        moment = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        return None
    return min(max(moment - (now or datetime.now(UTC)), timedelta(0)), LONGEST_REST)


def _send(account: Account, op: str, send: Send, key: str | None, body: bytes | None) -> tuple[int, Any, Any]:
    sdk = mercadopago.SDK(account.token, http_client=PooledHttpClient(body))
    options = RequestOptions(access_token=account.token, custom_headers={"x-idempotency-key": key} if key else None)
    begun, told = time.perf_counter(), "error"
    try:
        answer = send(sdk, options)
        told = str(answer["status"])
    except requests.Timeout as problem:
        told = "timeout"
        raise ProviderUnavailableError(repr(problem)) from problem
    except requests.RequestException as problem:
        raise ProviderUnavailableError(repr(problem)) from problem
    finally:
        metrics.count_call(op, told, time.perf_counter() - begun)
    return answer["status"], answer["headers"], answer["response"]


def _outcome(status: int, answer: Any) -> Outcome:
    if status == UNAUTHORIZED:
        return Outcome.REFUSED
    if status >= SERVER_FAULT or status in FAILED or not isinstance(answer, (dict, list)):
        return Outcome.FAILED
    return Outcome.ANSWERED


@contextmanager
def _place(op: str) -> Iterator[None]:
    """Keep most threads of a web process free for everything else, however slow the provider is.

    Raises:
        ProviderUnavailableError: enough of them are in calls; a worker goes on in a moment.
    """
    if settings.ROLE != "web":
        yield
        return
    places = _places(settings.MP_WEB_CALLS)
    if not places.acquire(blocking=False):
        metrics.count_call(op, "held")
        raise ProviderUnavailableError("too many threads are in calls", retry_after=SOON)
    try:
        yield
    finally:
        places.release()


@lru_cache(maxsize=4)
def _places(count: int) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(count)

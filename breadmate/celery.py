"""The Celery application.

Only the engine publishes, and what it publishes can be lost: the rows in Postgres are the truth and are offered again
(ADR-0003). Tasks are claimed by a lease on their row, so running one twice does no harm; a lease is good for nothing where
the clock is wrong, so no worker starts there.
"""

import os
from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from celery.signals import worker_init, worker_ready
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from breadmate import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breadmate.settings")


def broker_url(redis_url: str) -> str:
    """Say a ``REDIS_URL`` in kombu's spelling: a socket is ``redis+socket://``, everything else is the same."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parts.query.partition("db=")[2] or "0"
    return f"redis+socket://{parts.path}?virtual_host={database}"


app = Celery("breadmate")
app.conf.update(
    broker_url=broker_url(settings.REDIS_URL) if settings.REDIS_URL else "memory://",
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 60,
        "socket_connect_timeout": 0.2,
        "socket_timeout": 5,
        # kombu would try for ever, and the engine with it, each time it publishes to a broker that is away.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
        "connect_retries_timeout": 1,
    },
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=5,
    worker_hijack_root_logger=False,
    timezone="UTC",
)
app.autodiscover_tasks()


@worker_init.connect  # type: ignore[untyped-decorator]  # celery has no types
def look_at_the_clock(**_: Any) -> None:
    """Refuse to work by a clock that differs from the database's; a database that is away is no reason to.

    Raises:
        SystemExit: it differs by more than ``clock.MOST_SKEW``.
    """
    from apps.core import clock  # noqa: PLC0415 - the apps are ready only now

    try:
        skew = clock.skew()
    except (DatabaseError, InterfaceError):
        return
    finally:
        connection.close()
    if skew > clock.MOST_SKEW:
        raise SystemExit(f"The clock here and the database's differ by {skew}.")


@worker_ready.connect  # type: ignore[untyped-decorator]  # celery has no types
def look_seldom_for_garbage(**_: Any) -> None:
    """Let what is loaded be looked through no more."""
    garbage.look_seldom()

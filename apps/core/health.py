"""Health answers: alive touches nothing, ready asks only our own database."""

import logging

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.core import clock

logger = logging.getLogger(__name__)

_migrated = False


def live(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "healthy"})


def ready(request: HttpRequest) -> HttpResponse:
    """Say whether work may be sent here: the database answers, by about the same clock, and its migrations are applied.

    Redis and the payment provider are left out on purpose: without them work goes on, and a probe that fails everywhere at
    once would close the shop.
    """
    try:
        if (skew := clock.skew()) > clock.MOST_SKEW:
            logger.error("not ready: the clock here and the database's differ by %s", skew)
            return JsonResponse({"status": "clock_differs"}, status=503)
        if not _is_migrated():
            return JsonResponse({"status": "migrating"}, status=503)
    except (DatabaseError, InterfaceError) as problem:
        logger.warning("not ready: %r", problem)
        return JsonResponse({"status": "database_unavailable"}, status=503)
    return JsonResponse({"status": "healthy"})


def _is_migrated() -> bool:
    """Look once; a migrated database stays migrated for the life of the process."""
    global _migrated  # noqa: PLW0603 - a process-wide memory of one fact
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated

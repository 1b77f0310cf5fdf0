"""``manage.py after_restore``."""

import json
from datetime import datetime
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from apps.core import dispatch
from apps.core.audit import audit
from apps.core.models import StoredEvent
from apps.orders import facade as orders
from breadmate import subscriptions

NUMBERS_SKIPPED = 100
COUNTED = ("stores_store", "catalog_product", "orders_order", "payments_charge", "payments_refund", "core_storedevent")


class Command(BaseCommand):
    """Make a restored database fit to sell with, and say in one line of JSON how it stands; backups call it."""

    help = "Acerta um banco recém-restaurado: migrações, números de pedido; e confere tudo."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, move the order numbers on, do what is overdue, check every rule, count."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_last_xact_replay_timestamp()")
            (last_commit_at,) = cursor.fetchone()  # None when the copy alone came back
        call_command("migrate", interactive=False, verbosity=0)
        if last_commit_at is None:
            last_commit_at = StoredEvent.objects.order_by("-id").values_list("occurred_at", flat=True).first()
        orders.skip_numbers(count=NUMBERS_SKIPPED)
        _catch_up(timezone.now())
        broken = {verdict.id: verdict.violations for verdict in audit() if verdict.violations}
        with connection.cursor() as cursor:
            rows = {}
            for table in COUNTED:
                cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names
                (rows[table],) = cursor.fetchone()
        told = {
            "ok": not broken,
            "broken": broken,
            "rows": rows,
            "last_commit_at": last_commit_at.isoformat() if last_commit_at else None,
        }
        self.stdout.write(json.dumps(told))


def _catch_up(at: datetime) -> None:
    """Do what the engine would have done since, as far as it calls nobody: else what is merely late looks broken."""
    while orders.expire_unpaid(at=at):
        pass
    while dispatch.deliver_new(subscriptions.AFTER_COMMIT, at=at):
        pass

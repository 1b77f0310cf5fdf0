"""``manage.py close_day``: compare one day of one store with the provider now; exit 1 when something differs."""

import sys
import time
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.core.facade import SYSTEM, DomainError, brl
from apps.payments import closing
from apps.payments.differences import ClosingState
from apps.payments.models import Closing
from apps.stores.facade import every_store

PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    """Does the closing of one day, again if it was done before, and says what differs."""

    help = "Confere um dia de uma loja com o Mercado Pago; sai com 1 quando há diferença."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the store and the day."""
        parser.add_argument("--store", required=True, help="código da loja")
        parser.add_argument("--day", required=True, type=date.fromisoformat, help="dia da loja, AAAA-MM-DD")
        parser.add_argument("--wait", type=float, default=60.0, help="por quantos segundos insistir sem resposta")

    def handle(self, *args: Any, **options: Any) -> None:
        """Close and say."""
        store = next((each for each in every_store() if each.code == options["store"]), None)
        if store is None:
            raise CommandError("Não há loja com este código.")
        try:
            row = closing.close_again(store_id=store.id, day=options["day"], by=SYSTEM, at=timezone.now())
        except DomainError as refusal:
            raise CommandError(refusal.detail) from None
        done = self._work(row, options["wait"])
        open_lines = list(done.lines.filter(repaired_at=None).select_related("order").order_by("found_at", "id"))
        self.stdout.write(
            f"{store.code} {done.day}: {done.charges} cobranças, recebido aqui {brl(done.ours_paid)} e lá "
            f"{brl(done.theirs_paid)}, devolvido aqui {brl(done.ours_refunded)} e lá {brl(done.theirs_refunded)}"
        )
        for line in open_lines:
            self.stdout.write(f"✖ {line}: aqui {brl(line.ours)}, lá {brl(line.theirs)}. {line.reason}")
        if open_lines:
            sys.exit(1)

    def _work(self, row: Closing, patience: float) -> Closing:
        end = time.monotonic() + patience
        while row.state != ClosingState.DONE:
            now = timezone.now()
            due = row.next_check_at is None or row.next_check_at <= now
            moved = closing.advance_closing(closing_id=row.id, at=now) if due else None
            row.refresh_from_db()
            if moved is None or row.problem:
                if time.monotonic() > end:
                    raise CommandError(f"O Mercado Pago não respondeu: {row.problem or 'outro processo está nisto'}.")
                time.sleep(PAUSE_SECONDS)
        return row

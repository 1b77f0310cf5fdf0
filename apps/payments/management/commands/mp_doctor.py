"""``manage.py mp_doctor``: look at the way to Mercado Pago and say the cure for what is wrong; exit 1 then."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.core.facade import Level
from apps.payments import setup
from apps.payments.doctor import examine


class Command(BaseCommand):
    """Makes a QR over R$ 1,00 in every store and cancels it; changes nothing of ours."""

    help = "Confere token, caixas, QR, avisos e relógio; sai com 1 quando algo está errado."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the store and the form."""
        parser.add_argument("--store", help="código da loja; sem ele, todas")
        parser.add_argument("--json", action="store_true", help="JSON em vez de texto")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look and say."""
        wanted = setup.stores_to_set_up(options["store"])
        if not wanted:
            raise CommandError("Não há loja de verdade com este código.")
        found = [(store, finding) for store in wanted for finding in examine(store, at=timezone.now())]
        ok = not any(finding.level == Level.BAD for _, finding in found)
        if options["json"]:
            checks = [
                {"store": store.code, "id": one.id, "level": one.level.name.lower(), "text": one.text, "cure": one.cure}
                for store, one in found
            ]
            self.stdout.write(json.dumps({"ok": ok, "checks": checks}, ensure_ascii=False))
        else:
            for store, finding in found:
                self.stdout.write(f"{finding.level:<8}{store.code}  {finding.text}")
                if finding.cure:
                    self.stdout.write(f"    → {finding.cure}")
        if not ok:
            sys.exit(1)

"""``manage.py audit_invariants``."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from apps.core.audit import audit
from breadmate.postgres.patience import patience


class Command(BaseCommand):
    """Check every rule that must hold over the whole database; exit 1 when one is broken."""

    help = "Confere as regras que valem para o banco inteiro."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ``--json``."""
        parser.add_argument("--json", action="store_true", help="uma linha de JSON em vez de texto")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check and say. A rule may read every row there is, which takes as long as it takes."""
        waiting = patience.set(None)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        verdicts = list(audit())
        patience.reset(waiting)
        ok = not any(verdict.violations for verdict in verdicts)
        if options["json"]:
            checks = [{"id": v.id, "ok": not v.violations, "violations": v.violations} for v in verdicts]
            self.stdout.write(json.dumps({"ok": ok, "checks": checks}))
        else:
            for verdict in verdicts:
                self.stdout.write(f"{'ok ' if not verdict.violations else 'QUEBRADA'} {verdict.id}  {verdict.rule}")
                for violation in verdict.violations:
                    self.stdout.write(f"      {violation}")
        if not ok:
            sys.exit(1)

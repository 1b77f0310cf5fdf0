"""``manage.py audit_invariants``."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.core.audit import audit


class Command(BaseCommand):
    """Check every rule that must hold over the whole database; exit 1 when one is broken."""

    help = "Confere as regras que valem para o banco inteiro."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ``--json``."""
        parser.add_argument("--json", action="store_true", help="uma linha de JSON em vez de texto")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check and say."""
        verdicts = list(audit())
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

"""``manage.py doctor``: look at the whole shop and say the cure for what is wrong; exit 1 then."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.core.facade import Level
from breadmate.doctor import examine


class Command(BaseCommand):
    """Looks at servers, processes, disk, backup, certificate and credentials; changes nothing."""

    help = "Confere a loja inteira e diz o remédio; sai com 1 quando algo está errado."
    requires_system_checks = ()  # it says them itself, with the rest

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the form."""
        parser.add_argument("--json", action="store_true", help="JSON em vez de texto")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look and say."""
        found = []
        for finding in examine(at=timezone.now()):
            found.append(finding)
            if not options["json"]:
                self.stdout.write(f"{finding.level:<8}{finding.text}")
                if finding.cure:
                    self.stdout.write(f"        → {finding.cure}")
        ok = not any(finding.level == Level.BAD for finding in found)
        if options["json"]:
            lines = [
                {"id": one.id, "level": one.level.name.lower(), "text": one.text, "cure": one.cure} for one in found
            ]
            self.stdout.write(json.dumps({"ok": ok, "checks": lines}, ensure_ascii=False))
        if not ok:
            sys.exit(1)

"""``manage.py prepare``: make the database ready for the processes, quickly when it already is."""

import json
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from apps.catalog.models import Category
from apps.catalog.services import create_category
from apps.core import partitions
from apps.core.facade import SYSTEM
from apps.stores.models import Store
from breadmate import demo, first_run
from breadmate.migrating import patiently


class Command(BaseCommand):
    """Migrate when something is new, make partitions, give an empty database the demo shop or the first categories."""

    help = "Prepara o banco: migrações, partições, primeiras categorias e, com DEMO=1, a loja de demonstração."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where the demo's credentials are to be written."""
        parser.add_argument("--demo-file", type=Path, help="onde escrever as credenciais da demonstração")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do only what is missing."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("migrating")
            self.stdout.flush()
            patiently(lambda: call_command("migrate", interactive=False, verbosity=1))
        now = timezone.now()
        partitions.ensure(now)
        if settings.DEMO:
            demo.refuse_in_production()
            self._demo(options["demo_file"])
        else:
            self._shop(options["demo_file"], now)

    def _shop(self, file: Path | None, now: datetime) -> None:
        """Give a shop of its own the first categories, and say how its owner gets in while it has none."""
        if not Category.objects.exists():
            for position, name in enumerate(settings.CATEGORIES):
                create_category(terms={"name": name, "position": position}, by=SYSTEM, at=now)
        if not first_run.is_owned():
            self._write(file, {"set_up": first_run.way_in()})
        elif file is not None and "set_up" in _read(file):
            self._write(file, {})

    def _demo(self, file: Path | None) -> None:
        now = timezone.now()
        if not Store.objects.exists():
            self.stdout.write("filling the demo shop")
            self.stdout.flush()
            self._write(file, demo.seed(now))
        elif demo.is_demo() and file is not None and not demo.still_valid(_read(file)):
            self._write(file, demo.credentials(now))

    def _write(self, file: Path | None, told: dict[str, Any]) -> None:
        if file is None:
            self.stdout.write(json.dumps(told))
            return
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(json.dumps(told))


def _read(file: Path) -> dict[str, Any]:
    try:
        told = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}

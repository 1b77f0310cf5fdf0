"""``manage.py seed_demo``."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.stores.models import Store
from breadmate import demo


class Command(BaseCommand):
    """Fill an empty database with the demo shop and print its credentials."""

    help = "Enche um banco vazio com a loja de demonstração."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed once."""
        demo.refuse_in_production()
        if Store.objects.exists():
            raise CommandError("este banco já tem lojas; a demonstração só entra em um banco vazio")
        self.stdout.write(json.dumps(demo.seed(timezone.now())))

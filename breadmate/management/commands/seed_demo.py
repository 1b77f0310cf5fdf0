"""``manage.py seed_demo``."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.orders.models import Order
from apps.stores.models import Store
from breadmate import demo
from breadmate.demo_orders import seed_orders


class Command(BaseCommand):
    """Fill an empty database with the demo shop, and give it a past."""

    help = "Enche um banco vazio com a loja de demonstração; --orders N acrescenta um passado de N pedidos."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how many past orders to add."""
        parser.add_argument("--orders", type=int, default=0, help="quantos pedidos antigos criar")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed the shop unless it is there, then its past unless it has one."""
        demo.refuse_in_production()
        if not Store.objects.exists():
            self.stdout.write(json.dumps(demo.seed(timezone.now())))
        elif not demo.is_demo():
            raise CommandError("este banco já tem lojas de verdade; a demonstração só entra em um banco vazio")
        if options["orders"] > 0:
            if Order.objects.filter(placed_at__lt=timezone.now() - timedelta(days=1)).exists():
                raise CommandError("a loja de demonstração já tem um passado")
            seed_orders(options["orders"], timezone.now(), self._say)

    def _say(self, done: int) -> None:
        self.stdout.write(f"{done} orders")
        self.stdout.flush()

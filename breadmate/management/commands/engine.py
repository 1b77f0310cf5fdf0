"""``manage.py engine``."""

from typing import Any

from django.core.management.base import BaseCommand

from breadmate.engine import Engine


class Command(BaseCommand):
    """Run the engine until it is told to stop."""

    help = "Entrega eventos e cuida dos prazos; pode haver mais de um."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it."""
        Engine().run()

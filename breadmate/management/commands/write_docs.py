"""``manage.py write_docs``."""

from typing import Any

from django.core.management.base import BaseCommand

from breadmate import docs


class Command(BaseCommand):
    """Write the documents that are made from the code."""

    help = "Escreve os documentos gerados do código."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write them all."""
        for name, make in docs.MADE.items():
            (docs.DOCS / name).write_text(make())
            self.stdout.write(f"docs/{name}")

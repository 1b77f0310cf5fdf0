"""``manage.py renew_customer_ciphers``: seal every CPF and CNPJ under the current key, so that an older key can go."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.customers import services

BATCH = 500


class Command(BaseCommand):
    """Works in small transactions beside the running shop; may be interrupted and started again."""

    help = "Recifra os documentos dos clientes com a chave atual."

    def handle(self, *args: Any, **options: Any) -> None:
        """Go on until nothing is left under an older key."""
        total = 0
        while renewed := services.renew_ciphers(most=BATCH):
            total += renewed
        self.stdout.write(f"{total} renewed")

"""``manage.py renew_account_ciphers``: seal every provider account under the current key, so that an older key can go."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.payments import accounts


class Command(BaseCommand):
    """May run beside the shop and be repeated."""

    help = "Recifra as credenciais das contas do provedor com a chave atual."

    def handle(self, *args: Any, **options: Any) -> None:
        """Renew what is under an older key."""
        self.stdout.write(f"{accounts.renew_ciphers()} renewed")

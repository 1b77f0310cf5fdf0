"""``manage.py mp_setup``: make Mercado Pago know our stores and kiosks; may be run again at any time."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.payments import setup
from apps.payments.errors import ProviderError
from apps.payments.providers.mercado_pago.places import Location

PARTS = {"street": "rua", "number": "número", "city": "cidade", "state": "estado por extenso"}
WHERE = "--street, --number, --city, --state, --latitude e --longitude"


class Command(BaseCommand):
    """Registers each store, its till and one till a kiosk, in the account the store uses."""

    help = "Cadastra lojas e caixas no Mercado Pago; o que já existe fica como está."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the store, and where it is."""
        parser.add_argument("--store", help="código da loja; sem ele, todas")
        for name, meaning in PARTS.items():
            parser.add_argument(f"--{name}", default="", help=f"{meaning}; só para loja que o Mercado Pago não conhece")
        for name in ("latitude", "longitude"):
            parser.add_argument(f"--{name}", type=float)

    def handle(self, *args: Any, **options: Any) -> None:
        """Register and say."""
        wanted = setup.stores_to_set_up(options["store"])
        if not wanted:
            raise CommandError("Não há loja de verdade com este código.")
        location = _location(options)
        if location is not None and len(wanted) > 1:
            raise CommandError("Um endereço é de uma loja só: diga qual com --store.")
        for store in wanted:
            try:
                steps = setup.set_up(store, location=location)
            except setup.LocationMissingError:
                raise CommandError(f"O Mercado Pago não conhece a loja {store.code}: informe {WHERE}.") from None
            except ProviderError as problem:
                raise CommandError(
                    f"{store.code}: o Mercado Pago não aceitou ({problem}). Veja com mp_doctor."
                ) from None
            for step in steps:
                self.stdout.write(f"{'criado ' if step.made else 'já havia'} {step.external_id}  {step.what}")


def _location(options: dict[str, Any]) -> Location | None:
    told = [options[name] for name in (*PARTS, "latitude", "longitude")]
    if all(part in ("", None) for part in told):
        return None
    if any(part in ("", None) for part in told):
        raise CommandError(f"O endereço precisa de {WHERE}.")
    return Location(*told)

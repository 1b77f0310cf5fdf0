"""The commands of docs/mercado-pago.md and docs/closing.md, as they stand there."""

import shlex
from io import StringIO

from django.core.management import call_command

from apps.stores.models import Store
from tests.docs.documents import command
from tests.fixtures import Screen
from tests.payments.conftest import Provider


def type_in(beginning: str) -> str:
    python, manage, *words = shlex.split(command(beginning))
    assert (python, manage) == (".venv/bin/python", "manage.py")
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_store_and_tills_are_made_known(provider: Provider, store: Store, kiosk: Screen) -> None:
    provider.sim.pos.clear()

    assert type_in(".venv/bin/python manage.py mp_setup").count("criado") == 3


def test_day_is_closed(provider: Provider, store: Store) -> None:
    assert "0 cobranças, recebido aqui R$ 0,00 e lá R$ 0,00" in type_in(".venv/bin/python manage.py close_day")

"""Every state a row ever had, for what prices and menus are made of; ``trail`` says the same in words, for everything."""

from typing import Any

from simple_history.models import HistoricalRecords

from apps.core.actors import Actor
from apps.core.models import User


def kept() -> Any:
    """Make the ``history`` of a model: a table of its rows' states, each with its moment and writer."""
    return HistoricalRecords(get_user=_writer)


def _writer(request: Any = None, **_: Any) -> User | None:
    """Return whose request makes the change; devices, clocks and commands are nobody."""
    caller = getattr(request, "user", None)
    if isinstance(caller, Actor):
        return User.objects.filter(pk=caller.id).first() if caller.kind == "staff" and caller.id else None
    return caller if isinstance(caller, User) else None

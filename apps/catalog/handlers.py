"""What the menu hears of the stores."""

from apps.catalog.services import menu_changed
from apps.contracts.events import Event


def on_opening_changed(event: Event) -> None:
    """Let the store's menu say it in the transaction of the change, so that no checkout goes by the old hours.

    Locks: the store's menu version, until commit. Emits: ``MenuChanged``.
    """
    menu_changed(store_ids=[event.subject], at=event.at)

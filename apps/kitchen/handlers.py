"""What the kitchen's surfaces do about events."""

from django.db import transaction

from apps.contracts.events import Envelope
from apps.core.facade import News, tell
from apps.kitchen.models import Call


def on_order_ready(event: Envelope) -> None:
    """Call the order at the panel, once whatever happens to the order later."""
    if event.store is None:
        raise ValueError(event.id)
    number = str(event.payload["number"])
    call = Call(order_id=event.subject, store_id=event.store, number=number, called_at=event.occurred_at)
    Call.objects.bulk_create([call], ignore_conflicts=True)
    transaction.on_commit(lambda: tell(News(type="panel.called", store=event.store, subject=event.subject)))

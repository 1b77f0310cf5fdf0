"""Work that calls the provider, published by the engine."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from apps.payments import closing, refunds, services
from apps.payments.rules import ASK_AT_MOST_EVERY


@shared_task(name="payments.advance_charge", ignore_result=True, acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def advance_charge(*, id_: str, **_: object) -> None:
    """Take one charge a step on; ``**_`` lets a newer publisher add arguments while older workers run."""
    services.advance_charge(charge_id=UUID(id_), at=timezone.now(), rest=ASK_AT_MOST_EVERY)


@shared_task(name="payments.advance_refund", ignore_result=True, acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def advance_refund(*, id_: str, **_: object) -> None:
    """Take one refund a step on; as ``advance_charge``."""
    refunds.advance_refund(refund_id=UUID(id_), at=timezone.now())


@shared_task(name="payments.advance_closing", ignore_result=True, acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def advance_closing(*, id_: str, **_: object) -> None:
    """Take one closing a step on; as ``advance_charge``."""
    closing.advance_closing(closing_id=UUID(id_), at=timezone.now())

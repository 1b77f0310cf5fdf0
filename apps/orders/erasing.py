"""Taking a person out of their orders; the orders stay."""

from uuid import UUID

from django.db import transaction

from apps.core.facade import forget_answers
from apps.orders.models import Order
from apps.orders.rules import CUSTOMER


@transaction.atomic
def forget_customer(*, customer_id: UUID) -> int:
    """Unlink a customer from their orders, blank the name they were called by, forget the answers kept for repeats.

    Returns how many orders that were. Repeating it changes nothing.

    Locks: the customer's orders in the order of their ids, until commit.
    """
    theirs = Order.objects.filter(customer_id=customer_id).order_by("id").select_for_update()
    ids = list(theirs.values_list("id", flat=True))
    forget_answers(f"{CUSTOMER}:{customer_id}")
    return Order.objects.filter(id__in=ids).update(customer=None, guest_name="")

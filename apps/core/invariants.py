"""Rules of events that hold at every commit."""

from apps.core.audit import sql_invariant

sql_invariant(
    "E1",
    "Every event is delivered, or is being delivered, or is in the list of failed deliveries.",
    """
    SELECT id, type, occurred_at FROM core_storedevent
    WHERE dispatched_at IS NULL AND occurred_at < now() - interval '60 seconds'
    """,
)
sql_invariant(
    "E2",
    "A subscriber that failed on an event has no receipt for it, and every receipt is for an event that exists.",
    """
    SELECT receipt.event_id, receipt.handler FROM core_receipt receipt
    LEFT JOIN core_storedevent event ON event.id = receipt.event_id
    LEFT JOIN core_faileddelivery failed ON (failed.event_id, failed.handler) = (receipt.event_id, receipt.handler)
    WHERE event.id IS NULL OR failed.id IS NOT NULL
    """,
)

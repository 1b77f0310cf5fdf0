"""Rules of money that hold at every commit."""

from apps.core.facade import sql_invariant

sql_invariant(
    "P5",
    "A paid order has one approved charge, seen at the provider, of exactly its total; an unpaid or free one has none.",
    """
    SELECT o.id, o.number, o.total, count(charge.id), sum(charge.paid_amount)
    FROM orders_order o
    LEFT JOIN payments_charge charge ON charge.order_id = o.id AND charge.state = 'approved'
    GROUP BY o.id
    HAVING count(charge.id) <> CASE WHEN o.paid_at IS NOT NULL AND o.total > 0 THEN 1 ELSE 0 END
        OR (count(charge.id) = 1 AND sum(charge.paid_amount) <> o.total)
    """,
)

"""Rules of the drawer that hold at every commit."""

from apps.core.facade import sql_invariant

sql_invariant(
    "C1",
    "A closed shift keeps what its person took and handed back while it was open, and what was put in and taken out.",
    """
    SELECT shift.id, shift.cash_received, taken.cash, shift.card_received, taken.card, shift.cash_refunded, back.cash
    FROM counter_shift shift
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(charge.paid_amount) FILTER (WHERE charge.tender = 'cash'), 0) AS cash,
               coalesce(sum(charge.paid_amount) FILTER (WHERE charge.tender = 'card_machine'), 0) AS card
        FROM payments_charge charge JOIN orders_order o ON o.id = charge.order_id
        WHERE charge.method = 'counter' AND charge.confirmed_by = shift.opened_by_id AND o.store_id = shift.store_id
          AND charge.settled_at >= shift.opened_at AND charge.settled_at < shift.closed_at
    ) taken
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(refund.amount), 0) AS cash
        FROM payments_refund refund
        JOIN payments_charge charge ON charge.id = refund.charge_id
        JOIN orders_order o ON o.id = charge.order_id
        WHERE charge.method = 'counter' AND charge.tender = 'cash' AND refund.state = 'done'
          AND refund.asked_by_id = shift.opened_by_id AND o.store_id = shift.store_id
          AND refund.done_at >= shift.opened_at AND refund.done_at < shift.closed_at
    ) back
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount) FILTER (WHERE kind = 'supply'), 0) AS supplied,
               coalesce(sum(amount) FILTER (WHERE kind = 'withdrawal'), 0) AS withdrawn
        FROM counter_cashmovement WHERE shift_id = shift.id
    ) moved
    WHERE shift.closed_at IS NOT NULL
      AND (shift.cash_received, shift.card_received, shift.cash_refunded, shift.supplied, shift.withdrawn)
          IS DISTINCT FROM (taken.cash, taken.card, back.cash, moved.supplied, moved.withdrawn)
    """,
)
sql_invariant(
    "C2",
    "Cash moves only in a shift that is open then.",
    """
    SELECT movement.id, movement.at FROM counter_cashmovement movement
    JOIN counter_shift shift ON shift.id = movement.shift_id
    WHERE movement.at < shift.opened_at OR movement.at >= shift.closed_at
    """,
)
sql_invariant(
    "C3",
    "A person's shifts at one store do not overlap, so that no payment is counted twice.",
    """
    SELECT later.id, earlier.id FROM counter_shift earlier
    JOIN counter_shift later
      ON later.store_id = earlier.store_id AND later.opened_by_id = earlier.opened_by_id AND later.id <> earlier.id
     AND later.opened_at >= earlier.opened_at
    WHERE earlier.closed_at IS NULL OR later.opened_at < earlier.closed_at
    """,
)

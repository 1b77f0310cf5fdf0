"""Rules of stock that hold at every commit."""

from apps.core.facade import sql_invariant

sql_invariant(
    "S1",
    "What is on hand is the sum of all movements.",
    """
    SELECT level.id, level.on_hand, coalesce(sum(movement.delta), 0)
    FROM inventory_stocklevel level
    LEFT JOIN inventory_stockmovement movement USING (store_id, item_id)
    GROUP BY level.id
    HAVING level.on_hand <> coalesce(sum(movement.delta), 0)
    """,
)
sql_invariant(
    "S2",
    "Nothing is promised that is not there.",
    """
    SELECT level.id, level.on_hand, level.reserved, coalesce(sum(held.quantity), 0)
    FROM inventory_stocklevel level
    LEFT JOIN inventory_reservation held
      ON held.store_id = level.store_id AND held.item_id = level.item_id AND held.state = 'held'
    GROUP BY level.id
    HAVING level.reserved < 0 OR level.reserved > level.on_hand OR level.reserved <> coalesce(sum(held.quantity), 0)
    """,
)
sql_invariant(
    "S4",
    "A reservation taken has exactly one movement; one held or released has none; no more comes back than was taken.",
    """
    SELECT reservation.id, reservation.state, count(movement.id)
    FROM inventory_reservation reservation
    LEFT JOIN inventory_stockmovement movement
      ON movement.order_id = reservation.order_id AND movement.item_id = reservation.item_id
     AND movement.reason = 'sale'
    GROUP BY reservation.id
    HAVING count(movement.id) <> CASE reservation.state WHEN 'taken' THEN 1 ELSE 0 END
        OR (reservation.state = 'taken' AND sum(movement.delta) <> -reservation.quantity)
    UNION ALL
    SELECT reservation.id, reservation.state, sum(movement.delta)
    FROM inventory_reservation reservation
    JOIN inventory_stockmovement movement
      ON movement.order_id = reservation.order_id AND movement.item_id = reservation.item_id
     AND movement.reason = 'return'
    GROUP BY reservation.id
    HAVING sum(movement.delta) > CASE reservation.state WHEN 'taken' THEN reservation.quantity ELSE 0 END
    """,
)
sql_invariant(
    "S5",
    "Where all that a product takes is counted, the menu says it is sold out exactly when it cannot be made once.",
    """
    SELECT made.store_id, made.product_id, made.short
    FROM (
        SELECT store.id AS store_id, line.product_id, bool_or(level.on_hand - level.reserved < line.quantity) AS short
        FROM inventory_recipeline line
        CROSS JOIN stores_store store
        LEFT JOIN inventory_stocklevel level ON level.item_id = line.item_id AND level.store_id = store.id
        GROUP BY store.id, line.product_id
        HAVING bool_and(level.id IS NOT NULL)
    ) made
    LEFT JOIN catalog_mark mark
      ON mark.store_id = made.store_id AND mark.product_id = made.product_id AND mark.kind = 'sold_out'
    WHERE made.short <> (mark.id IS NOT NULL)
    """,
)

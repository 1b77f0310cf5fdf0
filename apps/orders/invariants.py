"""Rules of orders that hold at every commit."""

from apps.core.facade import sql_invariant
from apps.orders.rules import CUSTOMER, MOVES, ON_BOARD, UNPAID, Release, Status

LEGAL = ", ".join(
    f"('{kind.value}', {int(source)}, {int(target)})"
    for kind, steps in MOVES.items()
    for source, targets in steps.items()
    for target in targets
)
ENDED = ", ".join(str(int(status)) for status in (Status.EXPIRED, Status.CANCELLED))
PAID = ", ".join(str(int(status)) for status in (*ON_BOARD, Status.FINISHED))
BOARD = ", ".join(str(int(status)) for status in ON_BOARD)
NOT_PAID = ", ".join(str(int(status)) for status in UNPAID)

sql_invariant(
    "S3",
    "A reservation is held only by an order that waits for money, and no longer than it may: a paid one has taken it, an "
    "ended one released it.",
    f"""
    SELECT held.id, o.number, o.status, held.state
    FROM inventory_reservation held
    LEFT JOIN orders_order o ON o.id = held.order_id
    WHERE o.id IS NULL
       OR (held.state = 'held' AND (o.status <> {int(Status.AWAITING_PAYMENT)}
           OR o.expires_at < now() - interval '60 seconds'))
       OR (held.state = 'taken' AND o.paid_at IS NULL)
       OR (held.state = 'released' AND o.status NOT IN ({ENDED}))
    """,
)
sql_invariant(
    "O1",
    "A number is given once a store and day.",
    """
    SELECT store_id, business_day, number, count(*)
    FROM orders_order GROUP BY store_id, business_day, number HAVING count(*) > 1
    """,
)
sql_invariant(
    "O2",
    "An order's history is an unbroken legal path that ends in its status; every version is a step of it or of an item.",
    f"""
    WITH steps AS (
        SELECT change.*, lag(to_status) OVER path AS came_from, lag(at) OVER path AS came_at,
               row_number() OVER path AS place
        FROM orders_statuschange change
        WINDOW path AS (PARTITION BY order_id ORDER BY seq)
    )
    SELECT order_id, seq, 'broken step' FROM steps
    WHERE (place = 1 AND (seq <> 1 OR from_status IS NOT NULL OR to_status <> {int(Status.AWAITING_PAYMENT)}))
       OR (place > 1 AND (from_status IS DISTINCT FROM came_from OR at < came_at
           OR (kind, from_status, to_status) NOT IN ({LEGAL})))
    UNION ALL
    SELECT o.id, o.version, 'history does not end here'
    FROM orders_order o
    LEFT JOIN LATERAL (
        SELECT to_status, seq FROM orders_statuschange WHERE order_id = o.id ORDER BY seq DESC LIMIT 1
    ) last ON true
    WHERE last.to_status IS DISTINCT FROM o.status::smallint OR last.seq > o.version
    UNION ALL
    SELECT o.id, o.version, 'a version that nothing explains'
    FROM orders_order o
    LEFT JOIN (SELECT order_id, count(*) FROM orders_statuschange GROUP BY order_id) steps ON steps.order_id = o.id
    LEFT JOIN (
        SELECT subject_id, count(DISTINCT seq) FROM core_storedevent
        WHERE type IN ('order.item_moved', 'order.item_voided', 'order.change_acknowledged')
        GROUP BY subject_id
    ) items ON items.subject_id = o.id
    WHERE o.version <> coalesce(steps.count, 0) + coalesce(items.count, 0)
    """,
)
sql_invariant(
    "O3",
    "The kitchen has every paid order once and no other: each thing to make in it has one preparation, voided only with its "
    "item or its order.",
    f"""
    WITH things AS (
        SELECT line.order_id, line.id AS line_id, slot.id AS slot_id
        FROM orders_orderline line LEFT JOIN orders_orderslot slot ON slot.line_id = line.id
    )
    SELECT o.id, o.number, thing.line_id, thing.slot_id, count(preparation.id)
    FROM orders_order o
    JOIN things thing ON thing.order_id = o.id
    LEFT JOIN orders_preparation preparation
      ON preparation.line_id = thing.line_id AND preparation.slot_id IS NOT DISTINCT FROM thing.slot_id
    GROUP BY o.id, thing.line_id, thing.slot_id
    HAVING count(preparation.id) <> CASE WHEN o.paid_at IS NOT NULL THEN 1 ELSE 0 END
    UNION ALL
    SELECT line.order_id, o.number, line.id, preparation.slot_id, 1
    FROM orders_preparation preparation
    JOIN orders_orderline line ON line.id = preparation.line_id
    JOIN orders_order o ON o.id = line.order_id
    LEFT JOIN things thing
      ON thing.line_id = preparation.line_id AND thing.slot_id IS NOT DISTINCT FROM preparation.slot_id
    WHERE thing.line_id IS NULL
    UNION ALL
    SELECT line.order_id, o.number, line.id, preparation.slot_id, 1
    FROM orders_preparation preparation
    JOIN orders_orderline line ON line.id = preparation.line_id
    JOIN orders_order o ON o.id = line.order_id
    LEFT JOIN orders_orderlinevoid void ON void.line_id = line.id
    WHERE (preparation.state = 'voided')
       <> (void.id IS NOT NULL OR o.status = {int(Status.CANCELLED)})
    UNION ALL
    SELECT o.id, o.number, NULL, NULL, NULL FROM orders_order o
    WHERE (o.status IN ({PAID}) AND o.paid_at IS NULL) OR (o.status IN ({NOT_PAID}) AND o.paid_at IS NOT NULL
           AND o.status <> {int(Status.CANCELLED)})
    """,
)
sql_invariant(
    "O4",
    "A key of one principal has made one order, and its answer names that order.",
    """
    SELECT key.principal, key.key, answer.body ->> 'id'
    FROM core_idempotencykey key
    CROSS JOIN LATERAL (SELECT convert_from(key.body, 'UTF8')::jsonb AS body) answer
    LEFT JOIN orders_order o ON o.id::text = answer.body ->> 'id'
    WHERE answer.body ? 'number' AND (o.id IS NULL OR o.placed_by_kind || ':' || o.placed_by_id <> key.principal)
    """,
)
sql_invariant(
    "O5",
    "Every order on the board has its place in the queue.",
    f"SELECT id, number FROM orders_order WHERE status IN ({BOARD}) AND queue_at IS NULL",
)
sql_invariant(
    "O6",
    "Lines with all their choices add up to the subtotal, discounts to what is taken off; with packaging they are the total.",
    """
    WITH options AS (
        SELECT line_id, sum(quantity * unit_price) AS price FROM orders_orderlineoption GROUP BY line_id
    ), slots AS (
        SELECT line_id, sum(price_delta) AS price FROM orders_orderslot GROUP BY line_id
    ), taken AS (
        SELECT order_id, sum(amount) AS amount FROM orders_orderdiscount GROUP BY order_id
    ), lines AS (
        SELECT line.order_id, sum(line.total) AS total,
               bool_and(line.total = line.quantity
                        * (line.unit_price + coalesce(slots.price, 0) + coalesce(options.price, 0))) AS adds_up
        FROM orders_orderline line
        LEFT JOIN options ON options.line_id = line.id
        LEFT JOIN slots ON slots.line_id = line.id
        GROUP BY line.order_id
    )
    SELECT o.id, o.number, o.subtotal, lines.total
    FROM orders_order o LEFT JOIN lines ON lines.order_id = o.id LEFT JOIN taken ON taken.order_id = o.id
    WHERE coalesce(taken.amount, 0) <> o.discount_total OR lines.total IS DISTINCT FROM o.subtotal
       OR NOT lines.adds_up OR o.total <> o.subtotal - o.discount_total + o.packaging_fee
       OR (o.packaging_fee > 0 AND o.dining_option <> 'take_out')
    """,
)
sql_invariant(
    "O7",
    "What is not sold to everybody is paid only in an order that staff have let go.",
    f"""
    SELECT o.id, o.number, o.release FROM orders_order o
    WHERE o.release <> '{Release.RELEASED.value}'
      AND (o.paid_at IS NOT NULL OR o.release = '')
      AND EXISTS (SELECT FROM orders_orderline line WHERE line.order_id = o.id AND line.needs_release)
    """,
)
sql_invariant(
    "E3",
    "Every step of an order has told its event once, in the same order.",
    """
    SELECT change.order_id, change.seq, count(event.id)
    FROM orders_statuschange change
    LEFT JOIN core_storedevent event
      ON event.subject_id = change.order_id AND event.seq = change.seq AND event.type = 'order.status_changed'
    GROUP BY change.id
    HAVING count(event.id) <> 1
    """,
)
sql_invariant(
    "E4",
    "No event tells of a step that was never taken.",
    """
    SELECT event.id, event.subject_id, event.seq
    FROM core_storedevent event
    LEFT JOIN orders_statuschange change ON change.order_id = event.subject_id AND change.seq = event.seq
    WHERE event.type = 'order.status_changed' AND change.id IS NULL
    """,
)
sql_invariant(
    "D2-orders",
    "No order carries the name of a customer who was erased.",
    f"""
    SELECT o.id, o.number FROM orders_order o
    JOIN customers_customer customer ON customer.id = o.placed_by_id
    WHERE o.placed_by_kind = '{CUSTOMER}' AND customer.erased_at IS NOT NULL AND o.guest_name <> ''
    """,
)

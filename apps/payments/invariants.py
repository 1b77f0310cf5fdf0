"""Rules of money that hold at every commit."""

from apps.core.facade import sql_invariant
from apps.orders.facade import Status
from apps.payments.rules import KEEPS_ORDER, PAID, REFUND_COUNTS

PAID_ORDER = ", ".join(
    str(int(each)) for each in (Status.RECEIVED, Status.IN_PREPARATION, Status.READY, Status.FINISHED)
)
ENDED_ORDER = ", ".join(str(int(each)) for each in (Status.EXPIRED, Status.CANCELLED))
KEEPS = ", ".join(f"'{cause}'" for cause in KEEPS_ORDER)
COUNTS = ", ".join(f"'{state}'" for state in REFUND_COUNTS)
KEPT = ", ".join(f"'{state}'" for state in (*PAID, "refunded", "charged_back"))

sql_invariant(
    "P1",
    "An order being made or handed over keeps its total less what was credited; an ended one keeps nothing, once no refund "
    "is under way. Money that is late, divergent or contested is told apart (P2, the list of charges).",
    f"""
    WITH money AS (
        SELECT order_id, sum(CASE WHEN pays_order THEN amount ELSE paid_amount END) - sum(refunded_amount) AS kept,
               bool_or(state = 'charged_back') AS contested
        FROM payments_charge WHERE state NOT IN ('mismatch', 'late') GROUP BY order_id
    ), credited AS (
        SELECT charge.order_id, sum(refund.amount) AS amount
        FROM payments_refund refund JOIN payments_charge charge ON charge.id = refund.charge_id
        WHERE refund.state = 'done' AND refund.cause IN ({KEEPS}) AND charge.pays_order GROUP BY charge.order_id
    )
    SELECT o.id, o.number, o.total, money.kept, credited.amount
    FROM orders_order o
    LEFT JOIN money ON money.order_id = o.id
    LEFT JOIN credited ON credited.order_id = o.id
    WHERE NOT coalesce(money.contested, false)
      AND ((o.status IN ({PAID_ORDER}) AND money.kept IS NOT NULL AND money.kept <> o.total - coalesce(credited.amount, 0))
           OR (o.status IN ({ENDED_ORDER}) AND coalesce(money.kept, 0) <> 0))
      AND NOT EXISTS (
        SELECT FROM payments_refund refund JOIN payments_charge charge ON charge.id = refund.charge_id
        WHERE charge.order_id = o.id AND refund.state <> 'done'
      )
    """,
)
sql_invariant(
    "P2",
    "Money that pays no order goes back: a late charge owes all of it.",
    """
    SELECT charge.id, charge.order_id, charge.paid_amount, coalesce(sum(refund.amount), 0)
    FROM payments_charge charge LEFT JOIN payments_refund refund ON refund.charge_id = charge.id
    WHERE charge.state = 'late'
    GROUP BY charge.id
    HAVING charge.paid_amount > coalesce(sum(refund.amount), 0)
    """,
)
sql_invariant(
    "P3",
    "At most one charge pays an order.",
    """
    SELECT order_id, count(*) FROM payments_charge WHERE pays_order GROUP BY order_id HAVING count(*) > 1
    """,
)
sql_invariant(
    "P4",
    "What goes back of a charge is never more than was paid, and what is back is the sum of its done refunds.",
    f"""
    SELECT charge.id, charge.paid_amount, charge.refunded_amount
    FROM payments_charge charge LEFT JOIN payments_refund refund ON refund.charge_id = charge.id
    GROUP BY charge.id
    HAVING coalesce(sum(refund.amount) FILTER (WHERE refund.state IN ({COUNTS})), 0) > charge.paid_amount
        OR coalesce(sum(refund.amount) FILTER (WHERE refund.state = 'done'), 0) <> charge.refunded_amount
    """,
)
sql_invariant(
    "P5",
    "A paid order is paid by a charge of exactly its total, seen at the provider or taken by signed-in staff; no other is.",
    f"""
    SELECT o.id, o.number, o.total, charge.id, charge.state, charge.paid_amount
    FROM orders_order o
    LEFT JOIN payments_charge charge ON charge.order_id = o.id AND charge.pays_order
    WHERE (charge.id IS NULL) <> (o.paid_at IS NULL OR o.total = 0)
       OR charge.state NOT IN ({KEPT}) OR charge.paid_amount <> o.total
       OR (charge.method = 'counter' AND charge.confirmed_by IS NULL)
       OR (charge.method <> 'counter' AND charge.provider_order_id IS NULL)
    """,
)
sql_invariant(
    "P6",
    "Every charge asks for exactly what the server priced its order at.",
    """
    SELECT charge.id, o.number, charge.amount, o.total
    FROM payments_charge charge JOIN orders_order o ON o.id = charge.order_id
    WHERE charge.amount <> o.total
    """,
)
sql_invariant(
    "P7",
    "In a store for training no code is a provider's, and in no other store a code pays itself.",
    """
    SELECT charge.id, charge.method, store.code
    FROM payments_charge charge
    JOIN orders_order o ON o.id = charge.order_id
    JOIN stores_store store ON store.id = o.store_id
    WHERE charge.method <> 'counter' AND (charge.method = 'training') <> store.training
    """,
)

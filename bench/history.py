"""Gives a seeded database a past: orders of months with all their rows, as the services would have left them.

Run by its path in the folder of the version to be measured, after ``seed.py``: ``python …/bench/history.py ORDERS``. Every
store had ``A_DAY`` orders a day up to now and has ``ON_BOARD`` of them on its board. Prints who may look at them.
"""

import json
import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path

A_DAY = 720
ON_BOARD = 40
OWNER = "dona@example.org"

# The n-th order back of each store; ids are those of the time they were made, so that indexes grew as they do in a shop.
PAST = """
CREATE UNLOGGED TABLE bench_past AS
SELECT uuidv7(-age) AS id, now() - age AS at, store.id AS store, device.id AS device, n,
    CASE WHEN n < {on_board} THEN 1 + n % 3 WHEN n % 20 = 0 THEN 5 ELSE 4 END AS status
FROM generate_series(0, {each} - 1) AS n, stores_store AS store
    CROSS JOIN LATERAL (SELECT id FROM stores_device WHERE store_id = store.id ORDER BY id LIMIT 1) AS device,
    LATERAL (SELECT (n + 1) * interval '1 day' / {a_day} AS age) AS ages
ORDER BY at;
"""
ORDERS = """
INSERT INTO orders_order (id, store_id, business_day, number, channel, status, version, dining_option, guest_name,
    table_tracker, subtotal, discount_total, total, placed_by_kind, placed_by_id, tracking_token, pickup_code, placed_at,
    expires_at, paid_at, queue_at, promised_at, ready_at, moved_at, cancel_reason, attention)
SELECT id, store, (at AT TIME ZONE 'America/Sao_Paulo')::date, 'T' || 1000 + n % 8999, 'T', status, 5, 'eat_in', '', '',
    22.5, 0, 22.5, 'device', device, md5(id::text), '1234', at, at + interval '15 minutes', paid, paid,
    paid + interval '8 minutes', CASE WHEN status IN (3, 4) THEN at END, at, '', ''
FROM bench_past, LATERAL (SELECT CASE WHEN status <> 5 THEN at END AS paid) AS moments;
"""
LINES = """
INSERT INTO orders_orderline (id, order_id, position, product_id, name, station, quantity, unit_price, total, note)
SELECT uuidv7(past.at - now()), past.id, place, product.id, product.name, product.station, 1, 7.5, 7.5, ''
FROM bench_past AS past, generate_series(1, 3) AS place,
    LATERAL (SELECT id, name, station FROM bench_products WHERE at = (past.n + place) % {products}) AS product;
"""
OPTIONS = """
INSERT INTO orders_orderlineoption (id, line_id, option_id, name, quantity, unit_price)
SELECT uuidv7(past.at - now()), line.id, (SELECT id FROM catalog_option LIMIT 1), 'Extra', 1, 0
FROM orders_orderline AS line JOIN bench_past AS past ON past.id = line.order_id WHERE position > 1;
"""
PREPARATIONS = """
INSERT INTO orders_preparation (id, line_id, station, state, started_at, done_at)
SELECT uuidv7(past.at - now()), line.id, line.station, CASE WHEN status = 1 THEN 'queued' ELSE 'done' END,
    CASE WHEN status <> 1 THEN at END, CASE WHEN status <> 1 THEN at END
FROM orders_orderline AS line JOIN bench_past AS past ON past.id = line.order_id WHERE status <> 5;
"""
STEPS = """
INSERT INTO orders_statuschange (id, order_id, seq, from_status, to_status, kind, at, actor_kind, actor_id)
SELECT uuidv7(at - now()), id, seq, seq - 2, seq - 1, 'move', at, 'device', device
FROM bench_past, generate_series(1, 5) AS seq WHERE seq > 1;
"""
EVENTS = """
INSERT INTO core_storedevent (id, type, version, occurred_at, store_id, subject_id, seq, correlation_id, payload,
    dispatched_at)
SELECT uuidv7(at - now()), 'order.paid', 1, at, store, id, seq, 'bench', jsonb_build_object('order', id, 'number', n), at
FROM bench_past, generate_series(1, 5) AS seq;
"""
CHARGES = """
INSERT INTO payments_charge (id, order_id, method, state, version, amount, paid_amount, pays_order, principal, client_key,
    request_hash, reference, create_key, create_body, provider_order_id, provider_account, provider_payment_id,
    provider_status, qr_data, tender, mismatch, created_at, expires_at, settled_at, compared_at, refunded_amount)
SELECT uuidv7(at - now()), id, 'mercado_pago_qr', CASE WHEN status = 5 THEN 'expired' ELSE 'approved' END, 3, 22.5,
    CASE WHEN status = 5 THEN 0 ELSE 22.5 END, status <> 5, 'device', id::text, '\\x00', 'BM-' || id, id::text, '\\x00',
    'ORD' || id, '1', 'PAY' || id, 'processed', repeat('q', 120), '', '', at, at + interval '15 minutes',
    CASE WHEN status <> 5 THEN at END, at, 0
FROM bench_past;
"""
NOTICES = """
INSERT INTO payments_webhookevent (id, received_at, topic, kind, resource_id, action, charge_id, signature, dedup_key,
    headers, body, processed_at, outcome)
SELECT uuidv7(created_at - now()), created_at, 'order', 'order', provider_order_id, 'order.processed', id, 'valid',
    sha256(id::text::bytea), jsonb_build_object(), '\\x00', created_at, 'look'
FROM payments_charge;
"""
HOLDS = """
INSERT INTO inventory_reservation (id, order_id, store_id, item_id, quantity, state, made_at, ended_at)
SELECT uuidv7(past.at - now()), past.id, past.store, item.id, 1,
    CASE WHEN status = 5 THEN 'released' ELSE 'taken' END, past.at, past.at
FROM bench_past AS past, generate_series(1, 3) AS place,
    LATERAL (SELECT id FROM bench_items WHERE at = (past.n + place) % {products}) AS item;
"""
MOVEMENTS = """
INSERT INTO inventory_stockmovement (id, store_id, item_id, delta, reason, note, order_id, actor_kind, at)
SELECT id, store_id, item_id, -quantity, 'sale', '', order_id, 'system', made_at FROM inventory_reservation WHERE state = 'taken';
"""
NUMBERED = """
CREATE UNLOGGED TABLE bench_products AS
SELECT id, name, station, row_number() OVER (ORDER BY id) - 1 AS at FROM catalog_product;
CREATE UNLOGGED TABLE bench_items AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS at FROM inventory_stockitem;
CREATE INDEX ON bench_products (at); CREATE INDEX ON bench_items (at);
ANALYZE bench_products; ANALYZE bench_items;
"""


def main(orders: int) -> None:
    """Write the rows and print the tokens."""
    sys.path.insert(0, str(Path.cwd()))
    os.environ["DJANGO_SETTINGS_MODULE"] = "breadmate.settings"
    import django

    django.setup()
    import psycopg
    from django.test import Client
    from django.utils import timezone

    from apps.catalog.models import Product
    from apps.core import partitions
    from apps.core.models import User
    from apps.orders.models import Order
    from apps.orders.rules import Status
    from apps.stores.models import Device, StaffRole, Store
    from apps.stores.services import hashed

    words = {
        "each": orders // Store.objects.count(),
        "a_day": A_DAY,
        "on_board": ON_BOARD,
        "products": Product.objects.count(),
    }
    for months in range(words["each"] // A_DAY // 28 + 2):
        partitions.ensure(timezone.now() - timedelta(days=28 * months))
    texts = (NUMBERED, PAST, ORDERS, LINES, OPTIONS, PREPARATIONS, STEPS, EVENTS, CHARGES, NOTICES, HOLDS, MOVEMENTS)
    with psycopg.connect(os.environ["DATABASE_URL"]) as server:  # the application's own would lose patience
        server.execute("SET session_replication_role = replica")  # no foreign key is asked for each of the rows
        for text in texts:
            server.execute(text.format(**words))
        server.execute("DROP TABLE bench_past, bench_products, bench_items")
    store, token = Store.objects.order_by("code")[0], secrets.token_urlsafe(32)
    Device.objects.create(store=store, kind="board", name="Quadro", token_hash=hashed(token), paired_at=timezone.now())
    owner = User.objects.create_user(email=OWNER, name="Dona", is_staff=True)
    StaffRole.objects.create(user=owner, store=None, role="owner")
    browser = Client()
    browser.force_login(owner)
    order = Order.objects.filter(store=store, status=Status.READY).earliest("queue_at")
    print(json.dumps({"board": token, "session": browser.cookies["sessionid"].value, "order": str(order.id)}))


if __name__ == "__main__":
    main(int(sys.argv[1]))

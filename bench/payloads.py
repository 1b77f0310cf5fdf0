"""Makes the very parameters that the web process would send, so that pgbench can send the same statements.

``python -m bench.payloads WORLD.json COUNT`` fills the table ``bench_payload`` of the database: two kinds, spread and hot.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

KINDS = ("spread", "hot")
BATCH = 500


def main(world: dict[str, Any], number: int) -> None:
    """Fill the table."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "breadmate.settings"
    import django

    django.setup()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_payload")
        cursor.execute(
            "CREATE TABLE bench_payload "
            "(kind text, place bigint, store uuid, asked jsonb, hash bytea, answer bytea, PRIMARY KEY (kind, place))"
        )
        for kind in KINDS:
            rows = list(_rows(world, kind, number))
            for begin in range(0, number, BATCH):
                cursor.executemany(
                    "INSERT INTO bench_payload VALUES (%s, %s, %s, %s, %s, %s)", rows[begin : begin + BATCH]
                )
        cursor.execute("VACUUM ANALYZE bench_payload")


def _rows(world: dict[str, Any], kind: str, number: int) -> Any:
    """Yield one row for each checkout, with ids and numbers of its own."""
    from apps.catalog.queries import remembered_menu
    from apps.core.facade import Claim
    from apps.orders import checkout, numbers, writing
    from apps.orders.serializers import CheckoutSerializer
    from apps.stores.queries import device_actor, remembered_store
    from bench.carts import carts

    made, today = carts(world, kind), datetime.now(UTC)
    agreed = []
    for store_id, _, body in made:
        asked = CheckoutSerializer(data=body)
        asked.is_valid(raise_exception=True)
        store = remembered_store(UUID(store_id))
        if store is None:
            raise LookupError(store_id)
        cart = asked.cart()
        priced = checkout._agreed(store, cart, menu=remembered_menu(store.id))
        agreed.append((cart, priced))
    for place in range(1, number + 1):
        store_id, token, _ = made[place % len(made)]
        by = device_actor(token)
        if by is None:
            raise LookupError(token)
        cart, priced = agreed[place % len(made)]
        ticket = numbers.Ticket(business_day=today.date(), value=100_000 + place, at=today)
        order = checkout._order(cart, priced, UUID(store_id), by, ticket)
        claim = Claim(principal=by.principal, key=f"{kind}-{place}", request_hash=place.to_bytes(32))
        rows = writing.prepare(order, priced, by, claim, 1_000_000)
        yield (kind, place, store_id, *writing.parameters(rows, claim))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2]))

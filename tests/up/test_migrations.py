"""Every migration goes back to nothing and forward again, on a database of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

PROJECT = Path(__file__).resolve().parents[2]
OURS = {"kitchen", "payments", "orders", "promotions", "inventory", "catalog", "customers", "stores", "core"}


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: object) -> Iterator[str]:
    """The URL of an empty database on the server of the tests."""
    name = f"{connection.settings_dict['NAME']}_scratch"
    url = os.environ["DATABASE_URL"]
    base, _, query = url.partition("?")
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f'CREATE DATABASE "{name}"')
        yield f"{base.rpartition('/')[0]}/{name}?{query}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def manage(url: str, *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    environ = {**os.environ, "DATABASE_URL": url}
    done = subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as database:
        rows = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {name for (name,) in rows if name.partition("_")[0] in OURS}


def test_all_the_way_back_and_forward_again(scratch: str) -> None:
    manage(scratch, "migrate", "--verbosity=0")
    there = tables(scratch)

    for app in ("core", "catalog", "kitchen"):  # all else stands on core, but the first tables of these two
        manage(scratch, "migrate", app, "zero", "--verbosity=0")
    assert tables(scratch) == set()

    manage(scratch, "migrate", "--verbosity=0")
    assert tables(scratch) == there
    assert {name.partition("_")[0] for name in there} == OURS


# A paid order of a single and a combo of two: one thing to make is under way, one is done.
PAID = """
from django.utils import timezone
from apps.core.actors import PROVIDER
from apps.orders.checkout import Cart, place_order
from apps.orders.models import Order, Preparation
from apps.orders.rules import AskedItem, AskedSlot
from apps.orders.services import mark_paid
from tests.combos.boxes import combo, slots_of
from tests.factories import DeviceFactory, ProductFactory, claim, device_actor, new_menu

device = DeviceFactory()
bread, coffee = ProductFactory(), ProductFactory()
box = combo([bread], [coffee])
new_menu(device.store)
first, second = slots_of(box)
slots = (AskedSlot(first.id, bread.id), AskedSlot(second.id, coffee.id))
items = (AskedItem(box.id, 1, slots=slots), AskedItem(bread.id, 1))
by = device_actor(device)
place_order(cart=Cart(items=items, dining_option='eat_in'), store_id=device.store_id, by=by, claim=claim(by))
at = timezone.now()
mark_paid(order_id=Order.objects.get().id, by=PROVIDER, at=at)
made = Preparation.objects.exclude(slot=None).order_by('slot__position')
Preparation.objects.filter(pk=made[0].pk).update(state='done', started_at=at, done_at=at)
Preparation.objects.filter(pk=made[1].pk).update(state='started', started_at=at)
"""


@pytest.mark.long
def test_combos_go_back_when_one_was_paid(scratch: str) -> None:
    manage(scratch, "migrate", "--verbosity=0")
    manage(scratch, "shell", "-v", "0", "-c", PAID)
    with psycopg.connect(scratch) as database:
        assert database.execute("SELECT count(*) FROM orders_preparation").fetchone() == (3,)

    manage(scratch, "migrate", "orders", "0002", "--verbosity=0")

    with psycopg.connect(scratch) as database:
        left = database.execute(
            "SELECT state, count(*) FROM orders_preparation GROUP BY state ORDER BY state"
        ).fetchall()
    assert left == [("queued", 1), ("started", 1)]
    manage(scratch, "migrate", "--verbosity=0")

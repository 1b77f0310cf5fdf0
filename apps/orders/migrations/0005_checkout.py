"""Checkout in one statement (ADR-0010), whose order it is, and the index that counts a device's open orders."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

CHECKOUT = Path(__file__).resolve().parents[1] / "sql" / "checkout.sql"
# Of the file as it is installed here. An edit takes a new migration with the new hash; a test compares the newest.
CHECKOUT_SHA256 = "52fda55a448171ca317db655b76ceccf974780c8a8eb2ed56146e414bed1fa66"


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_append_only"),
        ("orders", "0004_order_by_time"),
        ("stores", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.customer",
                verbose_name="cliente",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.F("placed_by_id"), condition=models.Q(("status", 0)), name="order_unpaid_of_placer"
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.F("customer"),
                models.F("placed_at"),
                condition=models.Q(("customer__isnull", False)),
                name="order_of_customer",
            ),
        ),
        migrations.RunSQL(
            sql=CHECKOUT.read_text(),
            reverse_sql="DROP FUNCTION orders_checkout(jsonb, bytea, bytea); DROP FUNCTION orders_new_id();",
        ),
    ]

"""What taking away costs is part of the total; checkout writes it, and 0 for a web process that knows of none."""

from pathlib import Path

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import F, Q

CHECKOUT = Path(__file__).resolve().parents[1] / "sql" / "checkout.sql"
# Of the file as it is installed here. An edit takes a new migration with the new hash; a test compares the newest.
CHECKOUT_SHA256 = "20c213e97727eb170d4c54ca1711c568e3ebf90d2ec182461ac4b63d3b7fcc85"


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_append_only"),
        ("orders", "0008_lean_indexes"),
        ("stores", "0005_packaging_fee"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="order", name="order_total_adds_up"),
        migrations.AddField(
            model_name="order",
            name="packaging_fee",
            field=models.DecimalField(
                db_default=0, decimal_places=2, default=0, max_digits=6, verbose_name="embalagem"
            ),
        ),
        AddConstraintNotValid(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=Q(
                    total=F("subtotal") - F("discount_total") + F("packaging_fee"),
                    total__gte=0,
                    discount_total__gte=0,
                    packaging_fee__gte=0,
                ),
                name="order_total_adds_up",
            ),
        ),
        # The earlier function would write no packaging; this one writes it where there is the column, so it may stay.
        migrations.RunSQL(sql=CHECKOUT.read_text(), reverse_sql=migrations.RunSQL.noop),
    ]

"""An order with what is not sold to everybody waits for staff; checkout writes so, and nothing for a web process that knows of none."""

from pathlib import Path

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q

import apps.orders.rules

CHECKOUT = Path(__file__).resolve().parents[1] / "sql" / "checkout.sql"
# Of the file as it is installed here. An edit takes a new migration with the new hash; a test compares the newest.
CHECKOUT_SHA256 = "0feac61e2cf92f6c7c34cd6ddc876094e3f5f782246b36245f4dcbc288c165e6"


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_append_only"),
        ("orders", "0011_acknowledged"),
        ("stores", "0005_packaging_fee"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="release",
            field=models.CharField(
                blank=True,
                choices=[("waiting", "esperando liberação"), ("released", "liberado"), ("refused", "recusado")],
                db_default="",
                default="",
                max_length=8,
                verbose_name="liberação",
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="released_at",
            field=models.DateTimeField(null=True, verbose_name="liberado em"),
        ),
        migrations.AddField(
            model_name="order",
            name="released_by_id",
            field=models.UUIDField(null=True, verbose_name="liberado por"),
        ),
        migrations.AddField(
            model_name="orderline",
            name="needs_release",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Ele ou algo que o compõe.",
                verbose_name="precisa de liberação",
            ),
        ),
        migrations.AlterField(
            model_name="statuschange",
            name="kind",
            field=models.CharField(
                choices=[("move", "move"), ("undo", "undo"), ("recall", "recall"), ("release", "release")],
                default=apps.orders.rules.MoveKind["MOVE"],
                max_length=8,
                verbose_name="tipo",
            ),
        ),
        AddConstraintNotValid(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=Q(paid_at=None) | Q(release__in=("", "released")), name="order_not_paid_before_released"
            ),
        ),
        AddConstraintNotValid(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=Q(release="released", released_at__isnull=False, released_by_id__isnull=False)
                | Q(release__in=["", "waiting", "refused"], released_at=None, released_by_id=None),
                name="order_released_by_somebody",
            ),
        ),
        # The earlier function would leave the new columns empty; this one fills them, so it may stay.
        migrations.RunSQL(sql=CHECKOUT.read_text(), reverse_sql=migrations.RunSQL.noop),
    ]

"""The rows that were there already are looked at without keeping anybody from writing."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_release")]

    operations = [
        ValidateConstraint(model_name="order", name="order_not_paid_before_released"),
        ValidateConstraint(model_name="order", name="order_released_by_somebody"),
    ]

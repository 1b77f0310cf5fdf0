"""The rows that were there already are looked at without keeping anybody from writing."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0009_packaging_fee")]

    operations = [ValidateConstraint(model_name="order", name="order_total_adds_up")]

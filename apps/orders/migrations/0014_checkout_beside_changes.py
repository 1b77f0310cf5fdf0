"""Checkout goes on while a column is added to orders: it made rows of the old width that it then could not write."""

from pathlib import Path

from django.db import migrations

CHECKOUT = Path(__file__).resolve().parents[1] / "sql" / "checkout.sql"
# Of the file as it is installed here. An edit takes a new migration with the new hash; a test compares the newest.
CHECKOUT_SHA256 = "0f214b1bc55124fecc40467f72e1e7cee5268762256b47e783b4f13fd0038a05"


class Migration(migrations.Migration):
    dependencies = [("orders", "0013_release_checked")]

    operations = [migrations.RunSQL(sql=CHECKOUT.read_text(), reverse_sql=migrations.RunSQL.noop)]

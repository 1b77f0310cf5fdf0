"""Vacuum the stock counters early and leave room in their pages: they are updated by every checkout."""

from django.db import migrations


class Migration(migrations.Migration):
    """Storage settings only."""

    dependencies = [("inventory", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
            ALTER TABLE inventory_stocklevel SET (
                fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000
            )
            """,
            reverse_sql="""
            ALTER TABLE inventory_stocklevel RESET (
                fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold
            )
            """,
        ),
    ]

from django.db import migrations

TABLES = ("customers_consent", "customers_customerread")


class Migration(migrations.Migration):
    """Consents and the record of reads are not emptied at one go either."""

    dependencies = [("customers", "0002_append_only")]

    operations = [
        migrations.RunSQL(
            sql=f"""
            CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION customers_refuse_change();
            """,
            reverse_sql=f"DROP TRIGGER {table}_is_never_emptied ON {table}",
        )
        for table in TABLES
    ]

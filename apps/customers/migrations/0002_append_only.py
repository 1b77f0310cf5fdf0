from django.db import migrations

TABLES = ("customers_consent", "customers_customerread")


class Migration(migrations.Migration):
    """Consents and the record of who read what are added to and never changed, by whatever way they are reached."""

    dependencies = [("customers", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
            CREATE FUNCTION customers_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% rows are never changed', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
            END $$;
            """,
            reverse_sql="DROP FUNCTION customers_refuse_change()",
        ),
        *[
            migrations.RunSQL(
                sql=f"""
                CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION customers_refuse_change();
                """,
                reverse_sql=f"DROP TRIGGER {table}_is_append_only ON {table}",
            )
            for table in TABLES
        ],
    ]

from django.db import migrations


class Migration(migrations.Migration):
    """The audit trail is not emptied at one go either; whoever wants to has to take the triggers away first."""

    dependencies = [("core", "0003_audit")]

    operations = [
        migrations.RunSQL(
            sql="""
            CREATE TRIGGER core_auditentry_is_never_emptied BEFORE TRUNCATE ON core_auditentry
            FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
            """,
            reverse_sql="DROP TRIGGER core_auditentry_is_never_emptied ON core_auditentry",
        ),
    ]

"""A store is for training from its first day or never; the database keeps that, whoever writes."""

from django.db import migrations, models

HELP = "Nela nada é de verdade: nenhum código cobra, e as suas vendas não entram em conta nenhuma."


class Migration(migrations.Migration):
    dependencies = [("stores", "0005_packaging_fee")]

    operations = [
        *[
            migrations.AddField(
                model_name=model,
                name="training",
                field=models.BooleanField(
                    db_default=False, default=False, editable=False, help_text=HELP, verbose_name="treino"
                ),
            )
            for model in ("historicalstore", "store")
        ],
        migrations.RunSQL(
            sql="""
            CREATE FUNCTION stores_training_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'a store is for training from its first day or never'
                    USING ERRCODE = 'integrity_constraint_violation';
            END $$;
            CREATE TRIGGER store_training_stays BEFORE UPDATE OF training ON stores_store
            FOR EACH ROW WHEN (OLD.training IS DISTINCT FROM NEW.training) EXECUTE FUNCTION stores_training_stays();
            """,
            reverse_sql="DROP TRIGGER store_training_stays ON stores_store; DROP FUNCTION stores_training_stays()",
        ),
    ]

"""One more way to pay, by nobody; only its name in forms, nothing of the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_closings")]

    operations = [
        migrations.AlterField(
            model_name="charge",
            name="method",
            field=models.CharField(
                choices=[
                    ("mercado_pago_qr", "QR Mercado Pago"),
                    ("counter", "No caixa"),
                    ("training", "QR de treino"),
                ],
                max_length=20,
                verbose_name="meio",
            ),
        )
    ]

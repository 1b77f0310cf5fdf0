"""What the room has been told."""

from django.db import models

from apps.core.facade import new_id


class Call(models.Model):
    """An order was called at the panel; one row an order, written by ``handlers.on_order_ready``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+", verbose_name="loja")
    order = models.OneToOneField("orders.Order", models.CASCADE, related_name="+", verbose_name="pedido")
    number = models.CharField("número", max_length=8)
    called_at = models.DateTimeField("chamado em")

    class Meta:
        verbose_name = "chamada"
        verbose_name_plural = "chamadas"
        indexes = [models.Index("store", models.F("called_at").desc(), name="call_newest")]

    def __str__(self) -> str:
        return self.number

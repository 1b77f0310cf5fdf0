"""Stock: what there is, what is promised, and every movement."""

from django.db import models
from django.db.models import F, Q

from apps.core.facade import new_id

UNITS = [("un", "unidade"), ("g", "grama"), ("ml", "mililitro")]


class StockItem(models.Model):
    """Something the chain keeps count of, in one unit."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField("nome", max_length=80, unique=True)
    unit = models.CharField("unidade", max_length=2, choices=UNITS, default="un")

    class Meta:
        verbose_name = "item de estoque"
        verbose_name_plural = "itens de estoque"

    def __str__(self) -> str:
        return self.name


class StockLevel(models.Model):
    """How much of an item a store has.

    ``reserved`` is promised to unpaid orders and still on hand. Changed only by ``inventory.services``, several levels always
    in the order of their primary keys. No foreign key points here on purpose: it would lock the counter's row.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", verbose_name="loja")
    item = models.ForeignKey(StockItem, models.PROTECT, related_name="+", verbose_name="item")
    on_hand = models.IntegerField("em mãos", default=0)
    reserved = models.IntegerField("reservado", default=0)
    version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = "saldo"
        verbose_name_plural = "saldos"
        constraints = [
            models.UniqueConstraint("store", "item", name="stock_level_once_a_store"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0) & Q(reserved__lte=F("on_hand")), name="stock_reserved_within_on_hand"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} · {self.store}"


class RecipeLine(models.Model):
    """One unit of a product takes this much of an item; a product without lines is not tracked."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey("catalog.Product", models.CASCADE, related_name="+", verbose_name="produto")
    item = models.ForeignKey(StockItem, models.PROTECT, related_name="+", verbose_name="item")
    quantity = models.PositiveIntegerField("quantidade", default=1)

    class Meta:
        verbose_name = "linha de receita"
        verbose_name_plural = "linhas de receita"
        constraints = [
            models.UniqueConstraint("product", "item", name="recipe_line_once_a_product"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="recipe_quantity_at_least_one"),
        ]

    def __str__(self) -> str:
        return f"{self.product}: {self.quantity} × {self.item}"


class Reservation(models.Model):
    """What one order holds of one item at one store; it ends exactly once, taken or released."""

    HELD, TAKEN, RELEASED = "held", "taken", "released"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order_id = models.UUIDField()
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_index=False)
    item = models.ForeignKey(StockItem, models.PROTECT, related_name="+", db_index=False)
    quantity = models.PositiveIntegerField()
    state = models.CharField(max_length=8, default=HELD)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "reserva"
        verbose_name_plural = "reservas"
        constraints = [
            models.UniqueConstraint("order_id", "item", name="reservation_once_an_order"),
            models.CheckConstraint(
                condition=Q(state__in=["held", "taken", "released"]), name="reservation_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="held", ended_at=None) | (~Q(state="held") & Q(ended_at__isnull=False)),
                name="reservation_ends_once",
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="reservation_quantity_at_least_one"),
        ]
        indexes = [models.Index("store", "item", condition=Q(state="held"), name="reservation_held")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item} ({self.state})"


class Reason(models.TextChoices):
    """Why stock came or went."""

    SALE = "sale", "venda"
    COUNT = "count", "contagem"
    PURCHASE = "purchase", "compra"
    WASTE = "waste", "perda"
    RETURN = "return", "devolução"


class StockMovement(models.Model):
    """One change of ``on_hand``, never edited. The table is partitioned by month of ``id`` (a UUIDv7)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_index=False, verbose_name="loja")
    item = models.ForeignKey(StockItem, models.PROTECT, related_name="+", db_index=False, verbose_name="item")
    delta = models.IntegerField("variação")
    reason = models.CharField("motivo", max_length=16, choices=Reason.choices)
    note = models.CharField("observação", max_length=140, blank=True, default="")
    order_id = models.UUIDField(null=True)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    at = models.DateTimeField("quando")

    class Meta:
        verbose_name = "movimento de estoque"
        verbose_name_plural = "movimentos de estoque"
        indexes = [
            models.Index("store", "item", name="movement_of_level"),
            models.Index("order_id", condition=Q(order_id__isnull=False), name="movement_of_order"),
        ]

    def __str__(self) -> str:
        return f"{self.delta:+} {self.item} ({self.reason})"

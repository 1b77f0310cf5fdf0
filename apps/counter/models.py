"""Shifts at the counter and the cash that moves in them."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.core.facade import brl, new_id
from apps.counter.rules import MovementKind

CLOSED = Q(closed_at__isnull=False)
TOTALS = ("cash_received", "card_received", "cash_refunded", "supplied", "withdrawn", "counted_cash")


class Shift(models.Model):
    """One person's drawer at one store, from opening to closing; written only by ``counter.services``.

    Its payments are those the person confirmed at this counter from ``opened_at`` to right before ``closed_at``. What they
    added up to is kept at closing and never changes; ``expected_cash`` and ``difference`` are the database's own sums.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", verbose_name="loja")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="aberto por")
    opened_at = models.DateTimeField("aberto em")
    opening_float = models.DecimalField("fundo de troco", max_digits=10, decimal_places=2)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, verbose_name="encerrado por"
    )
    closed_at = models.DateTimeField("encerrado em", null=True)
    cash_received = models.DecimalField("recebido em dinheiro", null=True, max_digits=10, decimal_places=2)
    card_received = models.DecimalField("recebido na maquininha", null=True, max_digits=10, decimal_places=2)
    cash_refunded = models.DecimalField("devolvido em dinheiro", null=True, max_digits=10, decimal_places=2)
    supplied = models.DecimalField("suprimentos", null=True, max_digits=10, decimal_places=2)
    withdrawn = models.DecimalField("sangrias", null=True, max_digits=10, decimal_places=2)
    counted_cash = models.DecimalField("dinheiro contado", null=True, max_digits=10, decimal_places=2)
    expected_cash = models.GeneratedField(
        expression=F("opening_float") + F("cash_received") - F("cash_refunded") + F("supplied") - F("withdrawn"),
        output_field=models.DecimalField("dinheiro esperado", null=True, max_digits=10, decimal_places=2),
        db_persist=True,
        verbose_name="dinheiro esperado",
    )
    difference = models.GeneratedField(
        expression=F("counted_cash")
        - (F("opening_float") + F("cash_received") - F("cash_refunded") + F("supplied") - F("withdrawn")),
        output_field=models.DecimalField("diferença", null=True, max_digits=10, decimal_places=2),
        db_persist=True,
        verbose_name="diferença",
    )
    note = models.CharField("observação", max_length=200, blank=True)

    class Meta:
        verbose_name = "turno"
        verbose_name_plural = "turnos"
        constraints = [
            models.UniqueConstraint("store", "opened_by", condition=~CLOSED, name="shift_open_once_a_person"),
            models.CheckConstraint(
                condition=(CLOSED & Q(closed_by__isnull=False, **{f"{total}__isnull": False for total in TOTALS}))
                | (~CLOSED & Q(closed_by=None, **dict.fromkeys(TOTALS))),
                name="shift_closed_is_counted",
            ),
            models.CheckConstraint(
                condition=~CLOSED | Q(closed_at__gt=F("opened_at")), name="shift_closed_after_it_opened"
            ),
            models.CheckConstraint(
                condition=Q(opening_float__gte=0) & (Q(counted_cash=None) | Q(counted_cash__gte=0)),
                name="shift_cash_not_negative",
            ),
        ]
        indexes = [models.Index("store", F("opened_at").desc(), name="shift_newest")]

    def __str__(self) -> str:
        return f"Turno de {self.opened_by}"

    @property
    def is_open(self) -> bool:
        """Tell whether money still goes into this drawer."""
        return self.closed_at is None

    @property
    def missing(self) -> Decimal:
        """Return how much less was counted than expected; below zero when there was more. Of a closed shift."""
        difference: Decimal = self.difference
        return -difference


class CashMovement(models.Model):
    """Cash put into or taken out of a shift's drawer without a sale. Rows are only ever added."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    shift = models.ForeignKey(Shift, models.PROTECT, related_name="movements", verbose_name="turno")
    kind = models.CharField("tipo", max_length=12, choices=MovementKind.choices)
    amount = models.DecimalField("valor", max_digits=10, decimal_places=2)
    reason = models.CharField("motivo", max_length=140)
    at = models.DateTimeField("quando")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="por")
    form_key = models.UUIDField(editable=False, help_text="A mesma folha enviada duas vezes é um só movimento.")

    class Meta:
        verbose_name = "movimento de dinheiro"
        verbose_name_plural = "movimentos de dinheiro"
        constraints = [
            models.UniqueConstraint("shift", "form_key", name="cash_movement_once_a_form"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="cash_movement_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="cash_movement_has_a_reason"),
            models.CheckConstraint(condition=Q(kind__in=MovementKind.values), name="cash_movement_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {brl(self.amount)}"

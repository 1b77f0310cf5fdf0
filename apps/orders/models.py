"""Orders and what becomes of them."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from apps.core.facade import brl, new_id
from apps.orders.rules import (
    ON_BOARD,
    PAYABLE,
    UNPAID,
    CancelKind,
    CancelState,
    MoveKind,
    PreparationState,
    Release,
    Status,
)

CHANNELS = [("T", "totem"), ("C", "caixa"), ("Q", "celular")]
DINING = [("eat_in", "comer aqui"), ("take_out", "levar")]


class Order(models.Model):
    """One purchase at one store, from the kiosk to the counter.

    ``status`` changes only in ``orders.services.take_step``; legal moves are ``rules.MOVES`` (ADR-0004). ``version`` is raised
    by every change that others see and is the ``seq`` of its event. Names and prices are copied into the lines and never change.
    """

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"guest_name"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Here and below: no index of its own where a longer one begins with the column; each costs every checkout.
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_index=False, verbose_name="loja")
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, null=True, db_index=False, related_name="+", verbose_name="cliente"
    )
    business_day = models.DateField("dia", help_text="Data local da loja.")
    number = models.CharField("número", max_length=8, help_text="Chamado no balcão, ex.: T042.")
    channel = models.CharField("canal", max_length=1, choices=CHANNELS)
    status = models.PositiveSmallIntegerField("situação", choices=Status.choices, default=Status.AWAITING_PAYMENT)
    version = models.PositiveIntegerField(default=1, editable=False)
    dining_option = models.CharField("consumo", max_length=8, choices=DINING)
    guest_name = models.CharField("nome", max_length=40, blank=True)
    table_tracker = models.CharField("mesa", max_length=12, blank=True)
    subtotal = models.DecimalField("subtotal", max_digits=10, decimal_places=2)
    discount_total = models.DecimalField("descontos", max_digits=10, decimal_places=2, default=0)
    packaging_fee = models.DecimalField("embalagem", max_digits=6, decimal_places=2, default=0, db_default=0)
    total = models.DecimalField("total", max_digits=10, decimal_places=2)
    placed_by_kind = models.CharField(max_length=16)
    placed_by_id = models.UUIDField(null=True)
    payment_id = models.UUIDField(null=True, help_text="A cobrança atual; escrita por payments.")
    tracking_token = models.CharField(max_length=32, editable=False)
    pickup_code = models.CharField("código de retirada", max_length=4)
    placed_at = models.DateTimeField("feito em")
    expires_at = models.DateTimeField("expira em", null=True)
    paid_at = models.DateTimeField("pago em", null=True)
    queue_at = models.DateTimeField("na fila desde", null=True)
    promised_at = models.DateTimeField("prometido para", null=True, help_text="Calculado quando foi pago.")
    ready_at = models.DateTimeField("pronto em", null=True)
    moved_at = models.DateTimeField("última mudança")
    cancel_reason = models.CharField("motivo do cancelamento", max_length=140, blank=True, default="")
    release = models.CharField(
        "liberação", max_length=8, choices=Release.choices, blank=True, default="", db_default=""
    )
    released_at = models.DateTimeField("liberado em", null=True)
    released_by_id = models.UUIDField("liberado por", null=True)
    attention = models.CharField("precisa de alguém", max_length=140, blank=True, default="")

    class Meta:
        verbose_name = "pedido"
        verbose_name_plural = "pedidos"
        constraints = [
            models.UniqueConstraint("store", "business_day", "number", name="order_number_once_a_day"),
            models.UniqueConstraint("tracking_token", name="order_tracking_token_once"),
            models.CheckConstraint(
                condition=Q(paid_at__isnull=False) | Q(status__in=UNPAID), name="order_not_made_before_paid"
            ),
            models.CheckConstraint(
                condition=Q(queue_at__isnull=False) | ~Q(status__in=ON_BOARD), name="order_on_board_has_its_place"
            ),
            models.CheckConstraint(
                condition=Q(
                    total=F("subtotal") - F("discount_total") + F("packaging_fee"),
                    total__gte=0,
                    discount_total__gte=0,
                    packaging_fee__gte=0,
                ),
                name="order_total_adds_up",
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="order_status_is_known"),
            models.CheckConstraint(
                condition=Q(paid_at=None) | Q(release__in=PAYABLE), name="order_not_paid_before_released"
            ),
            models.CheckConstraint(
                condition=Q(release=Release.RELEASED, released_at__isnull=False, released_by_id__isnull=False)
                | Q(release__in=["", Release.WAITING, Release.REFUSED], released_at=None, released_by_id=None),
                name="order_released_by_somebody",
            ),
        ]
        indexes = [
            models.Index(
                F("store"), F("status").desc(), F("queue_at"), condition=Q(status__in=ON_BOARD), name="order_board"
            ),
            models.Index("expires_at", condition=Q(status=Status.AWAITING_PAYMENT), name="order_unpaid"),
            models.Index("store", "placed_at", "id", name="order_by_time"),
            # With the end: else the planner may count a device's orders among all that wait in the chain.
            models.Index(
                "placed_by_id",
                "expires_at",
                condition=Q(status=Status.AWAITING_PAYMENT),
                name="order_unpaid_of_placer",
            ),
            models.Index("customer", "placed_at", condition=Q(customer__isnull=False), name="order_of_customer"),
            models.Index(
                "store",
                "moved_at",
                condition=Q(status=Status.CANCELLED, queue_at__isnull=False),
                name="order_cancelled_on_board",
            ),
            models.Index("id", condition=~Q(attention=""), name="order_needing_somebody"),
            # Orders lie nearly as they were paid: knowing each block's span is enough, and costs a checkout nothing.
            BrinIndex("paid_at", autosummarize=True, pages_per_range=16, name="order_by_payment"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One item of an order as it was sold. ``total`` is quantity × (unit price + slot deltas + options), BRL.

    A combo's line has an ``OrderSlot`` for each thing in it; a single's has none and is the thing itself.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey("catalog.Product", models.PROTECT, related_name="+")
    name = models.CharField("produto", max_length=80)
    station = models.CharField("praça", max_length=16)
    quantity = models.PositiveSmallIntegerField("quantidade")
    unit_price = models.DecimalField("preço", max_digits=8, decimal_places=2)
    total = models.DecimalField("total", max_digits=10, decimal_places=2)
    note = models.CharField("observação", max_length=140, blank=True)
    needs_release = models.BooleanField(
        "precisa de liberação", default=False, db_default=False, help_text="Ele ou algo que o compõe."
    )

    class Meta:
        verbose_name = "item"
        verbose_name_plural = "itens"
        constraints = [
            models.UniqueConstraint("order", "position", name="order_line_position_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_line_quantity_at_least_one"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"


class OrderSlot(models.Model):
    """What filled one slot of a combo as it was sold, once per unit of the line.

    ``slot_id`` is no foreign key: combos are remade, orders keep what they were.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="slots", db_index=False)
    position = models.PositiveSmallIntegerField()
    slot_id = models.UUIDField()
    slot_name = models.CharField("parte do combo", max_length=60)
    product = models.ForeignKey("catalog.Product", models.PROTECT, related_name="+")
    name = models.CharField("produto", max_length=80)
    station = models.CharField("praça", max_length=16)
    price_delta = models.DecimalField("diferença de preço", max_digits=8, decimal_places=2)

    class Meta:
        verbose_name = "parte do item"
        verbose_name_plural = "partes do item"
        constraints = [
            models.UniqueConstraint("line", "position", name="order_slot_position_once"),
            models.UniqueConstraint("line", "slot_id", name="order_slot_filled_once"),
        ]

    def __str__(self) -> str:
        return f"{self.slot_name}: {self.name}"


class OrderLineOption(models.Model):
    """One option of a line as it was sold, or of what fills one of its slots; ``quantity`` is per unit of the line."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="options")
    slot = models.ForeignKey(OrderSlot, models.CASCADE, related_name="+", null=True, db_index=False)
    option = models.ForeignKey("catalog.Option", models.PROTECT, related_name="+")
    name = models.CharField("opção", max_length=60)
    quantity = models.PositiveSmallIntegerField("quantidade")
    unit_price = models.DecimalField("acréscimo", max_digits=8, decimal_places=2)

    class Meta:
        verbose_name = "opção do item"
        verbose_name_plural = "opções do item"
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=1), name="line_option_quantity_at_least_one")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"


class OrderDiscount(models.Model):
    """What one promotion or coupon took off an order, BRL, as it was then."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="discounts", db_index=False)
    offer_id = models.UUIDField()
    name = models.CharField("desconto", max_length=60)
    amount = models.DecimalField("valor", max_digits=10, decimal_places=2)

    class Meta:
        verbose_name = "desconto"
        verbose_name_plural = "descontos"
        constraints = [
            models.UniqueConstraint("order", "offer_id", name="order_discount_once_an_offer"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="order_discount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {brl(self.amount)}"


class StatusChange(models.Model):
    """One step of an order's life; ``seq`` is the order's version after it. Rows are only ever added."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="history", db_index=False)
    seq = models.PositiveIntegerField()
    from_status = models.PositiveSmallIntegerField("de", choices=Status.choices, null=True)
    to_status = models.PositiveSmallIntegerField("para", choices=Status.choices)
    kind = models.CharField("tipo", max_length=8, default=MoveKind.MOVE, choices=[(k.value, k.value) for k in MoveKind])
    at = models.DateTimeField("quando")
    actor_kind = models.CharField("por", max_length=16)
    actor_id = models.UUIDField(null=True)

    class Meta:
        verbose_name = "mudança de situação"
        verbose_name_plural = "histórico"
        constraints = [models.UniqueConstraint("order", "seq", name="status_change_once_a_version")]

    def __str__(self) -> str:
        return f"{self.order_id} #{self.seq}"


class Preparation(models.Model):
    """One thing to make at one station, a single's line or one slot of a combo's; written when the order is paid."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="preparations")
    slot = models.ForeignKey(OrderSlot, models.CASCADE, related_name="+", null=True, db_index=False)
    station = models.CharField("praça", max_length=16)
    prep_minutes = models.PositiveSmallIntegerField("preparo (min)", default=0, db_default=0)
    state = models.CharField("estado", max_length=8, default=PreparationState.QUEUED)
    started_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "preparo"
        verbose_name_plural = "preparos"
        constraints = [
            models.UniqueConstraint(fields=["line"], condition=Q(slot=None), name="preparation_once_a_line"),
            models.UniqueConstraint("slot", name="preparation_once_a_slot"),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in PreparationState]), name="preparation_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} {self.state}"


class OrderLineVoid(models.Model):
    """An item of a paid order that will not be made; the line itself stays as it was sold.

    ``amount`` is what the item cost after its share of the discounts, BRL.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    line = models.OneToOneField(OrderLine, models.CASCADE, related_name="void", verbose_name="item")
    reason = models.CharField("motivo", max_length=140)
    amount = models.DecimalField("valor", max_digits=10, decimal_places=2)
    restocked = models.BooleanField("voltou ao estoque")
    at = models.DateTimeField("quando")
    actor_kind = models.CharField("por", max_length=16)
    actor_id = models.UUIDField(null=True)

    class Meta:
        verbose_name = "item anulado"
        verbose_name_plural = "itens anulados"
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="line_void_gives_nothing_negative")]

    def __str__(self) -> str:
        return f"{self.line_id} {brl(self.amount)}"


class Acknowledgement(models.Model):
    """The kitchen has seen that something on its board will not be made: an item, or without ``line`` the whole order."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="+", db_index=False, verbose_name="pedido")
    line = models.OneToOneField(
        OrderLine, models.CASCADE, null=True, related_name="acknowledgement", verbose_name="item"
    )
    at = models.DateTimeField("quando")
    actor_kind = models.CharField("por", max_length=16)
    actor_id = models.UUIDField(null=True)

    class Meta:
        verbose_name = "ciência da cozinha"
        verbose_name_plural = "ciências da cozinha"
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=Q(line=None), name="cancelled_order_acknowledged_once")
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.line_id or ''}"


class CancelStep(models.Model):
    """One thing that follows the cancellation of a paid order; finished once, by its owner, through ``orders.cancel``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="cancel_steps", verbose_name="pedido")
    kind = models.CharField("passo", max_length=8, choices=CancelKind.choices)
    state = models.CharField("situação", max_length=8, choices=CancelState.choices, default=CancelState.WAITING)
    detail = models.CharField("detalhe", max_length=200, blank=True)
    done_at = models.DateTimeField("feito em", null=True)

    class Meta:
        verbose_name = "passo de cancelamento"
        verbose_name_plural = "passos de cancelamento"
        constraints = [
            models.UniqueConstraint("order", "kind", name="cancel_step_once_an_order"),
            models.CheckConstraint(condition=Q(kind__in=CancelKind.values), name="cancel_step_kind_is_known"),
            models.CheckConstraint(
                condition=Q(state=CancelState.DONE, done_at__isnull=False)
                | (Q(state__in=[CancelState.WAITING, CancelState.FAILED]) & Q(done_at=None)),
                name="cancel_step_done_has_its_moment",
            ),
        ]
        indexes = [models.Index("state", condition=~Q(state=CancelState.DONE), name="cancel_step_open")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"


class NumberCounter(models.Model):
    """The last order number given at one store on one business day; numbers may have gaps and never repeat."""

    pk = models.CompositePrimaryKey("store_id", "business_day")
    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+")
    business_day = models.DateField()
    value = models.PositiveIntegerField()

    class Meta:
        verbose_name = "contador de números"
        verbose_name_plural = "contadores de números"

    def __str__(self) -> str:
        return f"{self.store_id} {self.business_day} {self.value}"

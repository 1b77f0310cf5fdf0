"""Charges and what the provider tells us."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from apps.core.facade import brl, new_id
from apps.payments.breaker import Way
from apps.payments.differences import ClosingState
from apps.payments.differences import Kind as DifferenceKind
from apps.payments.notifications import Kind, Outcome
from apps.payments.rules import OPEN, OUT_OF_PLACE, PAID, Cause, Method, RefundState, State, Tender
from apps.payments.signatures import Verdict


class ProviderAccount(models.Model):
    """A seller's account at the provider: one store's, or without a store the one of all stores that have none.

    Its credentials are sealed (``accounts``) and leave the database only into a call.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey(
        "stores.Store", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="loja"
    )
    label = models.CharField("nome", max_length=60, help_text="Como vocês chamam esta conta.")
    token_sealed = models.BinaryField()
    secrets_sealed = models.BinaryField(null=True)
    created_at = models.DateTimeField("criada em", auto_now_add=True)
    created_by = models.UUIDField(null=True, editable=False)
    changed_at = models.DateTimeField("alterada em", editable=False)
    changed_by = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name = "conta do Mercado Pago"
        verbose_name_plural = "contas do Mercado Pago"
        constraints = [models.UniqueConstraint("store", name="provider_account_once_a_store", nulls_distinct=False)]

    def __str__(self) -> str:
        return self.label


class PointOfSale(models.Model):
    """A till as the provider knows it: one a kiosk, and one without a device for all else in the store."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", verbose_name="loja")
    device = models.ForeignKey("stores.Device", models.PROTECT, null=True, related_name="+", verbose_name="totem")
    account = models.ForeignKey(ProviderAccount, models.PROTECT, null=True, related_name="+", verbose_name="conta")
    external_id = models.CharField("código no Mercado Pago", max_length=39)
    provider_id = models.CharField("número no Mercado Pago", max_length=32)
    created_at = models.DateTimeField("criado em", auto_now_add=True)

    class Meta:
        verbose_name = "caixa no Mercado Pago"
        verbose_name_plural = "caixas no Mercado Pago"
        constraints = [
            models.UniqueConstraint(
                "store", "device", "account", name="point_of_sale_once_a_device", nulls_distinct=False
            ),
            models.UniqueConstraint(
                "account", "external_id", name="point_of_sale_external_id_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class ProviderLine(models.Model):
    """The way to one account at the provider, as all processes see it (``lines``).

    Unlogged: a crash of the database may forget it, and then it is open and full.
    """

    key = models.CharField(max_length=40, primary_key=True)
    tokens = models.FloatField(default=0.0)
    filled_at = models.DateTimeField()
    outcomes = models.JSONField(default=list)
    shut_until = models.DateTimeField(null=True)
    trying_until = models.DateTimeField(null=True)
    refused = models.BooleanField(default=False)
    last_webhook_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "caminho até o provedor"
        verbose_name_plural = "caminhos até o provedor"

    def __str__(self) -> str:
        return self.key

    @property
    def way(self) -> Way:
        """Its state, for the rules."""
        outcomes = [(float(moment), bool(answered)) for moment, answered in self.outcomes]
        return Way(self.tokens, self.filled_at, outcomes, self.shut_until, self.trying_until, self.refused)

    @way.setter
    def way(self, way: Way) -> None:
        self.tokens, self.filled_at, self.outcomes = way.tokens, way.filled_at, list(way.outcomes)
        self.shut_until, self.trying_until, self.refused = way.shut_until, way.trying_until, way.refused


class Charge(models.Model):
    """One attempt to be paid for one order.

    Its state only moves up in ``rules.RANK``, in ``payments.services.settle_charge`` and by what ``refunds`` gives back.
    ``refunded_amount`` is the sum of its done refunds. The key and the exact bytes of the
    create call are stored before they are first sent, so every retry is the same request.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="+", verbose_name="pedido")
    account = models.ForeignKey(ProviderAccount, models.PROTECT, null=True, related_name="+", verbose_name="conta")
    method = models.CharField("meio", max_length=20, choices=Method.choices)
    state = models.CharField("situação", max_length=20, choices=State.choices, default=State.CREATING)
    version = models.PositiveIntegerField(default=1, editable=False)
    amount = models.DecimalField("valor", max_digits=10, decimal_places=2)
    paid_amount = models.DecimalField("pago", max_digits=10, decimal_places=2, default=0)
    refunded_amount = models.DecimalField("devolvido", max_digits=10, decimal_places=2, default=0)
    pays_order = models.BooleanField(
        "paga o pedido", default=False, help_text="O pedido foi à cozinha por esta cobrança."
    )
    principal = models.CharField(max_length=64)
    client_key = models.CharField(max_length=64)
    request_hash = models.BinaryField(max_length=32)
    reference = models.CharField("referência", max_length=64, unique=True)
    create_key = models.CharField(max_length=64, unique=True)
    create_body = models.BinaryField()
    provider_order_id = models.CharField("pedido no provedor", max_length=64, null=True, unique=True)  # noqa: DJ001 - many have none
    provider_account = models.CharField("conta no provedor", max_length=32, blank=True)
    provider_payment_id = models.CharField(
        "pagamento no provedor", max_length=64, blank=True, default="", db_default=""
    )
    provider_status = models.CharField("situação no provedor", max_length=40, blank=True)
    qr_data = models.TextField(blank=True)
    tender = models.CharField("recebido em", max_length=16, blank=True, choices=Tender.choices)
    received_amount = models.DecimalField("entregue", max_digits=10, decimal_places=2, null=True)
    confirmed_by = models.UUIDField(null=True)
    mismatch = models.CharField("divergência", max_length=200, blank=True)
    created_at = models.DateTimeField("criada em")
    expires_at = models.DateTimeField("vale até", null=True)
    settled_at = models.DateTimeField("confirmada em", null=True)
    next_check_at = models.DateTimeField("próxima conferência", null=True)
    leased_until = models.DateTimeField(null=True)
    last_asked_at = models.DateTimeField("última conferência", null=True)
    compared_at = models.DateTimeField("conferida em", null=True, editable=False)

    class Meta:
        verbose_name = "cobrança"
        verbose_name_plural = "cobranças"
        constraints = [
            models.UniqueConstraint("order", condition=Q(state__in=OPEN), name="charge_open_once_an_order"),
            models.UniqueConstraint("order", condition=Q(state__in=PAID), name="charge_approved_once_an_order"),
            models.UniqueConstraint("principal", "client_key", name="charge_once_a_client_key"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="charge_amount_positive"),
            models.CheckConstraint(
                condition=Q(received_amount=None) | Q(received_amount__gte=F("amount")),
                name="charge_received_covers_amount",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=False) | ~Q(state__in=PAID), name="charge_paid_has_its_moment"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="charge_state_is_known"),
            models.UniqueConstraint("order", condition=Q(pays_order=True), name="charge_pays_once_an_order"),
            models.CheckConstraint(
                condition=~Q(state__in=PAID) | Q(pays_order=True), name="charge_approved_pays_its_order"
            ),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0) & Q(refunded_amount__lte=F("paid_amount")),
                name="charge_refunded_within_paid",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.REFUNDED) | Q(refunded_amount=F("paid_amount")),
                name="charge_refunded_has_given_all_back",
            ),
        ]
        indexes = [
            models.Index("next_check_at", condition=Q(next_check_at__isnull=False), name="charge_due"),
            models.Index("created_at", name="charge_by_day"),
            models.Index("provider_payment_id", condition=~Q(provider_payment_id=""), name="charge_by_payment"),
            models.Index("state", condition=Q(state__in=OUT_OF_PLACE), name="charge_out_of_place"),
            BrinIndex("settled_at", autosummarize=True, pages_per_range=16, name="charge_by_settling"),
        ]

    def __str__(self) -> str:
        return f"{self.order} · {self.get_method_display()} {brl(self.amount)}"


class Refund(models.Model):
    """Money of one charge on its way back.

    Written with the change that owes it; sent by ``refunds.advance_refund`` with its own key and always the same bytes, both
    stored before they are first sent. One the provider made without us is a row too, so the rows are the whole ledger: before
    ours is sent, every refund the provider knows has its row, and one that turns up later can only be ours.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge = models.ForeignKey(Charge, models.PROTECT, related_name="refunds", verbose_name="cobrança")
    amount = models.DecimalField("valor", max_digits=10, decimal_places=2)
    cause = models.CharField("causa", max_length=16, choices=Cause.choices)
    reason = models.CharField("motivo", max_length=140, blank=True)
    asked_by_kind = models.CharField("pedida por", max_length=16)
    asked_by_id = models.UUIDField(null=True)
    state = models.CharField("situação", max_length=12, choices=RefundState.choices, default=RefundState.QUEUED)
    key = models.CharField(max_length=64, unique=True)
    body = models.BinaryField(null=True, help_text="Os bytes enviados; vazio devolve tudo.")
    provider_refund_id = models.CharField("devolução no provedor", max_length=64, null=True, unique=True)  # noqa: DJ001 - many have none
    problem = models.CharField("problema", max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField("tentativas", default=0)
    created_at = models.DateTimeField("pedida em")
    sent_at = models.DateTimeField("enviada em", null=True)
    done_at = models.DateTimeField("devolvido em", null=True)
    next_check_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "devolução"
        verbose_name_plural = "devoluções"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(condition=Q(state__in=RefundState.values), name="refund_state_is_known"),
            models.CheckConstraint(condition=Q(cause__in=Cause.values), name="refund_cause_is_known"),
            models.CheckConstraint(
                condition=Q(state=RefundState.DONE, done_at__isnull=False)
                | (~Q(state=RefundState.DONE) & Q(done_at=None)),
                name="refund_done_has_its_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state=RefundState.SENDING) | Q(sent_at__isnull=False), name="refund_sent_has_its_moment"
            ),
            models.CheckConstraint(
                condition=~Q(state=RefundState.PROCESSING) | Q(provider_refund_id__isnull=False),
                name="refund_processing_is_known_there",
            ),
            # Of two on their way at once, nobody could tell which one the provider lists.
            models.UniqueConstraint("charge", condition=Q(state=RefundState.SENDING), name="refund_sent_one_at_a_time"),
            models.UniqueConstraint(
                "charge",
                condition=Q(cause__in=[Cause.LATE, Cause.DOUBLE]),
                name="refund_of_money_out_of_place_once",
            ),
            models.UniqueConstraint(
                "charge", condition=Q(cause=Cause.ORDER_CANCELLED), name="refund_of_a_cancelled_order_once"
            ),
        ]
        indexes = [
            models.Index("next_check_at", condition=Q(next_check_at__isnull=False), name="refund_due"),
            models.Index("asked_by_id", "done_at", condition=Q(state=RefundState.DONE), name="refund_done_by_person"),
        ]

    def __str__(self) -> str:
        return f"{brl(self.amount)} ({self.get_state_display()})"


SIGNATURES = {
    Verdict.VALID.value: "válida",
    Verdict.INVALID.value: "inválida",
    Verdict.ABSENT.value: "ausente",
    "unchecked": "não verificada",  # what came before signatures were looked at
}


class WebhookEvent(models.Model):
    """One notification as it came in. It only says where to look; nothing is believed from it.

    ``charge`` is the one it names, found by the same statement that keeps it; without one it costs no call. A repeat raises
    ``copies`` and is looked at again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    received_at = models.DateTimeField("recebido em", auto_now_add=True)
    topic = models.CharField("assunto, como veio", max_length=40)
    kind = models.CharField("assunto", max_length=20, choices=Kind.choices, default=Kind.OTHER, db_default=Kind.OTHER)
    resource_id = models.CharField("recurso", max_length=64)
    action = models.CharField("ação", max_length=40)
    account = models.CharField("conta", max_length=32, default="", db_default="")
    charge = models.ForeignKey(Charge, models.PROTECT, null=True, related_name="+", verbose_name="cobrança")
    signature = models.CharField("assinatura", max_length=12, choices=SIGNATURES)
    dedup_key = models.BinaryField(max_length=32, unique=True)
    headers = models.JSONField("cabeçalhos")
    body = models.BinaryField()
    copies = models.PositiveIntegerField("vezes", default=1, db_default=1)
    processed_at = models.DateTimeField("tratado em", null=True)
    outcome = models.CharField("resultado", max_length=20, blank=True, choices=Outcome.choices)

    class Meta:
        verbose_name = "aviso do provedor"
        verbose_name_plural = "avisos do provedor"
        indexes = [
            models.Index("received_at", condition=Q(processed_at=None), name="webhook_waiting"),
            models.Index("received_at", condition=Q(charge=None), name="webhook_untied"),
            models.Index("received_at", condition=Q(charge__isnull=False), name="webhook_tied"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.resource_id}"


class Closing(models.Model):
    """One store's money of one business day beside what the provider says of it; read page by page (``closing``).

    ``run`` is raised each time it is done again; what a page adds is written with the mark of the next page, so that no page
    counts twice. Sums are BRL: theirs is what the provider has of this store's charges and of orphans.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", verbose_name="loja")
    day = models.DateField("dia")
    begins_at = models.DateTimeField("de")
    ends_at = models.DateTimeField("até")
    state = models.CharField("situação", max_length=10, choices=ClosingState.choices, default=ClosingState.WAITING)
    run = models.PositiveIntegerField("vez", default=0)
    accounts_left = models.JSONField(default=list, editable=False)
    page = models.PositiveIntegerField(default=1, editable=False)
    searched = models.BooleanField("pela busca", default=True, help_text="Sem a busca, só o que é nosso foi conferido.")
    charges = models.PositiveIntegerField("cobranças", default=0)
    ours_paid = models.DecimalField("recebido, aqui", max_digits=12, decimal_places=2, default=0)
    theirs_paid = models.DecimalField("recebido, lá", max_digits=12, decimal_places=2, default=0)
    ours_refunded = models.DecimalField("devolvido, aqui", max_digits=12, decimal_places=2, default=0)
    theirs_refunded = models.DecimalField("devolvido, lá", max_digits=12, decimal_places=2, default=0)
    at_counter = models.JSONField("no caixa", default=list, editable=False)
    started_at = models.DateTimeField("começou em", null=True)
    finished_at = models.DateTimeField("terminou em", null=True)
    problem = models.CharField("problema", max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_check_at = models.DateTimeField(null=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "fechamento"
        verbose_name_plural = "fechamentos"
        constraints = [
            models.UniqueConstraint("store", "day", name="closing_once_a_day"),
            models.CheckConstraint(condition=Q(state__in=ClosingState.values), name="closing_state_is_known"),
            models.CheckConstraint(
                condition=Q(state=ClosingState.DONE, finished_at__isnull=False, next_check_at=None)
                | (~Q(state=ClosingState.DONE) & Q(finished_at=None, next_check_at__isnull=False)),
                name="closing_done_has_its_moment",
            ),
        ]
        indexes = [models.Index("next_check_at", condition=Q(next_check_at__isnull=False), name="closing_due")]

    def __str__(self) -> str:
        return f"{self.day:%d/%m/%Y}"


class ClosingLine(models.Model):
    """One real that the two books do not agree on. Found again, it is the same row; found no more, it is repaired."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    closing = models.ForeignKey(Closing, models.PROTECT, related_name="lines", verbose_name="fechamento")
    run = models.PositiveIntegerField(editable=False)
    kind = models.CharField("diferença", max_length=20, choices=DifferenceKind.choices)
    subject = models.CharField(max_length=80, editable=False, help_text="A cobrança, o pedido ou o número no provedor.")
    order = models.ForeignKey("orders.Order", models.PROTECT, null=True, related_name="+", verbose_name="pedido")
    charge = models.ForeignKey(Charge, models.PROTECT, null=True, related_name="+", verbose_name="cobrança")
    account = models.ForeignKey(ProviderAccount, models.PROTECT, null=True, related_name="+", verbose_name="conta")
    provider_order_id = models.CharField("pedido no provedor", max_length=64, blank=True)
    ours = models.DecimalField("aqui", max_digits=10, decimal_places=2)
    theirs = models.DecimalField("lá", max_digits=10, decimal_places=2)
    reason = models.CharField("motivo", max_length=200)
    note = models.CharField("anotação", max_length=200, blank=True)
    found_at = models.DateTimeField("achado em")
    repaired_at = models.DateTimeField("resolvido em", null=True)
    repaired_by = models.UUIDField("resolvido por", null=True, editable=False)

    class Meta:
        verbose_name = "diferença do fechamento"
        verbose_name_plural = "diferenças do fechamento"
        constraints = [
            models.UniqueConstraint("closing", "kind", "subject", name="closing_line_once"),
            models.CheckConstraint(condition=Q(kind__in=DifferenceKind.values), name="closing_line_kind_is_known"),
            models.CheckConstraint(
                condition=Q(repaired_by=None) | Q(repaired_at__isnull=False),
                name="closing_line_repaired_has_its_moment",
            ),
        ]
        indexes = [
            models.Index("found_at", condition=Q(repaired_at=None), name="closing_line_open"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.order or self.provider_order_id}"

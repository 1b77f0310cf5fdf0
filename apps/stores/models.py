"""Stores, the roles people hold there, and the devices that stand in them."""

from datetime import time
from zoneinfo import available_timezones

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from apps.core.facade import Role, new_id, row_history

STAFF_ROLES = [
    (Role.OWNER, "dono"),
    (Role.MANAGER, "gerente"),
    (Role.CASHIER, "caixa"),
    (Role.KITCHEN, "cozinha"),
    (Role.AUDITOR, "auditor"),
]
SCOPES = [(Role.ORDERS_READ, "ler pedidos"), (Role.EXPORTS, "exportações"), (Role.WEBHOOKS, "webhooks")]
DEVICE_KINDS = [(Role.KIOSK, "totem"), (Role.BOARD, "quadro da cozinha"), (Role.PANEL, "painel de retirada")]

WEEKDAY_NAMES = ["segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"]
WEEKDAYS = list(enumerate(WEEKDAY_NAMES))  # Monday 0, as date.weekday() says


class Store(models.Model):
    """One shop with its own stock, prices, devices and order numbers.

    One for ``training`` has all of that too, and nothing in it is real: it is so from its first day or never, which the
    database keeps.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(
        "código",
        max_length=20,
        unique=True,
        validators=[RegexValidator(r"^[A-Z0-9]+$")],
        help_text="Letras maiúsculas e números; vai no cadastro do Mercado Pago.",
    )
    name = models.CharField("nome", max_length=120)
    timezone = models.CharField("fuso horário", max_length=64, default="America/Sao_Paulo")
    day_starts_at = models.TimeField("o dia começa às", default=time(0))
    packaging_fee = models.DecimalField(
        "embalagem para viagem (R$)",
        max_digits=6,
        decimal_places=2,
        default=0,
        help_text="Somada uma vez a cada pedido para levar; zero não aparece para o cliente.",
    )
    training = models.BooleanField(
        "treino",
        default=False,
        db_default=False,
        editable=False,
        help_text="Nela nada é de verdade: nenhum código cobra, e as suas vendas não entram em conta nenhuma.",
    )
    orders_paused_until = models.DateTimeField("pedidos pausados até", null=True, editable=False)
    opening_version = models.PositiveIntegerField("versão do horário", default=0, editable=False)
    created_at = models.DateTimeField("criada em", auto_now_add=True)

    history = row_history.kept()

    class Meta:
        verbose_name = "loja"
        verbose_name_plural = "lojas"
        constraints = [
            models.CheckConstraint(condition=Q(packaging_fee__gte=0), name="store_packaging_fee_not_negative")
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a time zone that there is not: nothing could be sold in it."""
        if self.timezone not in available_timezones():
            raise ValidationError({"timezone": "Não há este fuso horário; use um como America/Sao_Paulo."})


class OpeningHours(models.Model):
    """One span of one weekday in which a store takes orders; a store without any takes them always.

    A span that ends no later than it begins goes on past midnight.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, related_name="+", verbose_name="loja")
    weekday = models.PositiveSmallIntegerField("dia", choices=WEEKDAYS)
    opens_at = models.TimeField("abre às")
    closes_at = models.TimeField("fecha às", help_text="Antes da hora de abrir: fecha no dia seguinte.")

    class Meta:
        verbose_name = "horário"
        verbose_name_plural = "horário de funcionamento (sem nenhum, a loja aceita pedidos sempre)"
        constraints = [
            models.UniqueConstraint("store", "weekday", "opens_at", name="opening_hours_once"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="opening_hours_weekday_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} das {self.opens_at:%H:%M} às {self.closes_at:%H:%M}"


class OpeningException(models.Model):
    """The hours of one date, instead of its weekday's; without hours the store is closed all day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, related_name="+", verbose_name="loja")
    on = models.DateField("data")
    opens_at = models.TimeField("abre às", null=True, blank=True, help_text="Vazio: fechada o dia todo.")
    closes_at = models.TimeField("fecha às", null=True, blank=True)

    class Meta:
        verbose_name = "data especial"
        verbose_name_plural = "datas especiais (feriados, reformas)"
        constraints = [
            models.UniqueConstraint("store", "on", name="opening_exception_once_a_day"),
            models.CheckConstraint(
                condition=Q(opens_at=None, closes_at=None) | Q(opens_at__isnull=False, closes_at__isnull=False),
                name="opening_exception_has_both_hours_or_none",
                violation_error_message="Preencha as duas horas, ou nenhuma para fechar o dia todo.",
            ),
        ]

    def __str__(self) -> str:
        hours = (
            f"das {self.opens_at:%H:%M} às {self.closes_at:%H:%M}" if self.opens_at and self.closes_at else "fechada"
        )
        return f"{self.on:%d/%m/%Y} {hours}"


class StaffRole(models.Model):
    """What one person may do at one store; without a store, at every store of the chain."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("core.User", models.CASCADE, related_name="+", verbose_name="usuário")
    store = models.ForeignKey(Store, models.CASCADE, related_name="+", null=True, blank=True, verbose_name="loja")
    role = models.CharField("papel", max_length=16, choices=STAFF_ROLES)

    class Meta:
        verbose_name = "papel"
        verbose_name_plural = "papéis"
        constraints = [
            models.UniqueConstraint("user", "store", "role", name="staff_role_once", nulls_distinct=False),
            models.CheckConstraint(condition=Q(role__in=[role for role, _ in STAFF_ROLES]), name="staff_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class Device(models.Model):
    """A screen in a store. It proves itself with a token of which only the hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey(Store, models.PROTECT, related_name="+", verbose_name="loja")
    kind = models.CharField("tipo", max_length=16, choices=DEVICE_KINDS)
    name = models.CharField("nome", max_length=60)
    token_hash = models.BinaryField(max_length=32, null=True, unique=True, editable=False)
    pairing_code_hash = models.BinaryField(max_length=32, null=True, unique=True, editable=False)
    pairing_expires_at = models.DateTimeField("código vale até", null=True, editable=False)
    paired_at = models.DateTimeField("pareado em", null=True, editable=False)
    revoked_at = models.DateTimeField("revogado em", null=True, editable=False)
    last_seen_at = models.DateTimeField("visto em", null=True, editable=False)
    version = models.CharField("versão", max_length=40, blank=True, editable=False)
    clock_drift_seconds = models.IntegerField("relógio adiantado, em segundos", null=True, editable=False)
    created_at = models.DateTimeField("criado em", auto_now_add=True)

    class Meta:
        verbose_name = "dispositivo"
        verbose_name_plural = "dispositivos"
        constraints = [
            models.UniqueConstraint("store", "name", name="device_name_once_a_store"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind for kind, _ in DEVICE_KINDS]), name="device_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(pairing_code_hash=None) | Q(pairing_expires_at__isnull=False), name="pairing_code_expires"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | Q(token_hash=None), name="revoked_device_has_no_token"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"


class IntegratorKey(models.Model):
    """What another system calls us with; only the hash of it is kept.

    A key is turned by making the next one (``replaces``); the earlier one ends a few days later, so that both hold while
    the other system is changed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField("sistema", max_length=60, help_text="De quem é a chave, ex.: contabilidade.")
    store = models.ForeignKey(
        Store,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="loja",
        help_text="Sem loja, a chave vale para a rede toda.",
    )
    scopes = ArrayField(models.CharField(max_length=16, choices=SCOPES), verbose_name="pode")
    expires_at = models.DateTimeField("vale até")
    prefix = models.CharField("começa com", max_length=12, editable=False)
    secret_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    replaces = models.OneToOneField(
        "self", models.PROTECT, related_name="+", null=True, editable=False, verbose_name="substitui"
    )
    created_by = models.ForeignKey(
        "core.User", models.PROTECT, related_name="+", editable=False, verbose_name="criada por"
    )
    created_at = models.DateTimeField("criada em", editable=False)
    revoked_at = models.DateTimeField("revogada em", null=True, editable=False)
    last_used_at = models.DateTimeField("usada em", null=True, editable=False)

    class Meta:
        verbose_name = "chave de integração"
        verbose_name_plural = "chaves de integração"
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=[scope.value for scope, _ in SCOPES], scopes__len__gte=1),
                name="integrator_key_scopes_are_known",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="integrator_key_expires"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

"""Stores, the roles people hold there, and the devices that stand in them."""

from datetime import time

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from apps.core.facade import Role, new_id, row_history

STAFF_ROLES = [
    (Role.OWNER, "dono"),
    (Role.MANAGER, "gerente"),
    (Role.CASHIER, "caixa"),
    (Role.KITCHEN, "cozinha"),
    (Role.AUDITOR, "auditor"),
]
DEVICE_KINDS = [(Role.KIOSK, "totem"), (Role.BOARD, "quadro da cozinha"), (Role.PANEL, "painel de retirada")]


class Store(models.Model):
    """One shop with its own stock, prices, devices and order numbers."""

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
    created_at = models.DateTimeField("criada em", auto_now_add=True)

    history = row_history.kept()

    class Meta:
        verbose_name = "loja"
        verbose_name_plural = "lojas"

    def __str__(self) -> str:
        return self.name


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

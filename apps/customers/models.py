"""Customers, what they allowed, and the short-lived tickets that stand for them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.db.models.lookups import Exact, GreaterThan

from apps.core.facade import new_id
from apps.customers.rules import Kind, Purpose, Source

HASH_BYTES = 32
SHORTEST_CIPHER = 1 + 12 + 11 + 16  # key id, nonce, a CPF, tag
KINDS = [(Kind.CPF, "CPF"), (Kind.CNPJ, "CNPJ")]
PURPOSES = [(Purpose.LOYALTY, "fidelidade"), (Purpose.MARKETING, "ofertas"), (Purpose.RECEIPT, "recibo")]
SOURCES = [
    (Source.KIOSK, "totem"),
    (Source.WEB, "internet"),
    (Source.COUNTER, "balcão"),
    (Source.ERASURE, "eliminação"),
]
NOT_ERASED = Q(erased_at=None)


class Bytes(models.Func):
    """How many bytes a value has."""

    function = "octet_length"
    output_field = models.IntegerField()


class Customer(models.Model):
    """Somebody who wants to be known: for points, receipts or ordering ahead.

    Known by CPF or CNPJ, e-mail or phone. Made only by ``services.register_customer``; once ``erased_at`` is set nothing
    personal is left and the row stays as a tombstone for what refers to it.
    """

    PERSONAL: ClassVar[frozenset[str]] = frozenset(
        {"name", "email", "phone", "address", "cpf_cipher", "cpf_index", "user"}
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name="conta"
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    name = models.CharField("nome", max_length=120, blank=True)
    email = models.EmailField("e-mail", blank=True)
    phone = models.CharField("telefone", max_length=16, blank=True, help_text="E.164.")
    address = models.CharField("endereço", max_length=300, blank=True)
    kind = models.CharField("tipo de documento", max_length=4, choices=KINDS, blank=True)
    cpf_cipher = models.BinaryField(null=True, editable=False)
    cpf_index = models.BinaryField(max_length=HASH_BYTES, null=True, unique=True, editable=False)
    created_at = models.DateTimeField("cadastrado em")
    erased_at = models.DateTimeField("eliminado em", null=True, editable=False)

    class Meta:
        verbose_name = "cliente"
        verbose_name_plural = "clientes"
        constraints = [
            models.UniqueConstraint("email", condition=~Q(email=""), name="customer_email_once"),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="customer_email_is_lower_case"),
            models.CheckConstraint(
                condition=Q(phone__regex=r"^(\+55[1-9]{2}(9[0-9]{8}|[2-5][0-9]{7}))?$"),
                name="customer_phone_is_brazilian",
            ),
            models.CheckConstraint(
                condition=Q(kind="", cpf_cipher=None, cpf_index=None)
                | Q(kind__in=[kind for kind, _ in KINDS], cpf_cipher__isnull=False, cpf_index__isnull=False),
                name="customer_document_whole_or_absent",
            ),
            models.CheckConstraint(
                condition=Exact(Bytes(F("cpf_index")), HASH_BYTES), name="customer_index_is_an_hmac"
            ),
            models.CheckConstraint(
                condition=GreaterThan(Bytes(F("cpf_cipher")), SHORTEST_CIPHER - 1), name="customer_cipher_is_sealed"
            ),
            models.CheckConstraint(
                condition=NOT_ERASED
                | Q(name="", email="", phone="", address="", kind="", user=None, erased_at__gte=F("created_at")),
                name="customer_erased_holds_nothing",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=False) | ~Q(email="", phone="", kind=""), name="customer_can_be_found"
            ),
            models.CheckConstraint(condition=Q(version__gt=0), name="customer_version_positive"),
        ]

    def __str__(self) -> str:
        return f"cliente {str(self.pk)[-8:]}"


class Consent(models.Model):
    """One yes or no of a customer; the newest row of a purpose counts. Rows are never changed (a trigger sees to it)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="consents", verbose_name="cliente")
    purpose = models.CharField("para", max_length=16, choices=PURPOSES)
    granted = models.BooleanField("permitido")
    at = models.DateTimeField("em")
    source = models.CharField("onde", max_length=16, choices=SOURCES)

    class Meta:
        verbose_name = "consentimento"
        verbose_name_plural = "consentimentos"
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=[purpose for purpose, _ in PURPOSES]), name="consent_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=[source for source, _ in SOURCES]), name="consent_source_is_known"
            ),
            models.CheckConstraint(
                condition=Q(granted=False) | ~Q(source=Source.ERASURE), name="consent_erasure_only_takes_back"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {'sim' if self.granted else 'não'}"


class LookupTicket(models.Model):
    """Stands for a CPF that was typed on a kiosk, known or not: ten minutes, that device, one checkout."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    token_hash = models.BinaryField(max_length=HASH_BYTES, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+")
    device_id = models.UUIDField()
    cpf_cipher = models.BinaryField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "bilhete de consulta"
        verbose_name_plural = "bilhetes de consulta"
        constraints = [
            models.CheckConstraint(condition=Exact(Bytes(F("token_hash")), HASH_BYTES), name="ticket_token_is_hashed"),
            models.CheckConstraint(
                condition=GreaterThan(Bytes(F("cpf_cipher")), SHORTEST_CIPHER - 1), name="ticket_cipher_is_sealed"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="ticket_expires_after_issue"),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(used_at__gte=F("created_at"), used_at__lt=F("expires_at")),
                name="ticket_used_while_valid",
            ),
        ]

    def __str__(self) -> str:
        return f"bilhete {str(self.pk)[-8:]}"


class AccountClaim(models.Model):
    """A registration that asked for a password: it becomes an account once the code sent to the customer comes back.

    The password belongs to the attempt, not to the customer: somebody else's earlier attempt can never become the login.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    token_hash = models.BinaryField(max_length=HASH_BYTES, unique=True)
    password_hash = models.CharField(max_length=128)
    code_hash = models.BinaryField(max_length=HASH_BYTES, null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "pedido de conta"
        verbose_name_plural = "pedidos de conta"
        constraints = [
            models.CheckConstraint(condition=Exact(Bytes(F("token_hash")), HASH_BYTES), name="claim_token_is_hashed"),
            models.CheckConstraint(condition=Exact(Bytes(F("code_hash")), HASH_BYTES), name="claim_code_is_hashed"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="claim_expires_after_issue"),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(used_at__lt=F("expires_at"), code_hash__isnull=False),
                name="claim_used_while_valid",
            ),
            models.CheckConstraint(condition=Q(tries__lte=5), name="claim_tries_are_few"),
        ]

    def __str__(self) -> str:
        return f"pedido {str(self.pk)[-8:]}"


class CustomerRead(models.Model):
    """Somebody of the staff looked a customer up, exported or erased them. Rows are never changed (a trigger sees to it)."""

    LOOKUP, SEARCH, EXPORT, ERASE = "lookup", "search", "export", "erase"
    ACTS = [(LOOKUP, "consulta por CPF"), (SEARCH, "busca por CPF"), (EXPORT, "exportação"), (ERASE, "eliminação")]

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+", verbose_name="cliente")
    act = models.CharField("o quê", max_length=8, choices=ACTS)
    actor_kind = models.CharField("quem", max_length=10)
    actor_id = models.UUIDField("pessoa", null=True)
    at = models.DateTimeField("em")

    class Meta:
        verbose_name = "acesso a dados pessoais"
        verbose_name_plural = "acessos a dados pessoais"
        constraints = [
            models.CheckConstraint(
                condition=Q(act__in=["lookup", "search", "export", "erase"]), name="customer_read_act_is_known"
            )
        ]
        indexes = [models.Index("customer", "at", name="customer_read_of_customer")]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.at:%d/%m/%Y %H:%M}"

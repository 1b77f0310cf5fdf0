"""Accounts, the event store and its bookkeeping, idempotency keys, the audit trail."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.core.ids import new_id


class UserManager(BaseUserManager["User"]):
    """Makes accounts; e-mail addresses are kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an account that can sign in when a password is given."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an account that may do everything."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find an account by e-mail, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in with an e-mail and a password: staff, owners, later customers."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"email", "name", "password"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField("e-mail", unique=True)
    name = models.CharField("nome", max_length=120)
    is_staff = models.BooleanField("acessa a administração", default=False)
    is_active = models.BooleanField("ativo", default=True)
    created_at = models.DateTimeField("criado em", auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = "usuário"
        verbose_name_plural = "usuários"
        constraints = [models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_is_lower_case")]

    def __str__(self) -> str:
        return self.email


class StoredEvent(models.Model):
    """One event, kept for good.

    The table is partitioned by month of ``id`` (a UUIDv7); ``dispatched_at`` is set once every subscriber has either its
    ``Receipt`` or a ``FailedDelivery``.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    type = models.CharField("tipo", max_length=64)
    version = models.PositiveSmallIntegerField("versão")
    occurred_at = models.DateTimeField("aconteceu em")
    store_id = models.UUIDField("loja", null=True)
    subject_id = models.UUIDField("assunto")
    seq = models.PositiveIntegerField("sequência")
    correlation_id = models.CharField("requisição", max_length=64)
    payload = models.JSONField("conteúdo")
    dispatched_at = models.DateTimeField("entregue em", null=True)

    class Meta:
        verbose_name = "evento"
        verbose_name_plural = "eventos"
        indexes = [
            models.Index("id", condition=Q(dispatched_at=None), name="event_waiting"),
            models.Index("subject_id", "seq", name="event_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_id} #{self.seq}"


class Receipt(models.Model):
    """One subscriber has handled one event: the row is written in the handler's transaction, so the effect is once."""

    pk = models.CompositePrimaryKey("event_id", "handler")
    event_id = models.UUIDField()
    handler = models.CharField(max_length=100)
    handled_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "recibo de evento"
        verbose_name_plural = "recibos de eventos"

    def __str__(self) -> str:
        return f"{self.handler} {self.event_id}"


class FailedDelivery(models.Model):
    """One subscriber failed on one event; tried again with back-off until ``dead_at``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event_id = models.UUIDField("evento")
    handler = models.CharField("quem recebe", max_length=100)
    tries = models.PositiveSmallIntegerField("tentativas")
    next_try_at = models.DateTimeField("próxima tentativa", db_index=True)
    dead_at = models.DateTimeField("desistiu em", null=True)
    error = models.TextField("erro")

    class Meta:
        verbose_name = "entrega que falhou"
        verbose_name_plural = "entregas que falharam"
        constraints = [models.UniqueConstraint("event_id", "handler", name="failed_delivery_once_a_handler")]

    def __str__(self) -> str:
        return f"{self.handler} {self.event_id}"


class IdempotencyKey(models.Model):
    """The answer once given to one key of one principal; a repeat gets the same bytes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    principal = models.CharField(max_length=64)
    key = models.CharField(max_length=64)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = "chave de idempotência"
        verbose_name_plural = "chaves de idempotência"
        constraints = [models.UniqueConstraint("principal", "key", name="idempotency_key_once_a_principal")]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"


class RateWindow(models.Model):
    """How often one key was used in one stretch of time (``limits``).

    Unlogged: a crash of the database may forget counts of the last hours, and no write of them waits for the disk.
    """

    pk = models.CompositePrimaryKey("scope", "key_hash", "window_start")
    scope = models.CharField(max_length=40)
    key_hash = models.BinaryField(max_length=32)
    window_start = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name = "janela de limite"
        verbose_name_plural = "janelas de limite"
        constraints = [models.CheckConstraint(condition=Q(count__gt=0), name="rate_window_counts_something")]

    def __str__(self) -> str:
        return f"{self.scope} {self.window_start:%H:%M} {self.count}"


class AuditEntry(models.Model):
    """One write of one member of staff: who, when, what, from what to what. Added by ``trail`` and never changed.

    ``changes`` is a list of ``{"field", "from", "to"}``; a personal column has ``{"field", "changed": true}`` instead. No
    name of a person or thing is kept here but its id, so that whoever is erased is erased here, too.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField("quando")
    actor_id = models.UUIDField("quem", null=True)
    store_id = models.UUIDField("loja", null=True)
    action = models.CharField("o que", max_length=40)
    subject_type = models.CharField("tipo", max_length=60, blank=True)
    subject_id = models.UUIDField("identificador", null=True)
    changes = models.JSONField("mudanças", default=list)
    request_id = models.CharField("requisição", max_length=64)

    class Meta:
        verbose_name = "registro de auditoria"
        verbose_name_plural = "trilha de auditoria"
        indexes = [
            models.Index("store_id", "id", name="audit_of_store"),
            models.Index("actor_id", "id", name="audit_of_actor"),
            models.Index("subject_id", "id", name="audit_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%d/%m/%Y %H:%M} {self.action}"

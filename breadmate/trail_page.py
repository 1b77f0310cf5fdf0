"""The audit trail as people read it: one sentence for each entry, with the names that people and things have today."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from apps.core.facade import Role, User
from apps.core.models import AuditEntry
from apps.stores.facade import OWNERS, LongListAdmin, MadeFilter
from apps.stores.models import Store

MOST_PEOPLE = 100
NOTHING = "—"
GONE = "algo que não existe mais"
SENTENCES = {
    "admin.added": "criou {}",
    "admin.changed": "mudou {}",
    "catalog.product_added": "criou {}",
    "catalog.product_changed": "mudou {}",
    "catalog.product_archived": "arquivou {}",
    "catalog.store_terms_set": "mudou {}",
    "catalog.category_added": "criou {}",
    "catalog.category_changed": "mudou {}",
    "catalog.category_archived": "arquivou {}",
    "catalog.paused": "pausou {}",
    "catalog.resumed": "voltou a vender {}",
    "inventory.moved": "mexeu no estoque: {}",
    "inventory.stocked_up": "repôs o estoque de {}",
    "orders.placed": "abriu {}",
    "orders.moved": "moveu {}",
    "orders.move_undone": "desfez um passo de {}",
    "orders.recalled": "chamou de volta {}",
    "orders.released": "liberou {}",
    "orders.release_refused": "recusou a venda de {}",
    "orders.item_voided": "anulou um item de {}",
    "orders.attention_cleared": "cuidou de {}",
    "payments.counter_confirmed": "recebeu no caixa: {}",
    "payments.refund_asked": "mandou devolver {}",
    "payments.refund_retried": "mandou tentar de novo a devolução {}",
    "payments.closing_asked": "mandou fechar de novo o dia {}",
    "payments.difference_repaired": "mandou resolver {}",
    "payments.difference_noted": "deu por vista {}",
    "payments.charge_asked": "mandou perguntar de novo por {}",
    "customers.exported": "exportou os dados de {}",
    "customers.erased": "eliminou os dados de {}",
    "stores.pairing_code_issued": "gerou um código de pareamento para {}",
    "stores.device_revoked": "revogou {}",
    "stores.key_rotated": "girou a chave {}",
    "stores.key_revoked": "revogou a chave {}",
    "stores.training_opened": "abriu {} para treinar",
    "stores.orders_paused": "pausou os pedidos de {}",
    "stores.orders_resumed": "voltou a aceitar pedidos em {}",
    "stores.signed_in": "entrou na administração",
    "stores.sign_in_failed": "errou a senha de {}",
    "stores.sign_in_locked": "tentou demais e ficou sem poder entrar como {}",
    "first_run.owner_made": "abriu a loja como {}",
    "stores.password_changed": "trocou a própria senha",
    "core.delivery_retried": "mandou tentar de novo {}",
}


class PeopleFilter(admin.SimpleListFilter):
    """By who did it, of those in the entries the reader may see."""

    title = "quem"
    parameter_name = "actor_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name them."""
        seen = model_admin.get_queryset(request).exclude(actor_id=None).order_by().values("actor_id").distinct()
        people = User.objects.filter(pk__in=seen).order_by("name")[:MOST_PEOPLE]
        return [(str(person.pk), person.name or str(person.pk)) for person in people]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep one person's."""
        person = _uuid(self.value())
        return queryset.filter(actor_id=person) if person else queryset


class DeedFilter(admin.SimpleListFilter):
    """By what was done."""

    title = "o que"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name every deed once."""
        return sorted(
            {(action.partition(".")[0], AREAS[action.partition(".")[0]]) for action in SENTENCES},
            key=lambda pair: pair[1],
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep one area's."""
        return queryset.filter(action__startswith=f"{self.value()}.") if self.value() in AREAS else queryset


AREAS = {
    "admin": "formulários da administração",
    "catalog": "cardápio",
    "inventory": "estoque",
    "orders": "pedidos",
    "payments": "pagamentos",
    "customers": "dados pessoais",
    "stores": "acessos e dispositivos",
    "core": "sistema",
    "first_run": "primeiros passos",
}


class StoreFilter(admin.SimpleListFilter):
    """By store, of the reader's."""

    title = "loja"
    parameter_name = "store_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name them."""
        return [(str(store.pk), store.name) for store in model_admin.stores_of(request).order_by("name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep one store's."""
        store = _uuid(self.value())
        return queryset.filter(store_id=store) if store else queryset


@admin.register(AuditEntry)
class AuditEntryPage(LongListAdmin):
    """Everything staff have written, newest first; of one store, for whoever answers for it alone."""

    store_lookup = "store_id"
    viewers = OWNERS | {Role.AUDITOR}
    list_display = ["at", "who", "deed", "told_changes", "where"]
    list_display_links = ["at"]
    list_filter = [("at", MadeFilter), PeopleFilter, DeedFilter, StoreFilter]
    search_fields = ["=request_id", "=subject_id"]
    search_help_text = "Identificador de uma linha ou de uma requisição"
    fields = ["at", "who", "deed", "told_changes", "where", "subject_id", "request_id"]
    readonly_fields = ["who", "deed", "told_changes", "where"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let pages lead here with one row's entries."""
        return lookup == "subject_id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="quem")
    def who(self, entry: AuditEntry) -> str:
        """Name the person."""
        return self._names(entry).get(("core.user", entry.actor_id), "alguém")

    @admin.display(description="o que fez")
    def deed(self, entry: AuditEntry) -> str:
        """Say it as a sentence's end."""
        return SENTENCES.get(entry.action, f"{entry.action}: {{}}").format(self._subject(entry))

    @admin.display(description="mudanças")
    def told_changes(self, entry: AuditEntry) -> str:
        """Say each field from what to what."""
        if not entry.changes:
            return NOTHING
        return format_html_join("", "<div>{}</div>", ((line,) for line in _lines(entry)))

    @admin.display(description="loja")
    def where(self, entry: AuditEntry) -> str:
        """Name the store."""
        return self._names(entry).get(("stores.store", entry.store_id), "todas" if entry.store_id is None else GONE)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Look up all names of a page at once."""
        shown = super().get_changelist_instance(request)
        names = names_of(shown.result_list)
        for entry in shown.result_list:
            entry.names = names
        return shown

    def _names(self, entry: AuditEntry) -> "dict[tuple[str, UUID | None], str]":
        if not hasattr(entry, "names"):
            entry.names = names_of([entry])  # type: ignore[attr-defined]  # ours, for one page
        found: dict[tuple[str, UUID | None], str] = entry.names  # type: ignore[attr-defined]
        return found

    def _subject(self, entry: AuditEntry) -> str:
        model = _model(entry.subject_type)
        kind = str(model._meta.verbose_name) if model is not None else ""  # noqa: SLF001 - Django's public API
        name = self._names(entry).get((entry.subject_type, entry.subject_id))
        return f"{kind} “{name}”" if name is not None else kind or GONE


def names_of(entries: Iterable[AuditEntry]) -> "dict[tuple[str, UUID | None], str]":
    """Return what the people, stores and subjects of entries are called today; one or two queries for each kind of subject."""
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for entry in entries:
        for label, id_ in (
            ("core.user", entry.actor_id),
            ("stores.store", entry.store_id),
            (entry.subject_type, entry.subject_id),
        ):
            if id_ is not None:
                wanted[label].add(id_)
    names: dict[tuple[str, UUID | None], str] = {}
    for label, ids in wanted.items():
        model = _model(label)
        if model is None:
            continue
        related = [
            field.name
            for field in model._meta.concrete_fields  # noqa: SLF001 - Django's public API
            if field.is_relation
        ]
        for row in model._default_manager.filter(pk__in=ids).select_related(*related):  # noqa: SLF001
            names[label, row.pk] = _name(row)
    return names


def _name(row: Model) -> str:
    return (row.name or str(row.pk)) if isinstance(row, User | Store) else str(row)


def _lines(entry: AuditEntry) -> list[str]:
    model = _model(entry.subject_type)
    lines = []
    for told in entry.changes:
        label = _label(model, told["field"])
        if told.get("changed"):
            lines.append(f"{label}: mudou")
        elif told["from"] in (None, ""):
            lines.append(f"{label}: {_shown(model, told, 'to')}")
        else:
            lines.append(f"{label}: {_shown(model, told, 'from')} → {_shown(model, told, 'to')}")
    return lines


def _label(model: type[Model] | None, field: str) -> str:
    try:
        return str(model._meta.get_field(field).verbose_name) if model else field  # type: ignore[union-attr]  # noqa: SLF001
    except FieldDoesNotExist:
        return LABELS.get(field, field)


LABELS = {"reason": "motivo", "modifier_groups": "grupos de opções"}


def _shown(model: type[Model] | None, told: dict[str, Any], end: str) -> str:
    value = told[end]
    if value is None or value in ("", []):
        return NOTHING
    if isinstance(value, bool):
        return "sim" if value else "não"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    try:
        choices = dict(model._meta.get_field(told["field"]).flatchoices) if model else {}  # type: ignore[union-attr]  # noqa: SLF001
    except (FieldDoesNotExist, AttributeError):
        choices = {}
    return str(choices.get(value, value))


def _model(label: str) -> type[Model] | None:
    try:
        return apps.get_model(label) if label else None
    except LookupError:
        return None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None

"""The one base of every admin page: who may open it, and which stores' rows it shows."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import RelatedFieldListFilter, ShowFacets, SimpleListFilter
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.forms import Form, ModelChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

from apps.core.facade import Actor, DomainError, Grant, Role, trail
from apps.stores import admin_changes, queries
from apps.stores.admin_lists import BoundedPaginator, MadeFilter
from apps.stores.models import Store

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

OWNERS = frozenset({Role.OWNER})
COUNTER = frozenset({Role.OWNER, Role.MANAGER, Role.CASHIER})
MANAGERS = frozenset({Role.OWNER, Role.MANAGER})
EVERYBODY = frozenset({Role.OWNER, Role.MANAGER, Role.CASHIER, Role.KITCHEN, Role.AUDITOR})
BOOKS = frozenset({Role.OWNER, Role.MANAGER, Role.CASHIER, Role.AUDITOR})


def staff_of(request: HttpRequest) -> Actor | None:
    """Return who is signed in, with their roles; a superuser owns the whole chain. One query a request."""
    known: Actor | None = getattr(request, "bm_staff", None)
    if known is None and request.user.is_authenticated and request.user.is_active:
        known = queries.staff_actor(request.user.pk)
        if request.user.is_superuser:
            known = Actor(kind="staff", id=request.user.pk, grants=frozenset({Grant(Role.OWNER, None)}))
        request.bm_staff = known  # type: ignore[attr-defined]
    return known


class OwnStoresFilter(RelatedFieldListFilter):
    """Offers the stores whose rows the reader may see, and no name of another."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> "list[tuple[str, str | _StrPromise]]":
        """Name them."""
        return [(str(store.pk), str(store)) for store in model_admin.stores_of(request).order_by("name")]


class TrainingFilter(SimpleListFilter):
    """Keeps practice and the real apart; not offered to who sees no store for training."""

    title = "treino"
    parameter_name = "training"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name both kinds of stores."""
        self.lookup = f"{model_admin.store_lookup}__training"
        if not model_admin.stores_of(request).filter(training=True).exists():
            return []
        return [("0", "lojas de verdade"), ("1", "lojas de treino")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of one kind."""
        return queryset if self.value() is None else queryset.filter(**{self.lookup: self.value() == "1"})


ACTORS = {
    "device": "totem ou tela",
    "staff": "equipe",
    "customer": "cliente",
    "provider": "Mercado Pago",
    "integrator": "integração",
    "system": "o sistema",
}


def who_did(kind: str, id_: UUID | None) -> str:
    """Name a person or a device, anybody else by their kind. Two queries: for the page of one row."""
    known = {id_} if id_ else set()
    names = queries.actor_names(staff=known if kind == "staff" else set(), devices=known if kind == "device" else set())
    return ", ".join(names.values()) or ACTORS.get(kind, kind)


class StoreAdmin(ModelAdmin):
    """Rows of the reader's stores only; read-only unless a subclass names who may change them; nothing is ever deleted.

    ``store_lookup`` leads from a row to its store; empty for rows of the whole chain. ``of_chain_alone`` are rows of all
    stores together that say something of each: only who holds the role at every store opens them. Every write leaves one
    entry in the audit trail, which also is the history that each page links to.
    """

    store_lookup = "store"
    of_chain_alone = False
    viewers: frozenset[Role] = EVERYBODY
    editors: frozenset[Role] = frozenset()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the app to whoever may open one of its pages."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let viewers and editors in."""
        if self.of_chain_alone:
            actor = staff_of(request)
            return actor is not None and actor.stores_with(self.viewers | self.editors) is None
        return self._holds(request, self.viewers | self.editors)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let editors change, a row only where they are editors."""
        if obj is None or not self.store_lookup:
            return self.has_add_permission(request)
        return self._of_stores(super().get_queryset(request).filter(pk=obj.pk), request, self.editors).exists()

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let editors add; what all stores share, only those who are editors of the whole chain."""
        if self.store_lookup:
            return self._holds(request, self.editors)
        actor = staff_of(request)
        return actor is not None and actor.stores_with(self.editors) is None

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete; things are archived, revoked or ended."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read only rows of the reader's stores."""
        return self._of_stores(super().get_queryset(request), request, self.viewers | self.editors)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        """Offer only the stores where the reader may write."""
        if db_field.related_model is Store:
            kwargs["queryset"] = self._of_stores(Store.objects.all(), request, self.editors, lookup="pk")
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return field

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Require a store of whoever may not write for the whole chain."""
        form = super().get_form(request, obj, change, **kwargs)
        actor = staff_of(request)
        store = form.base_fields.get("store")
        if store is not None and (actor is None or actor.stores_with(self.editors) is not None):
            store.required = True
            store.error_messages["required"] = "Só quem cuida da rede toda pode deixar sem loja: escolha uma."
        return form

    def stores_of(self, request: HttpRequest) -> QuerySet[Store]:
        """Return the stores whose rows the reader may see."""
        return self._of_stores(Store.objects.all(), request, self.viewers | self.editors, lookup="pk")

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Keep other stores' names out of filters by store."""
        return [(name, OwnStoresFilter) if self._leads_to_store(name) else name for name in self.list_filter]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let a list be narrowed by its own filters alone: Django takes any column, and tells a secret a letter at a time."""
        named = [name[0] if isinstance(name, tuple) else name for name in self.get_list_filter(request)]
        columns = {name.partition("__")[0] for name in named if isinstance(name, str)}
        own = {name.parameter_name for name in named if hasattr(name, "parameter_name")}
        if lookup in own:
            return True
        return lookup.partition("__")[0] in columns and bool(super().lookup_allowed(lookup, value, request))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Say what was changed, from what to what, for ``log_addition`` and ``log_change``."""
        return admin_changes.of_form(form) + [
            change for formset in formsets or () for change in admin_changes.of_formset(formset)
        ]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """Write a new row down in the audit trail."""
        self.record(request, "admin.added", obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """Write a changed row down in the audit trail; saving what was so already is no change."""
        if message:
            self.record(request, "admin.changed", obj, message)

    def record(
        self, request: HttpRequest, action: str, obj: Model, changes: "list[trail.Change] | None" = None
    ) -> None:
        """Write down what the reader did, in the transaction of the deed."""
        by = staff_of(request)
        if by is not None:
            store_id = self._store_id_of(obj)
            trail.record(by=by, action=action, at=timezone.now(), subject=obj, store_id=store_id, changes=changes or ())

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the row's entries in the audit trail, which not everybody may read."""
        if self.get_object(request, object_id) is None:
            raise PermissionDenied
        if not self._holds(request, OWNERS | {Role.AUDITOR}):
            messages.info(request, "A trilha de auditoria é lida por donos e auditores.")
            return HttpResponseRedirect("../change/")
        return HttpResponseRedirect(f"{reverse('admin:core_auditentry_changelist')}?subject_id__exact={object_id}")

    def _store_id_of(self, obj: Model) -> Any:
        """Follow ``store_lookup`` from a row."""
        found: Any = obj
        for step in self.store_lookup.split("__") if self.store_lookup else ():
            found = getattr(found, step, None)
        return (found.pk if isinstance(found, Model) else found) if self.store_lookup else None

    def _leads_to_store(self, name: Any) -> bool:
        if not isinstance(name, str):
            return False
        try:
            field: Field[Any, Any] | Any = self.model._meta.get_field(name)  # noqa: SLF001 - Django's public API
        except FieldDoesNotExist:
            return False
        return field.related_model is Store

    def has_counter_permission(self, request: HttpRequest) -> bool:
        """Let whoever works at a counter; the service asks for the right store."""
        return self._holds(request, COUNTER)

    def ask_first(self, request: HttpRequest, rows: QuerySet[Any], form: Form, title: str) -> HttpResponse:
        """Show the form that an action needs answered before it is done; it comes back with ``asked`` set."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "rows": list(rows),
            "form": form,
            "action": request.POST["action"],
        }
        return TemplateResponse(request, "admin/ask_first.html", context)

    def one_by_one(self, request: HttpRequest, rows: Iterable[Any], change: Callable[[Any], object], done: str) -> None:
        """Do something to each row by itself and show what was refused."""
        count = 0
        for row in rows:
            try:
                change(row)
                count += 1
            except DomainError as refusal:
                messages.error(request, f"{row}: {refusal.detail}")
        if count:
            messages.success(request, f"{count}: {done}")

    def _holds(self, request: HttpRequest, roles: frozenset[Role]) -> bool:
        actor = staff_of(request)
        return actor is not None and actor.has_any(roles)

    def _of_stores(
        self, rows: QuerySet[Any], request: HttpRequest, roles: frozenset[Role], lookup: str | None = None
    ) -> QuerySet[Any]:
        """Keep the rows of stores where the reader holds one of the roles; a role held elsewhere does not count."""
        lookup = self.store_lookup if lookup is None else lookup
        actor = staff_of(request)
        stores = actor.stores_with(roles) if actor else frozenset()
        return rows if not lookup or stores is None else rows.filter(**{f"{lookup}__in": stores})


class LongListAdmin(StoreAdmin):
    """Rows that pile up for years: newest first, and nobody takes all of them at once (``admin_lists``)."""

    paginator = BoundedPaginator
    ordering = ("-id",)  # made later sorts later, and every table has this index
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_disable_select_all = True
    list_filter_submit = True

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let a list be narrowed by days, too."""
        made = [name[0] for name in self.list_filter if isinstance(name, tuple) and name[1] is MadeFilter]
        return lookup in [f"{name}_{end}" for name in made for end in ("from", "to")] or super().lookup_allowed(
            lookup, value, request
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Leave the head of the page without a count that says nothing: of all rows, or of as many as were counted."""
        shown = super().get_changelist_instance(request)
        if shown.paginator.is_cut or not (shown.has_active_filters or shown.query):
            shown.full_result_count = shown.result_count
        return shown


class HistoryAdmin(SimpleHistoryAdmin, StoreAdmin):
    """A page whose rows have their history kept: each state they were in, and who wrote it."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show it for rows of the reader's stores."""
        if self.get_object(request, object_id) is None:
            raise PermissionDenied
        shown: HttpResponse = SimpleHistoryAdmin.history_view(self, request, object_id, extra_context)
        return shown

    def set_history_delta_changes(self, request: HttpRequest, historical_records: Any, **kwargs: Any) -> None:
        """Leave the column of reasons empty where nobody gave one."""
        super().set_history_delta_changes(request, historical_records, **kwargs)
        for record in historical_records:
            record.history_change_reason = record.history_change_reason or ""

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one state of a row of the reader's stores."""
        if self.get_object(request, object_id) is None:
            raise PermissionDenied
        shown: HttpResponse = super().history_form_view(request, object_id, version_id, extra_context)
        return shown

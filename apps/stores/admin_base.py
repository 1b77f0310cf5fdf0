"""The one base of every admin page: who may open it, and which stores' rows it shows."""

from typing import Any

from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.core.facade import Actor, Grant, Role
from apps.stores import queries
from apps.stores.models import Store

OWNERS = frozenset({Role.OWNER})
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


class StoreAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows of the reader's stores only; read-only unless a subclass names who may change them; nothing is ever deleted.

    ``store_lookup`` leads from a row to its store; empty for rows of the whole chain.
    """

    store_lookup = "store"
    viewers: frozenset[Role] = EVERYBODY
    editors: frozenset[Role] = frozenset()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the app to whoever may open one of its pages."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let viewers and editors in."""
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

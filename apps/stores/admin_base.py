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
        """Let editors change."""
        return self._holds(request, self.editors)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let editors add."""
        return self._holds(request, self.editors)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete; things are archived, revoked or ended."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read only rows of the reader's stores."""
        rows: QuerySet[Any] = super().get_queryset(request)
        actor = staff_of(request)
        stores = actor.store_ids() if actor else frozenset()
        if not self.store_lookup or stores is None:
            return rows
        return rows.filter(**{f"{self.store_lookup}__in": stores})

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        """Offer only the reader's stores."""
        actor = staff_of(request)
        stores = actor.store_ids() if actor else frozenset()
        if stores is not None and db_field.related_model is Store:
            kwargs["queryset"] = Store.objects.filter(pk__in=stores)
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return field

    def _holds(self, request: HttpRequest, roles: frozenset[Role]) -> bool:
        actor = staff_of(request)
        return actor is not None and actor.has_any(roles)

"""Back-office pages of stores, roles, devices and the keys of other systems."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.decorators import action
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from apps.core.facade import DomainError, Role
from apps.stores import services
from apps.stores.admin_base import EVERYBODY, MANAGERS, OWNERS, HistoryAdmin, StoreAdmin, staff_of
from apps.stores.models import SCOPES, Device, IntegratorKey, OpeningException, OpeningHours, StaffRole, Store
from apps.stores.queries import openings_of

ALIVE = timedelta(minutes=3)
CLOCK_MAY_BE_OFF_SECONDS = 5
ENDS_OF_A_KEY = ("expires_at", "revoked_at", "last_used_at")
USUAL_LIFE = timedelta(days=365)


class OpeningInline(TabularInline):
    """Hours edited with their store, by whoever may edit it."""

    extra = 0

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Name each field for who does not see the column's head."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = str(field.label)
        return field

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Follow the store's page."""
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Follow the store's page."""
        return StorePage(Store, self.admin_site).has_change_permission(request, obj)

    has_add_permission = has_change_permission
    has_delete_permission = has_change_permission


class HoursInline(OpeningInline):
    """The week."""

    model = OpeningHours
    ordering = ["weekday", "opens_at"]
    hide_title = True


class ExceptionInline(OpeningInline):
    """Dates that differ."""

    model = OpeningException
    ordering = ["-on"]
    hide_title = True


class PauseForm(forms.Form):
    """For how long no orders are taken."""

    minutes = forms.TypedChoiceField(
        label="Por quanto tempo",
        coerce=int,
        choices=[(10, "10 minutos"), (20, "20 minutos"), (30, "30 minutos"), (60, "1 hora"), (120, "2 horas")],
        widget=UnfoldAdminSelectWidget,
        help_text="Os totens avisam a hora da volta; pedidos já feitos continuam. Dá para voltar antes.",
    )


@admin.register(Store)
class StorePage(HistoryAdmin):
    """Stores of the chain: who they are is for owners, when they take orders for managers too."""

    store_lookup = "pk"
    viewers = EVERYBODY
    editors = MANAGERS
    makers = OWNERS
    list_display = ["name", "code", "use", "orders_now", "timezone", "day_starts_at"]
    ordering = ["name", "id"]
    search_fields = ["name", "code"]
    inlines = [HoursInline, ExceptionInline]
    actions = ["pause_orders", "resume_orders"]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let owners of the whole chain open stores."""
        actor = staff_of(request)
        return actor is not None and actor.stores_with(self.makers) is None

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let managers in; which fields they may change is said below."""
        return self._holds(request, MANAGERS) if obj is None else super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> list[str]:
        """Keep name, code and time zone for the store's owners; whether it is for training is nobody's to change."""
        actor = staff_of(request)
        owned = actor.stores_with(OWNERS) if actor is not None else frozenset()
        if obj is None:
            return []
        kept = [] if owned is None or obj.pk in owned else ["code", "name", "timezone", "day_starts_at"]
        return [*kept, "training"]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Let the kiosks hear of it, in the transaction that saves the rows."""
        with transaction.atomic():
            super().save_related(request, form, formsets, change)
            services.opening_changed(store_id=form.instance.pk, at=timezone.now())

    def save_model(self, request: HttpRequest, obj: Store, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Write what was typed and nothing else: somebody may have paused the store meanwhile."""
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Look up the hours of all stores of a page at once."""
        shown = super().get_changelist_instance(request)
        openings = openings_of([store.pk for store in shown.result_list])
        for store in shown.result_list:
            store.opening = openings[store.pk]
        return shown

    @admin.display(description="uso", ordering="training")
    def use(self, store: Store) -> str:
        """Tell practice from the real thing."""
        return "treino" if store.training else "venda"

    @admin.display(description="pedidos agora")
    def orders_now(self, store: Store) -> str:
        """Say whether guests may order, else until when not."""
        now, opening = timezone.now(), store.opening  # type: ignore[attr-defined]  # ours, for one page
        if opening.takes_orders(now):
            return "aceitando"
        end = opening.opens_at(now)
        until = f" até {end.astimezone(ZoneInfo(store.timezone)):%d/%m %H:%M}" if end is not None else ""
        return f"{'em pausa' if opening.pauses(now) else 'fechada'}{until}"

    @admin.action(description="Pausar pedidos", permissions=["change"])
    def pause_orders(self, request: HttpRequest, stores: QuerySet[Store]) -> HttpResponse | None:
        """Ask for how long, then take no orders."""
        form = PauseForm(request.POST if "asked" in request.POST else None)
        by, now = staff_of(request), timezone.now()
        if by is None or not form.is_valid():
            return self.ask_first(request, stores, form, "Pausar pedidos")
        until = now + timedelta(minutes=form.cleaned_data["minutes"])
        self.one_by_one(
            request,
            stores,
            lambda store: services.pause_orders(store_id=store.pk, until=until, by=by, at=now),
            "pedidos pausados. Para voltar antes: “Voltar a aceitar pedidos”.",
        )
        return None

    @admin.action(description="Voltar a aceitar pedidos", permissions=["change"])
    def resume_orders(self, request: HttpRequest, stores: QuerySet[Store]) -> None:
        """End a pause at once; the hours stay as they are."""
        by, now = staff_of(request), timezone.now()
        if by is not None:
            self.one_by_one(
                request,
                stores,
                lambda store: services.pause_orders(store_id=store.pk, until=None, by=by, at=now),
                "aceitando pedidos, dentro do horário.",
            )


@admin.register(StaffRole)
class StaffRolePage(StoreAdmin):
    """Who may do what, where."""

    viewers = OWNERS
    editors = OWNERS
    list_display = ["user", "role", "store"]
    ordering = ["user__email", "id"]
    list_filter = ["role", "store"]
    list_select_related = ["user", "store"]
    search_fields = ["user__email", "user__name"]


@admin.register(Device)
class DevicePage(StoreAdmin):
    """Kiosks, boards and panels."""

    viewers = MANAGERS
    editors = MANAGERS
    search_fields = ["name"]
    ordering = ["store__name", "name"]
    list_display = ["name", "kind", "store", "is_alive", "seen", "clock", "paired_at", "revoked_at"]
    list_filter = ["kind", "store"]
    list_select_related = ["store"]
    readonly_fields = ["seen", "clock", "version", "paired_at", "revoked_at"]
    actions = ["issue_pairing_code", "revoke"]

    @admin.display(description="ligado", boolean=True)
    def is_alive(self, device: Device) -> bool | None:
        """Tell whether it was heard of in the last minutes; nothing of one that never was."""
        return device.last_seen_at > timezone.now() - ALIVE if device.last_seen_at else None

    @admin.display(description="visto", ordering="last_seen_at", empty_value="nunca")
    def seen(self, device: Device) -> str | None:
        """Say how long ago it was heard of."""
        return said_ago(timezone.now() - device.last_seen_at) if device.last_seen_at else None

    @admin.display(description="relógio", empty_value="")
    def clock(self, device: Device) -> str | None:
        """Say how far its clock is off, when that is more than the way of a request."""
        drift = device.clock_drift_seconds
        if drift is None:
            return None
        return "certo" if abs(drift) <= CLOCK_MAY_BE_OFF_SECONDS else f"{drift:+d} s"

    @admin.action(description="Gerar código de pareamento", permissions=["change"])
    def issue_pairing_code(self, request: HttpRequest, devices: QuerySet[Device]) -> None:
        """Show a code to type on the device, good once and for ten minutes."""
        for device in devices[:10]:
            with transaction.atomic():
                code = services.issue_pairing_code(device_id=device.id, at=timezone.now())
                self.record(request, "stores.pairing_code_issued", device)
            spaced = " ".join((code[:3], code[3:6], code[6:]))
            messages.success(request, f"{device.name}: digite {spaced} no aparelho (vale 10 minutos).")

    @admin.action(description="Revogar", permissions=["change"])
    def revoke(self, request: HttpRequest, devices: QuerySet[Device]) -> None:
        """Take devices out of service at once."""
        for device in devices:
            with transaction.atomic():
                services.revoke_device(device_id=device.id, at=timezone.now())
                self.record(request, "stores.device_revoked", device)
            messages.success(request, f"{device.name} foi revogado.")


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """What a new key is for."""

    scopes = forms.MultipleChoiceField(label="Pode", choices=SCOPES, widget=UnfoldAdminCheckboxSelectMultipleWidget)

    class Meta:
        model = IntegratorKey
        fields = ["name", "store", "scopes", "expires_at"]

    def clean_expires_at(self) -> Any:
        """Refuse a key that would be over before it begins."""
        expires_at = self.cleaned_data["expires_at"]
        if expires_at <= timezone.now():
            raise forms.ValidationError("Escolha uma data no futuro.")
        return expires_at


@admin.register(IntegratorKey)
class IntegratorKeyPage(StoreAdmin):
    """Keys of other systems. A key is shown once, when it is made; then only how it begins."""

    viewers = OWNERS
    editors = OWNERS
    form = KeyForm
    list_display = ["name", "prefix", "store", "allowed", "expires_at", "last_used_at", "revoked_at"]
    list_filter = ["store"]
    list_select_related = ["store"]
    ordering = ["-id"]
    actions = ["rotate", "revoke"]
    actions_list = ["create"]

    @action(description="Criar chave", url_path="criar", permissions=["add"])  # type: ignore[untyped-decorator]
    def create(self, request: HttpRequest) -> HttpResponse:
        """Lead to the form."""
        return HttpResponseRedirect(reverse("admin:stores_integratorkey_add"))

    @admin.display(description="pode")
    def allowed(self, key: IntegratorKey) -> str:
        """Say its scopes in words."""
        words = dict(SCOPES)
        return ", ".join(words[Role(scope)] for scope in key.scopes)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Call it what it does."""
        response: HttpResponse = super().add_view(request, form_url, {"title": "Criar chave", **(extra_context or {})})
        return response

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose a year."""
        return {"expires_at": timezone.now() + USUAL_LIFE}

    def get_fields(self, request: HttpRequest, obj: IntegratorKey | None = None) -> list[str]:
        """Ask for what a new key is for; of one that is there show all that is kept."""
        if obj is None:
            return ["name", "store", "scopes", "expires_at"]
        return ["name", "prefix", "store", "allowed", "created_by", "created_at", *ENDS_OF_A_KEY]

    def get_readonly_fields(self, request: HttpRequest, obj: IntegratorKey | None = None) -> list[str]:
        """Change nothing of a key: it is rotated or revoked."""
        return [] if obj is None else self.get_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: IntegratorKey, form: KeyForm, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Make the key and show it, this once."""
        if change:
            return
        made, secret = services.create_key(
            name=obj.name,
            scopes=frozenset(Role(scope) for scope in obj.scopes),
            store_id=obj.store_id,
            expires_at=obj.expires_at,
            by=_person(request),
            at=timezone.now(),
        )
        obj.pk, obj.prefix = made.pk, made.prefix
        _show(request, made, secret)

    def response_add(
        self, request: HttpRequest, obj: IntegratorKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the list, with the key above it and nothing else."""
        return HttpResponseRedirect(reverse("admin:stores_integratorkey_changelist"))

    @admin.action(description="Girar (as duas valem por 7 dias)", permissions=["change"])
    def rotate(self, request: HttpRequest, keys: QuerySet[IntegratorKey]) -> None:
        """Make the keys that follow, and show them this once."""
        for key in keys[:10]:
            try:
                with transaction.atomic():
                    made, secret = services.rotate_key(key_id=key.id, by=_person(request), at=timezone.now())
                    self.record(request, "stores.key_rotated", key)
            except DomainError as refusal:
                messages.error(request, f"{key}: {refusal.detail}")
            else:
                _show(request, made, secret)

    @admin.action(description="Revogar", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[IntegratorKey]) -> None:
        """Take keys out of service at once."""
        for key in keys:
            with transaction.atomic():
                services.revoke_key(key_id=key.id, at=timezone.now())
                self.record(request, "stores.key_revoked", key)
            messages.success(request, f"{key} foi revogada.")


def said_ago(past: timedelta) -> str:
    """Say how long ago something was, in its largest unit."""
    minutes = int(past.total_seconds()) // 60
    if minutes < 1:
        return "agora"
    for unit, size in (("d", 24 * 60), ("h", 60)):
        if minutes >= size:
            return f"há {minutes // size} {unit}"
    return f"há {minutes} min"


def _person(request: HttpRequest) -> UUID:
    return UUID(str(request.user.pk))


def _show(request: HttpRequest, key: IntegratorKey, secret: str) -> None:
    messages.success(request, f"{key.name}: copie a chave agora, ela não aparece de novo: {secret}")

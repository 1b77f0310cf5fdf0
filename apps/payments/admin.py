"""Back-office pages of money: to look, and to give back; of the provider's accounts credentials can only be put in."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.facade import InvalidError
from apps.payments import accounts, closing_pages, inbox  # noqa: F401 - registers its pages
from apps.payments.models import Charge, PointOfSale, ProviderAccount, ProviderLine, Refund, WebhookEvent
from apps.payments.refunds import request_refund, retry_refund
from apps.stores.facade import (
    BOOKS,
    OWNERS,
    LongListAdmin,
    MadeFilter,
    StoreAdmin,
    TrainingFilter,
    staff_of,
    who_did,
)

KEEP = "Deixe vazio para manter o que está guardado. O que está guardado nunca é mostrado."

SHOWN_OF_A_BODY = 4096


class RefundForm(forms.Form):
    """How much goes back, and why."""

    amount = forms.DecimalField(
        label="Valor (R$)",
        required=False,
        min_value=Decimal("0.01"),
        max_digits=10,
        decimal_places=2,
        help_text="Vazio devolve tudo o que resta.",
        widget=UnfoldAdminDecimalFieldWidget(),
    )
    reason = forms.CharField(label="Motivo", max_length=140, widget=UnfoldAdminTextInputWidget())


class RefundInline(TabularInline):
    """What went back of a charge."""

    model = Refund
    fields = ["created_at", "amount", "cause", "reason", "state", "problem", "done_at"]
    readonly_fields = fields
    ordering = ["created_at"]
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Follow the parent page."""
        return True

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let nobody."""
        return False

    has_add_permission = has_change_permission


@admin.register(Charge)
class ChargePage(LongListAdmin):
    """Charges of the reader's stores, newest first."""

    store_lookup = "order__store"
    viewers = BOOKS
    list_display = [
        "created_at",
        "order",
        "store",
        "method",
        "state",
        "amount",
        "paid_amount",
        "refunded_amount",
        "mismatch",
    ]
    list_filter = [("created_at", MadeFilter), "state", "method", TrainingFilter]
    list_select_related = ["order__store"]
    search_fields = ["order__number", "provider_order_id", "reference"]
    exclude = [
        "create_body",
        "request_hash",
        "principal",
        "client_key",
        "create_key",
        "qr_data",
        "confirmed_by",
        "leased_until",
    ]
    readonly_fields = ["taken_by"]
    inlines = [RefundInline]
    actions = ["give_back"]

    @admin.display(description="loja")
    def store(self, charge: Charge) -> str:
        """Name it."""
        return charge.order.store.name

    @admin.display(description="recebido no caixa por")
    def taken_by(self, charge: Charge) -> str:
        """Name who took it at the counter."""
        return who_did("staff", charge.confirmed_by) if charge.confirmed_by else "—"

    @admin.action(description="Devolver tudo ou parte", permissions=["counter"])
    def give_back(self, request: HttpRequest, charges: QuerySet[Charge]) -> HttpResponse | None:
        """Ask how much and why, then owe it, charge by charge."""
        form = RefundForm(request.POST if "asked" in request.POST else None)
        by = staff_of(request)
        if by is None or not form.is_valid():
            return self.ask_first(request, charges, form, "Devolver dinheiro")
        now = timezone.now()
        told = {"amount": form.cleaned_data["amount"], "reason": form.cleaned_data["reason"]}
        self.one_by_one(
            request,
            charges,
            lambda charge: request_refund(charge_id=charge.id, by=by, at=now, **told),
            "devolução pedida; a situação está em Devoluções.",
        )
        return None


@admin.register(Refund)
class RefundPage(LongListAdmin):
    """Money on its way back, newest first; what was refused waits here for somebody."""

    store_lookup = "charge__order__store"
    viewers = BOOKS
    list_display = ["created_at", "order_number", "amount", "cause", "reason", "state", "problem", "done_at"]
    list_filter = [("created_at", MadeFilter), "state", "cause", "charge__method", TrainingFilter]
    list_select_related = ["charge__order"]
    search_fields = ["charge__order__number", "provider_refund_id"]
    exclude = ["body", "key", "leased_until", "next_check_at", "asked_by_kind", "asked_by_id"]
    readonly_fields = ["asked_by"]
    actions = ["try_again"]

    @admin.display(description="pedido")
    def order_number(self, refund: Refund) -> str:
        """Say whose money it is."""
        return refund.charge.order.number

    @admin.display(description="pedida por")
    def asked_by(self, refund: Refund) -> str:
        """Name who asked for it."""
        return who_did(refund.asked_by_kind, refund.asked_by_id)

    @admin.action(description="Tentar de novo", permissions=["counter"])
    def try_again(self, request: HttpRequest, refunds: QuerySet[Refund]) -> None:
        """Send refused refunds once more, one by one."""
        by, now = staff_of(request), timezone.now()
        if by is not None:
            self.one_by_one(
                request, refunds, lambda refund: retry_refund(refund_id=refund.id, by=by, at=now), "de volta à fila."
            )


@admin.register(WebhookEvent)
class WebhookEventPage(LongListAdmin):
    """Notifications as they came in, newest first."""

    store_lookup = ""
    of_chain_alone = True
    viewers = OWNERS
    list_display = [
        "received_at",
        "kind",
        "resource_id",
        "action",
        "signature",
        "outcome",
    ]
    list_filter = [("received_at", MadeFilter), "kind", "signature", "outcome"]
    search_fields = ["resource_id"]
    raw_id_fields = ["charge"]
    fields = [*list_display, "copies", "topic", "account", "charge", "processed_at", "headers", "text"]
    readonly_fields = ["text"]
    actions = ["look_again"]

    @admin.display(description="conteúdo")
    def text(self, event: WebhookEvent) -> str:
        """Show the beginning of the body as text, whatever it is; the template escapes it."""
        return bytes(event.body)[:SHOWN_OF_A_BODY].decode(errors="replace")

    @admin.action(description="Olhar de novo", permissions=["view"])
    def look_again(self, request: HttpRequest, events: QuerySet[WebhookEvent]) -> None:
        """Ask the provider again about the charges these notifications name."""
        again = inbox.look_again(event_ids=list(events.values_list("id", flat=True)))
        if again:
            messages.success(request, f"Avisos a olhar de novo em instantes: {again}.")
        else:
            messages.warning(request, "Nenhum destes avisos fala de uma cobrança nossa; não há o que perguntar.")

    exclude = ["body", "dedup_key"]


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes none when it runs
    """Takes credentials and never shows any."""

    token = forms.CharField(
        label="access token",
        required=False,
        strip=True,
        max_length=300,
        widget=UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "off"}),
        help_text=f"Mercado Pago → Suas integrações → Credenciais de produção. {KEEP}",
    )
    secrets = forms.CharField(
        label="assinaturas secretas dos webhooks",
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "autocomplete": "off"}),
        help_text=f"Uma por linha; duas durante uma troca. {KEEP}",
    )

    class Meta:
        model = ProviderAccount
        fields = ["label", "store"]

    def clean(self) -> dict[str, Any]:
        """Refuse credentials that cannot be any, without repeating them."""
        told: dict[str, Any] = super().clean() or self.cleaned_data
        told["secrets"] = told.get("secrets", "").split() or None
        told["token"] = told.get("token") or None
        try:
            accounts.check_credentials(self.instance, token=told["token"], secrets=told["secrets"])
        except InvalidError as problem:
            for error in problem.errors:
                self.add_error(error["field"], error["detail"])
        return told


@admin.register(ProviderAccount)
class ProviderAccountPage(StoreAdmin):
    """Accounts that guests pay into: a store's own, or one of the whole chain."""

    viewers = OWNERS
    editors = OWNERS
    form = AccountForm
    list_display = ["label", "store", "changed_at", "last_webhook"]
    list_select_related = ["store"]
    search_fields = ["label"]
    ordering = ["label"]
    fields = ["label", "store", "token", "secrets", "created_at", "changed_at", "last_webhook"]
    readonly_fields = ["created_at", "changed_at", "last_webhook"]

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> "forms.ModelChoiceField[Any] | None":
        """Offer no store for training: nobody pays there."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name == "store" and field.queryset is not None:
            field.queryset = field.queryset.filter(training=False)
        return field

    @admin.display(description="último aviso recebido")
    def last_webhook(self, account: ProviderAccount) -> str:
        """Say when the provider last told us something of this account."""
        line = ProviderLine.objects.filter(key=str(account.id)).first()
        at = line.last_webhook_at if line else None
        return f"{timezone.localtime(at):%d/%m/%Y %H:%M}" if at else "nunca"

    def save_model(self, request: HttpRequest, obj: ProviderAccount, form: AccountForm, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Store it sealed."""
        by = staff_of(request)
        assert by is not None  # noqa: S101 - nobody else gets here
        told = form.cleaned_data
        accounts.set_account(obj, token=told["token"], secrets=told["secrets"], by=by, at=timezone.now())


@admin.register(PointOfSale)
class PointOfSalePage(StoreAdmin):
    """Tills as Mercado Pago knows them, made by ``mp_setup``."""

    viewers = OWNERS
    list_display = ["external_id", "store", "device", "account", "provider_id", "created_at"]
    list_select_related = ["store", "device", "account"]
    ordering = ["external_id"]

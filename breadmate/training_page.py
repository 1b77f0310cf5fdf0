"""The back-office page of stores, with what only the whole project can do: open one for training, and fill its shelves."""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.facade import DomainError
from apps.stores.admin import StorePage
from apps.stores.facade import staff_of
from apps.stores.models import Store
from breadmate import training

TITLE = "Abrir loja de treino"


class OpenForm(forms.Form):
    """Whose staff practise there."""

    store = forms.ModelChoiceField(
        label="Treinar para qual loja",
        queryset=Store.objects.filter(training=False).order_by("name"),
        empty_label=None,
        widget=UnfoldAdminSelectWidget(),
        help_text=(
            "A loja de treino tem o mesmo cardápio, aceita pedidos a qualquer hora e começa com estoque de tudo. Nela nada é "
            "cobrado: o QR se paga sozinho em alguns segundos, e as vendas não entram em conta nenhuma. Depois, cadastre nela "
            "um totem, a cozinha e o painel em Dispositivos, e dê a quem vai treinar um papel só nela."
        ),
    )


admin.site.unregister(Store)


@admin.register(Store)
class StoreAndTrainingPage(StorePage):
    """Stores of the chain, those for training among them."""

    actions_list = ["open_training"]
    actions = [*StorePage.actions, "restock"]

    @action(description=TITLE, url_path="treino", permissions=["add"])  # type: ignore[untyped-decorator]  # unfold has no types
    def open_training(self, request: HttpRequest) -> HttpResponse:
        """Say what it is and ask for which store, then open it."""
        form = OpenForm(request.POST or None)
        by = staff_of(request)
        if by is None or not form.is_valid():
            context = {**self.admin_site.each_context(request), "opts": self.opts, "title": TITLE, "form": form}
            return TemplateResponse(request, "admin/ask_first.html", context)
        try:
            store = training.open_store(of=form.cleaned_data["store"].pk, by=by, at=timezone.now())
        except DomainError as refusal:
            messages.error(request, refusal.detail)
        else:
            messages.success(request, f"{store} está aberta. Agora cadastre nela um totem, em Dispositivos.")
        return HttpResponseRedirect(reverse("admin:stores_store_changelist"))

    @admin.action(description="Repor o estoque do treino", permissions=["change"])
    def restock(self, request: HttpRequest, stores: QuerySet[Store]) -> None:
        """Bring back what was sold in practice, store by store."""
        by, now = staff_of(request), timezone.now()
        if by is not None:
            self.one_by_one(
                request,
                stores,
                lambda store: training.restock(store_id=store.pk, by=by, at=now),
                "estoque do treino reposto.",
            )

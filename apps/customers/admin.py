"""Back-office pages of customers: masked values only, and no CPF in a title or an address of a page."""

from typing import Any
from urllib.parse import urlencode

import orjson
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import TabularInline

from apps.core.facade import Actor, LimitedError, User, limits
from apps.customers import guards, services
from apps.customers.errors import CustomerNotFoundError
from apps.customers.models import Consent, Customer, CustomerRead
from apps.customers.queries import masked_document
from apps.customers.rules import masked_email, masked_phone, parse_document
from apps.stores.facade import ACTORS, MANAGERS, OWNERS, LongListAdmin, MadeFilter

MOST_ERASED = 20
NO_MORE_LOOKUPS = "Você consultou muitos CPFs nesta hora. Tente mais tarde."
MOSTLY_DIGITS = 8


class ConsentInline(TabularInline):
    """What the customer allowed and took back."""

    model = Consent
    fields = ["purpose", "granted", "at", "source"]
    ordering = ["-at"]
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Follow the customer's page."""
        return True

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody: a consent is never changed."""
        return False

    has_add_permission = has_change_permission


@admin.register(Customer)
class CustomerPage(LongListAdmin):
    """Customers of the whole chain. They are changed by themselves; here they are found, exported and erased."""

    store_lookup = ""
    viewers = MANAGERS
    list_display = ["__str__", "name", "shown_document", "shown_email", "shown_phone", "created_at", "erased_at"]
    list_display_links = ["__str__"]
    search_fields = ["name"]
    list_before_template = "customers/search_form.html"
    fields = [
        *("name", "shown_document", "shown_email", "shown_phone", "shown_address", "shown_account"),
        *("created_at", "erased_at"),
    ]
    readonly_fields = ["shown_document", "shown_email", "shown_phone", "shown_address", "shown_account"]
    inlines = [ConsentInline]
    actions = ["export", "erase"]

    @admin.display(description="CPF ou CNPJ")
    def shown_document(self, customer: Customer) -> str:
        """Show it masked."""
        return masked_document(customer)

    @admin.display(description="e-mail")
    def shown_email(self, customer: Customer) -> str:
        """Show it masked."""
        return masked_email(customer.email)

    @admin.display(description="telefone")
    def shown_phone(self, customer: Customer) -> str:
        """Show it masked."""
        return masked_phone(customer.phone)

    @admin.display(description="endereço")
    def shown_address(self, customer: Customer) -> str:
        """Say only whether there is one."""
        return "informado" if customer.address else ""

    @admin.display(description="tem conta", boolean=True)
    def shown_account(self, customer: Customer) -> bool:
        """Say whether the customer can sign in."""
        return customer.user_id is not None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Take the search as a POST, so that what is typed does not become part of an address."""
        if request.method == "POST" and "find" in request.POST and self.has_view_permission(request):
            return self._find(request, request.POST.get("q", "").strip())
        response: HttpResponse = super().changelist_view(request, extra_context)
        response["Cache-Control"] = "no-store"
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """Find an exact CPF by its blind index, everything else by name."""
        if parse_document(search_term.strip()) is None:
            found: tuple[QuerySet[Customer], bool] = super().get_search_results(request, queryset, search_term)
            return found
        customer = self._by_document(request, search_term.strip())
        return (queryset.filter(pk=customer.pk) if customer else queryset.none()), False

    def has_personal_permission(self, request: HttpRequest) -> bool:
        """Let whoever may open the page export and erase."""
        return self.has_view_permission(request)

    @admin.action(description="Exportar os dados (JSON)", permissions=["personal"])
    def export(self, request: HttpRequest, customers: QuerySet[Customer]) -> HttpResponse | None:
        """Download everything held about one person, to be handed to them."""
        chosen = list(customers[:2])
        if len(chosen) != 1:
            messages.error(request, "Exporte uma pessoa por vez.")
            return None
        held = services.export_customer(customer_id=chosen[0].id, by=_person(request), at=timezone.now())
        return HttpResponse(
            orjson.dumps(held, option=orjson.OPT_INDENT_2),
            content_type="application/json",
            headers={
                "Content-Disposition": f'attachment; filename="cliente-{chosen[0].id}.json"',
                "Cache-Control": "no-store",
            },
        )

    @admin.action(description="Eliminar os dados pessoais", permissions=["personal"])
    def erase(self, request: HttpRequest, customers: QuerySet[Customer]) -> HttpResponse | None:
        """Ask, then erase for good."""
        chosen = list(customers.filter(erased_at=None)[: MOST_ERASED + 1])
        if not 0 < len(chosen) <= MOST_ERASED:
            messages.error(request, f"Escolha de 1 a {MOST_ERASED} pessoas que ainda não foram eliminadas.")
            return None
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": "Eliminar os dados pessoais",
                "opts": self.opts,
                "customers": [(customer, masked_document(customer)) for customer in chosen],
                "checkbox": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "customers/erase_confirmation.html", context)
        for customer in chosen:
            services.erase_customer(customer_id=customer.id, by=_person(request), at=timezone.now())
            messages.success(request, f"{customer} foi eliminado.")
        return None

    def _find(self, request: HttpRequest, term: str) -> HttpResponse:
        """Answer a search with a redirect to an address that says nothing of whom was looked for."""
        page = reverse("admin:customers_customer_changelist")
        if parse_document(term) is not None or "@" in term:
            customer = self._by_document(request, term) if "@" not in term else _by_email(term)
            if customer is not None:
                return HttpResponseRedirect(reverse("admin:customers_customer_change", args=[customer.pk]))
            messages.info(request, "Ninguém foi encontrado.")
        elif sum(letter.isdigit() for letter in term) >= MOSTLY_DIGITS:
            messages.error(request, "Confira o CPF ou CNPJ.")
        elif term:
            return HttpResponseRedirect(f"{page}?{urlencode({'q': term})}")
        return HttpResponseRedirect(page)

    def _by_document(self, request: HttpRequest, term: str) -> Customer | None:
        document, person, now = parse_document(term), _person(request), timezone.now()
        try:
            limits.hit(guards.of_staff_lookup(person), at=now)
            if document is None:
                return None
            return services.look_up_customer(document=document, by=person, at=now, act=CustomerRead.SEARCH)
        except LimitedError:
            messages.error(request, NO_MORE_LOOKUPS)
        except CustomerNotFoundError:
            pass
        return None


@admin.register(CustomerRead)
class CustomerReadPage(LongListAdmin):
    """Who looked at whose personal data, newest first."""

    store_lookup = ""
    of_chain_alone = True
    viewers = OWNERS
    list_display = ["at", "act", "customer", "who"]
    list_filter = [("at", MadeFilter), "act"]
    list_select_related = ["customer"]
    fields = list_display
    readonly_fields = ["who"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerRead]:
        """Name the reader with the row."""
        reader = User.objects.filter(pk=OuterRef("actor_id")).values("name")
        reads: QuerySet[CustomerRead] = super().get_queryset(request)
        return reads.annotate(reader=Subquery(reader))

    @admin.display(description="quem")
    def who(self, read: CustomerRead) -> str:
        """Name who looked."""
        return getattr(read, "reader", None) or ACTORS.get(read.actor_kind, read.actor_kind)


def _by_email(term: str) -> Customer | None:
    return Customer.objects.filter(email=term.lower()).first()


def _person(request: HttpRequest) -> Actor:
    """Return who is signed in, as the one who acts."""
    return Actor(kind="staff", id=request.user.pk, grants=frozenset())

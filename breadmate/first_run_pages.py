"""The pages that set up a new shop, one step after the other; each looks at what is there, so they can be left at any time."""

import os
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.facade import Actor, DomainError, Finding, InvalidError, Level, Role
from apps.payments.errors import ProviderError
from apps.payments.models import ProviderAccount
from apps.payments.setup import LocationMissingError
from apps.stores import cookies, services
from apps.stores.facade import OWNERS, staff_of
from apps.stores.models import Store
from breadmate import door, first_run
from breadmate.first_run_forms import OwnerForm, PaymentsForm, PlaceForm, ProductForm, StoreForm

STEPS = {"dono": "Conta", "loja": "Loja", "pagamentos": "Pagamentos", "produto": "Cardápio", "totem": "Totem"}
DONE = "pronto"
COUNTER_ONLY = "first_run_counter_only"
SCREENS = [
    (Role.BOARD, "Cozinha", "Os pedidos pagos, ao vivo."),
    (Role.PANEL, "Painel de retirada", "Números em preparo e prontos, com voz."),
]

Page = Callable[[HttpRequest, first_run.Progress, Actor, Store], HttpResponse]


@never_cache
@require_http_methods(["GET"])
def start(request: HttpRequest) -> HttpResponse:
    """Lead to what comes next."""
    _refuse_in_demo()
    return _next(request)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, name: str) -> HttpResponse:
    """Show or take one step; whoever comes too early, or is nobody, is led to where they belong."""
    _refuse_in_demo()
    there = first_run.progress()
    if name == "dono":
        return _next(request) if there.owned else owner(request)
    if not there.owned:
        return redirect("first-run-step", "dono")
    by = staff_of(request)
    if by is None:
        return redirect(f"/admin/login/?next={request.path}")
    if by.stores_with(OWNERS) is not None:
        raise Http404
    if name == "loja":
        return _next(request) if there.store is not None else store(request, by)
    if there.store is None:
        return redirect("first-run-step", "loja")
    return PAGES[name](request, there, by, there.store)


@require_POST
def open_as(request: HttpRequest, kind: str) -> HttpResponse:
    """Make the owner's browser a screen of the new shop."""
    _refuse_in_demo()
    by, shop = staff_of(request), Store.objects.order_by("created_at").first()
    if by is None or by.stores_with(OWNERS) is not None or shop is None or kind not in door.PAGE_OF:
        raise Http404
    role, now = Role(kind), timezone.now()
    response = redirect(door.PAGE_OF[role])
    if role == Role.KIOSK:
        token = services.pair_directly(device_id=first_run.kiosk_of(shop).id, at=now)
    else:
        token = door.browser_token(role, shop, now)
    cookies.remember(request, response, kind=role, token=token)
    return response


def owner(request: HttpRequest) -> HttpResponse:
    """Take the first account; who makes it is signed in."""
    form = OwnerForm(request.POST or None, initial={"code": request.GET.get("codigo", "")})
    if form.is_valid():
        told = form.cleaned_data
        try:
            user = first_run.make_owner(
                name=told["name"], email=told["email"], password=told["password"], at=timezone.now()
            )
        except InvalidError as refusal:
            form.add_error("email", refusal.detail)
        except first_run.SetUpAlreadyError:
            return redirect("/admin/")
        else:
            login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
            return _next(request)
    return _show(request, "dono", form)


def store(request: HttpRequest, by: Actor) -> HttpResponse:
    """Take the store and its hours."""
    form = StoreForm(request.POST or None)
    if not form.is_valid():
        return _show(request, "loja", form)
    told = form.cleaned_data
    hours = (told["opens_at"], told["closes_at"]) if told["opens_at"] else None
    first_run.open_store(
        name=told["name"],
        code=told["code"],
        timezone=told["timezone"],
        days=told["days"],
        hours=hours,
        by=by,
        at=timezone.now(),
    )
    return _next(request)


def payments(request: HttpRequest, there: first_run.Progress, by: Actor, shop: Store) -> HttpResponse:
    """Take the provider's credentials, or the wish to do without."""
    if "skip" in request.POST:
        request.session[COUNTER_ONLY] = True
        return _next(request)
    kept = ProviderAccount.objects.filter(store=None).exists()
    form = PaymentsForm(request.POST or None, kept=kept)
    place = PlaceForm(request.POST) if "street_name" in request.POST else None
    if form.is_valid() and (place is None or place.is_valid()):
        try:
            found = first_run.connect_payments(
                store=shop,
                token=form.cleaned_data["token"] or None,
                secret=form.cleaned_data["secret"],
                location=place.location() if place is not None else None,
                by=by,
                at=timezone.now(),
            )
        except LocationMissingError:
            place = PlaceForm()
            form = PaymentsForm(kept=True)
            messages.success(request, "O access token vale. Falta dizer ao Mercado Pago onde a loja fica.")
        except DomainError as refusal:
            form.add_error("token", refusal.errors[0]["detail"] if refusal.errors else refusal.detail)
        except ProviderError as problem:
            form.add_error(None, f"O Mercado Pago não aceitou a loja: {problem}. Confira o endereço e tente de novo.")
        else:
            if len(found) > 1:
                _tell(request, found)
                return redirect("first-run")
            form.add_error("token", f"{found[0].text} {found[0].cure}")
    return _show(request, "pagamentos", form, place=place, connected=there.account)


def product(request: HttpRequest, there: first_run.Progress, by: Actor, shop: Store) -> HttpResponse:
    """Take the first product."""
    form = ProductForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            first_run.sell_first(by=by, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(None, refusal.detail)
        else:
            return _next(request)
    return _show(request, "produto", form)


def kiosk(request: HttpRequest, there: first_run.Progress, by: Actor, shop: Store) -> HttpResponse:
    """Pair the first kiosk: this browser, or another machine by a code."""
    code = ""
    if request.method == "POST":
        code = services.issue_pairing_code(device_id=first_run.kiosk_of(shop).id, at=timezone.now())
    context = {
        "code": " ".join((code[:3], code[3:6], code[6:])) if code else "",
        "address": f"{settings.PUBLIC_URL}/kiosk/",
        "paired": there.kiosk,
    }
    return render(request, "first_run/kiosk.html", {**_frame(there, request, "totem"), **context})


def done(request: HttpRequest, there: first_run.Progress, by: Actor, shop: Store) -> HttpResponse:
    """Say what is ready and what an owner does next."""
    menu = reverse("admin:catalog_product_changelist") if there.product else reverse("first-run-step", args=["produto"])
    links = {"menu": menu, "counter": reverse("counter")}
    context = {**_frame(there, request, DONE), "shop": shop, "there": there, "screens": SCREENS, "links": links}
    return render(request, "first_run/done.html", context)


PAGES: dict[str, Page] = {"pagamentos": payments, "produto": product, "totem": kiosk, DONE: done}


def _show(request: HttpRequest, name: str, form: Form, **more: Any) -> HttpResponse:
    context = {**_frame(first_run.progress(), request, name), "form": form, **more}
    return render(request, f"first_run/{name}.html", context)


def _next(request: HttpRequest) -> HttpResponse:
    there = first_run.progress()
    finished = _finished(there, request)
    return redirect("first-run-step", next((name for name in STEPS if not finished[name]), DONE))


def _finished(there: first_run.Progress, request: HttpRequest) -> dict[str, bool]:
    """Tell which steps are behind; without an account, payments are once somebody went on without."""
    return {
        "dono": there.owned,
        "loja": there.store is not None,
        "pagamentos": there.account or there.product or bool(request.session.get(COUNTER_ONLY)),
        "produto": there.product,
        "totem": there.kiosk,
    }


def _frame(there: first_run.Progress, request: HttpRequest, now: str) -> dict[str, Any]:
    finished = _finished(there, request)
    steps = [
        {"name": name, "title": title, "done": finished[name], "now": name == now} for name, title in STEPS.items()
    ]
    return {"steps": steps, "simulator": os.environ.get("SIMULATOR_URL", "")}


def _tell(request: HttpRequest, found: list[Finding]) -> None:
    """Say in one line that it works, and each thing that is left to do."""
    if not any(each.level == Level.BAD for each in found):
        messages.success(request, "Mercado Pago ligado: um QR de teste foi criado e cancelado.")
    for each in found:
        if each.level != Level.OK:
            say = messages.warning if each.level == Level.BAD else messages.info
            say(request, f"{each.text} {each.cure}".strip())


def _refuse_in_demo() -> None:
    if settings.DEMO:
        raise Http404

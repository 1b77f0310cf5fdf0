"""Pages of the counter."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.facade import DomainError, new_id
from apps.counter import queries, services
from apps.counter.desks import CHOSEN, Desk, at_desk, at_desk_or_401, stores_of, way_to_a_desk
from apps.counter.errors import ShiftNotFoundError
from apps.counter.forms import CloseForm, MovementForm, OpenForm
from apps.counter.models import Shift
from apps.counter.rules import OVERSEERS, MovementKind
from apps.counter.screens import shown_at_desk, shown_for_handing_over
from apps.stores.facade import actor_names, staff_signed_in

STREAM_PATH = "/caixa/stream"
LONGEST_SAID = 20


@require_GET
@at_desk
def desk(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show who waits to pay and what is to be handed over."""
    shift = queries.open_shift_of(desk.person_id, desk.store.id)
    return render(
        request, "counter/desk.html", {**_frame(desk, "desk"), "shift": shift, **shown_at_desk(desk.store.id)}
    )


@require_GET
@at_desk_or_401
def desk_fragment(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show only the orders, for a desk whose stream is cut."""
    return render(request, "counter/_desk.html", shown_at_desk(desk.store.id))


@require_GET
@at_desk_or_401
def handover_fragment(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the orders a guest may mean by a number or by the code of their proof."""
    said = request.GET.get("q", "")[:LONGEST_SAID].strip()
    return render(request, "counter/_handover.html", shown_for_handing_over(desk.store.id, said))


@require_GET
@at_desk
def order(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the kiosk app as the cashier uses it; whoever works at several stores names this one with each order."""
    named = None if desk.person.only_store() == desk.store.id else desk.store.id
    shift = queries.open_shift_of(desk.person_id, desk.store.id)
    return render(request, "counter/order.html", {**_frame(desk, "order"), "shift": shift, "order_store": named})


@require_http_methods(["GET", "POST"])
@never_cache
def store(request: HttpRequest) -> HttpResponse:
    """Let somebody of several stores say at which counter they stand."""
    person = staff_signed_in(request)
    stores = stores_of(person) if person else []
    if not stores:
        return way_to_a_desk(request)
    chosen = next((each for each in stores if str(each.id) == request.POST.get("store")), None)
    if chosen is None:
        return render(request, "counter/store.html", {"stores": stores, "next": request.GET.get("next", "")})
    request.session[CHOSEN] = str(chosen.id)
    return HttpResponseRedirect(_inside(request, request.POST.get("next", "")))


@require_GET
@at_desk
def shift(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the person's own shift: to open it, or what it has come to."""
    return _shift_page(request, desk)


@require_POST
@at_desk
def shift_open(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Open it."""
    form = OpenForm(request.POST)
    if not form.is_valid():
        return _shift_page(request, desk, open_form=form)
    services.open_shift(store_id=desk.store.id, opening_float=form.cleaned_data["opening_float"], by=desk.person)
    return HttpResponseRedirect(reverse("counter-shift"))


@require_POST
@at_desk
def cash_move(request: HttpRequest, desk: Desk, shift_id: UUID) -> HttpResponse:
    """Put cash in or take it out."""
    form = MovementForm(request.POST)
    if form.is_valid():
        told = form.cleaned_data
        kind = MovementKind(told.pop("kind"))
        try:
            services.move_cash(shift_id=shift_id, kind=kind, by=desk.person, **told)
            return HttpResponseRedirect(reverse("counter-shift"))
        except DomainError as refusal:
            form.add_error(None, str(refusal))
    return _shift_page(request, desk, movement_form=form)


@require_GET
@at_desk
def shift_slip(request: HttpRequest, desk: Desk, shift_id: UUID) -> HttpResponse:
    """Show one shift to print: its own person's, or any of the store to who oversees it."""
    return _slip(request, desk, _shift_here(desk, shift_id))


@require_POST
@at_desk
def shift_close(request: HttpRequest, desk: Desk, shift_id: UUID) -> HttpResponse:
    """Close it with what was counted."""
    found, form = _shift_here(desk, shift_id), CloseForm(request.POST)
    if found is not None and form.is_valid():
        services.close_shift(shift_id=found.id, by=desk.person, **form.cleaned_data)
        return HttpResponseRedirect(reverse("counter-slip", args=[found.id]))
    if found is not None and found.opened_by_id == desk.person_id:
        return _shift_page(request, desk, close_form=form)
    return _slip(request, desk, found, form)


def _shift_here(desk: Desk, shift_id: UUID) -> Shift | None:
    try:
        found = queries.shift_for(shift_id, desk.person)
    except ShiftNotFoundError:
        return None
    return found if found.store_id == desk.store.id else None


def _slip(request: HttpRequest, desk: Desk, found: Shift | None, form: forms.Form | None = None) -> HttpResponse:
    if found is None:
        return render(request, "404.html", status=404)
    told = {
        "shift": found,
        "totals": queries.totals_of(found),
        "movements": queries.movements_of(found),
        "close_form": form or CloseForm(),
    }
    return render(request, "counter/slip.html", {**_frame(desk, "shift"), **told}, status=400 if form else 200)


def _shift_page(request: HttpRequest, desk: Desk, **asked: forms.Form) -> HttpResponse:
    """Show the shift page, with what was typed and why it was refused."""
    running = queries.open_shift_of(desk.person_id, desk.store.id)
    oversees = bool(desk.person.roles_at(desk.store.id) & OVERSEERS)
    outside = queries.taken_outside_shifts(desk.store.id, timezone.now()) if oversees else []
    names = actor_names(staff={receipt.taken_by for receipt in outside}, devices=set())
    told: dict[str, Any] = {
        "shift": running,
        "totals": queries.totals_of(running) if running else None,
        "movements": queries.movements_of(running) if running else [],
        "shifts": queries.shifts_at(desk.store.id, desk.person),
        "oversees": oversees,
        "outside": [{"receipt": receipt, "by": names.get(receipt.taken_by, "")} for receipt in outside],
        "open_form": OpenForm(),
        "movement_form": MovementForm(initial={"kind": MovementKind.WITHDRAWAL}),
        "close_form": CloseForm(),
        "form_key": new_id(),
    }
    return render(
        request, "counter/shift.html", {**_frame(desk, "shift"), **told, **asked}, status=400 if asked else 200
    )


def _frame(desk: Desk, page: str) -> dict[str, Any]:
    """Return what every page of the counter says about itself."""
    names = actor_names(staff={desk.person_id}, devices=set())
    return {
        "page": page,
        "store_name": desk.store.name,
        "training": desk.store.training,
        "store_id": desk.store.id,
        "several_stores": len(desk.stores) > 1,
        "person_name": names.get(desk.person_id, ""),
        "time_zone": desk.store.timezone,
        "api_base": "/api/v1",
        "stream_url": f"{settings.STREAM_URL}{STREAM_PATH}?store={desk.store.id}",
    }


def _inside(request: HttpRequest, path: str) -> str:
    """Return a path of ours to go on to; the desk when it is none."""
    ours = path.startswith("/caixa/") and url_has_allowed_host_and_scheme(path, {request.get_host()})
    return path if ours else reverse("counter")

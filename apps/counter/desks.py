"""Who stands at which counter: a signed-in person, and the store they have chosen among theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from apps.core.facade import Actor
from apps.counter.rules import AT_COUNTER
from apps.stores.facade import StoreFacts, staff_signed_in, stores_among

CHOSEN = "counter_store"


@dataclass(frozen=True, slots=True)
class Desk:
    """One person at one store's counter; ``stores`` are all those they may work at."""

    person: Actor
    store: StoreFacts
    stores: tuple[StoreFacts, ...]

    @property
    def person_id(self) -> UUID:
        """Return the account of the person."""
        if self.person.id is None:
            raise ValueError(self.person)
        return self.person.id


View = Callable[..., HttpResponseBase]


def stores_of(person: Actor) -> list[StoreFacts]:
    """Return the stores at whose counter a person works, by name. One query, none for who works at none."""
    ids = person.stores_with(AT_COUNTER)
    return [] if ids == frozenset() else stores_among(ids)


def desk_of(request: HttpRequest) -> Desk | None:
    """Return where the signed-in person stands, or None: not signed in, not of a counter, or no store chosen yet."""
    person = staff_signed_in(request)
    stores = stores_of(person) if person else []
    chosen = request.session.get(CHOSEN)
    store = stores[0] if len(stores) == 1 else next((each for each in stores if str(each.id) == chosen), None)
    return Desk(person=person, store=store, stores=tuple(stores)) if person and store else None


def at_desk(view: View) -> View:
    """Let a page be opened by whoever stands at a counter; lead everybody else to the way there."""

    @wraps(view)
    def gated(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        desk = desk_of(request)
        response = view(request, desk, *args, **kwargs) if desk else way_to_a_desk(request)
        add_never_cache_headers(response)
        return response

    return gated


def at_desk_or_401(view: View) -> View:
    """Let a part of a page be fetched by whoever stands at a counter; the page loads itself anew on a 401."""

    @wraps(view)
    def gated(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        desk = desk_of(request)
        response = view(request, desk, *args, **kwargs) if desk else HttpResponse(status=401)
        add_never_cache_headers(response)
        return response

    return gated


def way_to_a_desk(request: HttpRequest) -> HttpResponse:
    """Answer somebody who stands at no counter yet: sign in, choose a store, or be told whom to ask."""
    page = request.get_full_path() if request.method == "GET" else reverse("counter")
    person = staff_signed_in(request)
    if person is None and not request.user.is_authenticated:
        return HttpResponseRedirect(f"{reverse('admin:login')}?{urlencode({'next': page})}")
    if person is None or not stores_of(person):
        return render(request, "counter/refused.html", status=403)
    return HttpResponseRedirect(f"{reverse('counter-store')}?{urlencode({'next': page})}")

"""The front door: where a newcomer to the demo finds every screen."""

import os
from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.core.facade import Role
from apps.stores import cookies, services
from apps.stores.authentication import device_from_cookie
from apps.stores.models import Device, Store
from breadmate import first_run, lab

PAGE_OF = {Role.KIOSK: "/kiosk/", Role.BOARD: "/kitchen/", Role.PANEL: "/panel/"}
NAME_OF = {
    Role.KIOSK: "Totem do navegador",
    Role.BOARD: "Cozinha do navegador",
    Role.PANEL: "Painel do navegador",
}


@require_GET
@never_cache
def front(request: HttpRequest) -> HttpResponse:
    """Show the demo's screens; a real shop starts at its administration, a new one with being set up."""
    if not settings.DEMO:
        return HttpResponseRedirect("/admin/" if first_run.is_over() else first_run.PATH)
    simulator = os.environ.get("SIMULATOR_URL", "")
    links = {"counter": "/caixa/", "admin": "/admin/", "docs": "/api/v1/docs/", "simulator": simulator}
    if lab.here() is not None:
        links["lab"] = "/lab/"
    stores = list(Store.objects.order_by("created_at").values("code", "name")[:20])
    return render(request, "door.html", {"stores": stores, "links": links})


@require_POST
def open_as(request: HttpRequest, kind: str) -> HttpResponse:
    """Make this browser a screen of the demo shop; it may be several at once."""
    if not settings.DEMO or kind not in (Role.KIOSK, Role.BOARD, Role.PANEL):
        raise Http404
    role = Role(kind)
    store = (
        Store.objects.filter(code=request.POST.get("store", "")).first() or Store.objects.order_by("created_at").first()
    )
    if store is None:
        raise Http404
    response = HttpResponseRedirect(PAGE_OF[role])
    device = device_from_cookie(request, role)
    if device is None or device.only_store() != store.id:
        cookies.remember(request, response, kind=role, token=browser_token(role, store, timezone.now()))
    return response


def browser_token(role: Role, store: Store, at: datetime) -> str:
    """Pair the browser's own device of this kind anew; return its token."""
    device, _ = Device.objects.get_or_create(store=store, name=NAME_OF[role], defaults={"kind": role})
    return services.pair_directly(device_id=device.id, at=at)

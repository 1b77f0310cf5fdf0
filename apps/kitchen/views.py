"""Pages of the board and the panel."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from apps.core.facade import Drawing, Role
from apps.kitchen.screens import board_drawing, panel_drawing
from apps.stores.facade import device_from_cookie, store_by_id

STREAM_PATH = {Role.BOARD: "/kitchen/stream", Role.PANEL: "/panel/stream"}
FRAGMENT_PATH = {Role.BOARD: "/kitchen/orders/", Role.PANEL: "/panel/orders/"}

Draw = Callable[[UUID, datetime], Drawing]


@require_GET
@never_cache
@ensure_csrf_cookie
def board(request: HttpRequest) -> HttpResponse:
    """Show the kitchen board, or the way to pair this browser as one."""
    return _page(request, Role.BOARD, "kitchen/board.html", board_drawing)


@require_GET
@never_cache
@ensure_csrf_cookie
def panel(request: HttpRequest) -> HttpResponse:
    """Show the pick-up panel, or the way to pair this browser as one."""
    return _page(request, Role.PANEL, "kitchen/panel.html", panel_drawing)


@require_GET
@never_cache
def board_fragment(request: HttpRequest) -> HttpResponse:
    """Show only the tickets, for a board whose stream is cut."""
    return _fragment(request, Role.BOARD, board_drawing)


@require_GET
@never_cache
def panel_fragment(request: HttpRequest) -> HttpResponse:
    """Show only the numbers, for a panel whose stream is cut."""
    return _fragment(request, Role.PANEL, panel_drawing)


def _page(request: HttpRequest, kind: Role, template: str, draw: Draw) -> HttpResponse:
    store_id = _store_of(request, kind)
    if store_id is None:
        return render(request, "kiosk/pair.html", {"kind": kind})
    store = store_by_id(store_id)
    now = timezone.now()
    drawing = draw(store_id, now)
    context = {
        "store_name": store.name if store else "",
        "stream_url": f"{settings.STREAM_URL}{STREAM_PATH[kind]}",
        "fragment_url": FRAGMENT_PATH[kind],
        "api_base": "/api/v1",
        "now": now,
        "drawing": drawing.data,
    }
    return render(request, template, context)


def _fragment(request: HttpRequest, kind: Role, draw: Draw) -> HttpResponse:
    store_id = _store_of(request, kind)
    if store_id is None:
        return HttpResponse(status=401)
    return JsonResponse(draw(store_id, timezone.now()).data)


def _store_of(request: HttpRequest, kind: Role) -> UUID | None:
    device = device_from_cookie(request, kind)
    return device.only_store() if device else None

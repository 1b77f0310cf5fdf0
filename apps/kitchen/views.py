"""Pages of the board and the panel."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.core.facade import Role
from apps.kitchen.screens import shown_on_board, shown_on_panel
from apps.stores.facade import device_from_cookie, page_version, store_by_id

STREAM_PATH = {Role.BOARD: "/kitchen/stream", Role.PANEL: "/panel/stream"}
FRAGMENT_PATH = {Role.BOARD: "/kitchen/orders/", Role.PANEL: "/panel/orders/"}

Show = Callable[[UUID, datetime], dict[str, Any]]


@require_GET
@never_cache
def board(request: HttpRequest) -> HttpResponse:
    """Show the kitchen board, or the way to pair this browser as one."""
    return _page(request, Role.BOARD, "kitchen/board.html", shown_on_board)


@require_GET
@never_cache
def panel(request: HttpRequest) -> HttpResponse:
    """Show the pick-up panel, or the way to pair this browser as one."""
    return _page(request, Role.PANEL, "kitchen/panel.html", shown_on_panel)


@require_GET
@never_cache
def board_fragment(request: HttpRequest) -> HttpResponse:
    """Show only the tickets, for a board whose stream is cut."""
    return _fragment(request, Role.BOARD, "kitchen/_orders.html", shown_on_board)


@require_GET
@never_cache
def panel_fragment(request: HttpRequest) -> HttpResponse:
    """Show only the numbers, for a panel whose stream is cut."""
    return _fragment(request, Role.PANEL, "kitchen/_panel.html", shown_on_panel)


def _page(request: HttpRequest, kind: Role, template: str, shown: Show) -> HttpResponse:
    store_id = _store_of(request, kind)
    if store_id is None:
        return render(request, "kiosk/pair.html", {"kind": kind})
    store = store_by_id(store_id)
    context = {
        "store_name": store.name if store else "",
        "training": store is not None and store.training,
        "stream_url": f"{settings.STREAM_URL}{STREAM_PATH[kind]}",
        "fragment_url": FRAGMENT_PATH[kind],
        "api_base": "/api/v1",
        "page_version": page_version(),
        "time_zone": store.timezone if store else "",
        **shown(store_id, timezone.now()),
    }
    return render(request, template, context)


def _fragment(request: HttpRequest, kind: Role, template: str, shown: Show) -> HttpResponse:
    store_id = _store_of(request, kind)
    if store_id is None:
        return HttpResponse(status=401)
    return render(request, template, shown(store_id, timezone.now()))


def _store_of(request: HttpRequest, kind: Role) -> UUID | None:
    device = device_from_cookie(request, kind)
    return device.only_store() if device else None

"""Live streams of the board and the panel."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.core.facade import Actor, Drawing, News, Role, hub, in_thread, problem, stream_response
from apps.kitchen.screens import board_drawing, panel_drawing
from apps.stores.facade import device_from_cookie, device_from_header


@require_GET
async def board(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Stream a store's board to its boards."""
    return await _stream(request, Role.BOARD, board_drawing, ("order.",))


@require_GET
async def panel(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Stream a store's numbers to its panels."""
    return await _stream(request, Role.PANEL, panel_drawing, ("order.", "panel."))


async def _stream(
    request: HttpRequest, kind: Role, draw: Callable[[UUID, datetime], Drawing], topics: tuple[str, ...]
) -> HttpResponse | StreamingHttpResponse:
    def asking() -> Actor | None:
        return device_from_header(request) or device_from_cookie(request, kind)

    device = await in_thread(asking)
    store_id = device.only_store() if device and device.has_any(frozenset({kind})) else None
    if store_id is None:
        return problem(status=401)

    def touches(news: News) -> bool:
        return news.store == store_id and news.type.startswith(topics)

    whose = device.principal if device else ""
    events = hub.watch(
        (kind, store_id), touches, lambda: draw(store_id, timezone.now()), lambda: asking() == device, whose=whose
    )
    return stream_response(request, events)

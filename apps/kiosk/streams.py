"""Live streams for guests: one order on the kiosk that placed it, or on the phone that has its link."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from apps.core.facade import Drawing, hub, in_thread, problem, stream_response
from apps.kiosk.screens import tracking_drawing
from apps.orders.facade import OrderNotFoundError, narrow_document, narrow_order_for, order_alone, order_by_token
from apps.stores.facade import asked_kind, device_from_cookie, device_from_header


@require_GET
async def order(request: HttpRequest, order_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """Stream where an order stands to the devices that may see it."""

    def authorise() -> bool:
        for device in (device_from_header(request), device_from_cookie(request, asked_kind(request) or "kiosk")):
            try:
                if device is not None and narrow_order_for(order_id, device):
                    return True
            except OrderNotFoundError:
                continue
        return False

    if not await in_thread(authorise):
        return problem(status=404)

    def draw() -> Drawing:
        found = order_alone(order_id)
        return Drawing(event="order", version=found.version, data=narrow_document(found))

    events = hub.watch(("order", order_id), lambda news: news.subject == order_id, draw, authorise)
    return stream_response(request, events)


@require_GET
async def tracking(request: HttpRequest, token: str) -> HttpResponse | StreamingHttpResponse:
    """Stream one order to whoever has its link."""
    found = await in_thread(lambda: order_by_token(token))
    if found is None:
        return problem(status=404)
    order_id = found.id
    events = hub.watch(("tracking", order_id), lambda news: news.subject == order_id, lambda: tracking_drawing(token))
    return stream_response(request, events)

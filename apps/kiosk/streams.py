"""Live streams for guests: one order on the kiosk or to the customer that placed it, or on the phone that has its link."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from apps.core.facade import Actor, Drawing, hub, in_thread, problem, stream_response
from apps.customers.facade import customer_from_header
from apps.kiosk.screens import tracking_drawing
from apps.orders.facade import OrderNotFoundError, narrow_document, order_by_token, standing, standing_for
from apps.stores.facade import asked_kind, device_from_cookie, device_from_header


@require_GET
async def order(request: HttpRequest, order_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """Stream where an order stands to the devices that may see it, and to the customer whose it is."""

    def reader() -> Actor | None:
        callers = (device_from_header, customer_from_header, _page_device)
        for actor in filter(None, (find(request) for find in callers)):
            try:
                if standing_for(order_id, actor):
                    return actor
            except OrderNotFoundError:
                continue
        return None

    actor = await in_thread(reader)
    if actor is None:
        return problem(status=404)

    def draw() -> Drawing:
        found = standing(order_id)
        return Drawing(event="order", version=found.version, data=narrow_document(found))

    events = hub.watch(
        ("order", order_id),
        lambda news: news.subject == order_id,
        draw,
        lambda: reader() is not None,
        whose=actor.principal,
    )
    return stream_response(request, events)


def _page_device(request: HttpRequest) -> Actor | None:
    return device_from_cookie(request, asked_kind(request) or "kiosk")


@require_GET
async def tracking(request: HttpRequest, token: str) -> HttpResponse | StreamingHttpResponse:
    """Stream one order to whoever has its link."""
    found = await in_thread(lambda: order_by_token(token))
    if found is None:
        return problem(status=404)
    order_id = found.id
    events = hub.watch(
        ("tracking", order_id),
        lambda news: news.subject == order_id,
        lambda: tracking_drawing(token),
        whose=f"order:{order_id}",
    )
    return stream_response(request, events)

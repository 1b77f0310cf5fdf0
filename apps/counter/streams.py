"""Live stream of the desk."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from apps.core.facade import News, hub, in_thread, stream_response
from apps.counter.rules import AT_COUNTER
from apps.counter.screens import desk_drawing
from apps.stores.facade import staff_signed_in

TOPICS = ("order.", "payment.")


async def desk(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Stream a store's unpaid and ready orders to who works at its counter; the page names the store it shows."""
    try:
        store_id = UUID(request.GET.get("store", ""))
    except ValueError:
        return HttpResponse(status=400)
    person = await in_thread(lambda: staff_signed_in(request))
    if person is None or not person.roles_at(store_id) & AT_COUNTER:
        return HttpResponse(status=401)

    def touches(news: News) -> bool:
        return news.store == store_id and news.type.startswith(TOPICS)

    return stream_response(request, hub.watch(("counter", store_id), touches, lambda: desk_drawing(store_id)))

"""Live stream of the desk."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from apps.core.facade import Actor, News, hub, in_thread, problem, stream_response
from apps.counter.rules import AT_COUNTER
from apps.counter.screens import desk_drawing
from apps.stores.facade import staff_signed_in

TOPICS = ("order.", "payment.")


@require_GET
async def desk(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Stream a store's unpaid and ready orders to who works at its counter; the page names the store it shows."""
    try:
        store_id = UUID(request.GET.get("store", ""))
    except ValueError:
        return problem(status=400)

    def listening() -> Actor | None:
        person = _signed_in_now(request)
        return person if person is not None and person.roles_at(store_id) & AT_COUNTER else None

    person = await in_thread(listening)
    if person is None:
        return problem(status=401)

    def touches(news: News) -> bool:
        return news.store == store_id and news.type.startswith(TOPICS)

    events = hub.watch(
        ("counter", store_id),
        touches,
        lambda: desk_drawing(store_id),
        lambda: listening() is not None,
        whose=person.principal,
    )
    return stream_response(request, events)


def _signed_in_now(request: HttpRequest) -> Actor | None:
    """Return who the session belongs to, reading it anew: it may have ended since it was read last."""
    asked = HttpRequest()
    asked.COOKIES = request.COOKIES
    return staff_signed_in(asked)

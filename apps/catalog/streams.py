"""The live stream of a store's menu: only its version; who sees a new one fetches the menu."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from apps.catalog.queries import menu_version
from apps.core.facade import Actor, Drawing, News, Role, hub, in_thread, problem, stream_response
from apps.stores.facade import device_from_cookie, device_from_header


@require_GET
async def menu(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Stream the version of a store's menu to its devices."""

    def device() -> Actor | None:
        return device_from_header(request) or device_from_cookie(request, Role.KIOSK) or device_from_cookie(request, "")

    caller = await in_thread(device)
    store_id = caller.only_store() if caller else None
    if store_id is None:
        return problem(status=401)

    def touches(news: News) -> bool:
        return news.store == store_id and news.type == "menu.changed"

    def draw() -> Drawing:
        version = menu_version(store_id)
        return Drawing(event="menu", version=version, data={"version": version})

    whose = caller.principal if caller else ""
    events = hub.watch(("menu", store_id), touches, draw, lambda: device() == caller, whose=whose)
    return stream_response(request, events)

"""What the stream process serves."""

from django.urls import path

from apps.catalog import streams as catalog
from apps.core import health
from apps.counter import streams as counter
from apps.kiosk import streams as kiosk
from apps.kitchen import streams as kitchen
from breadmate import errors

urlpatterns = [
    path("health/live", health.live),
    path("kitchen/stream", kitchen.board),
    path("panel/stream", kitchen.panel),
    path("caixa/stream", counter.desk),
    path("api/v1/menu/stream", catalog.menu),
    path("api/v1/orders/<uuid:order_id>/stream", kiosk.order),
    path("t/<str:token>/stream", kiosk.tracking),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error

"""What the stream process serves."""

from django.urls import path

from apps.core import health
from apps.kiosk import streams as kiosk
from apps.kitchen import streams as kitchen

urlpatterns = [
    path("health/live", health.live),
    path("kitchen/stream", kitchen.board),
    path("panel/stream", kitchen.panel),
    path("api/v1/orders/<uuid:order_id>/stream", kiosk.order),
    path("t/<str:token>/stream", kiosk.tracking),
]

"""Pages for guests."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_GET

from apps.core.facade import Role, qr_svg
from apps.kiosk.screens import receipt_of, tracked
from apps.orders.facade import order_by_token
from apps.stores.facade import device_from_cookie, page_version, store_by_id

IDLE_SECONDS = 60


@require_GET
@never_cache
def kiosk(request: HttpRequest) -> HttpResponse:
    """Show the kiosk app, or the way to pair this browser as one."""
    device = device_from_cookie(request, Role.KIOSK)
    store_id = device.only_store() if device else None
    store = store_by_id(store_id) if store_id else None
    if store is None:
        return render(request, "kiosk/pair.html", {"kind": Role.KIOSK})
    context = {
        "store_name": store.name,
        "training": store.training,
        "api_base": "/api/v1",
        "page_version": page_version(),
        "menu_stream": f"{settings.STREAM_URL}/api/v1/menu/stream",
        "idle_seconds": IDLE_SECONDS,
    }
    return render(request, "kiosk/app.html", context)


@require_GET
@never_cache
def tracking(request: HttpRequest, token: str) -> HttpResponse:
    """Show one order to whoever has its link."""
    order = order_by_token(token)
    if order is None:
        return render(request, "kiosk/tracking_missing.html", status=404)
    path = f"/t/{token}/"
    context = {
        "order": tracked(order),
        "training": order.store.training,
        "stream_url": f"{settings.STREAM_URL}{path}stream",
        "fragment_url": f"{path}order/",
    }
    return render(request, "kiosk/tracking.html", context)


@require_GET
@never_cache
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """Show what was bought and how it was paid, to be printed; an order that is not paid has none yet."""
    order = order_by_token(token)
    if order is None:
        return render(request, "kiosk/tracking_missing.html", status=404)
    if order.paid_at is None:
        return redirect("tracking", token)
    with timezone.override(order.store.timezone):
        return render(request, "kiosk/receipt.html", {"order": receipt_of(order)})


@require_GET
@cache_control(private=True, max_age=3600, immutable=True)
def tracking_qr(request: HttpRequest, token: str) -> HttpResponse:
    """Draw the way to a tracking page for a phone's camera; it says nothing about the order."""
    address = f"{settings.PUBLIC_URL}{reverse('tracking', args=[token])}"
    return HttpResponse(qr_svg(address), content_type="image/svg+xml")


@require_GET
@never_cache
def tracking_fragment(request: HttpRequest, token: str) -> HttpResponse:
    """Show only the order, for a phone whose stream is cut."""
    order = order_by_token(token)
    if order is None:
        return HttpResponse(status=404)
    return render(request, "kiosk/_tracking.html", {"order": tracked(order)})

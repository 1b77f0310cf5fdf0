"""What the web process serves."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularSwaggerSplitView

from apps.catalog import photos
from apps.catalog.views import photo
from apps.core import health
from breadmate import admin_sign_in, door, errors, first_run_pages, lab
from breadmate.admin_site import site
from breadmate.schema_view import SchemaView

STEP_NAMES = "|".join([*first_run_pages.STEPS, first_run_pages.DONE])


@require_safe
def to_stream(request: HttpRequest) -> HttpResponse:
    """Send a stream that was asked of the wrong process to the right one."""
    query = f"?{request.META['QUERY_STRING']}" if request.META.get("QUERY_STRING") else ""
    response = HttpResponseRedirect(f"{settings.STREAM_URL}{request.path.rstrip('/')}{query}")
    response.status_code = 307
    return response


# Django goes through them from the top: first what is asked for most.
api: list[URLPattern | URLResolver] = [
    path("", include("apps.orders.urls")),
    path("", include("apps.payments.urls")),
    path("", include("apps.stores.urls")),
    path("", include("apps.customers.urls")),
    path("", include("apps.catalog.urls")),
    path("", include("apps.inventory.urls")),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]

urlpatterns = [
    path("api/v1/", include(api)),
    re_path(r"^health/?$", require_safe(health.ready)),
    re_path(r"^health/live/?$", require_safe(health.live)),
    re_path(r"^health/ready/?$", require_safe(health.ready)),
    re_path(r"^(?:kitchen|panel|caixa|t/[^/]+|api/v1/menu|api/v1/orders/[^/]+)/stream/?$", to_stream),
    re_path(rf"^media/(?P<file>{photos.FILE.pattern})$", photo, name="photo"),
    path("admin/login/", admin_sign_in.enter),
    path("admin/password_change/", site.admin_view(admin_sign_in.change_password)),
    path("admin/", site.urls),
    path("", door.front, name="front"),
    path("demo/open/<str:kind>/", door.open_as, name="open-as"),
    path("comecar/", first_run_pages.start, name="first-run"),
    re_path(rf"^comecar/(?P<name>{STEP_NAMES})/$", first_run_pages.step, name="first-run-step"),
    path("comecar/abrir/<str:kind>/", first_run_pages.open_as, name="first-run-open"),
    path("lab/", lab.room, name="lab"),
    path("lab/figures/", lab.figures, name="lab-figures"),
    path("lab/start/", lab.start, name="lab-start"),
    path("lab/stop/", lab.stop, name="lab-stop"),
    path("lab/trouble/<str:kind>/", lab.trouble, name="lab-trouble"),
    path("lab/report/", lab.report, name="lab-report"),
    path("", include("apps.kiosk.urls")),
    path("", include("apps.kitchen.urls")),
    path("", include("apps.counter.urls")),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error

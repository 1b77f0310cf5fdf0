"""A plain Django that says hello: the floor every other figure stands on."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    SECRET_KEY="hello",  # noqa: S106 - it signs nothing
    LIMIT_WAITING_SECONDS=60.0,  # the workers ask for it; nothing waits as long here
)


def hello(request: HttpRequest) -> JsonResponse:
    """Say hello, with the length that Django's own middleware would add: without it the answer goes out in chunks."""
    response = JsonResponse({"hello": "world"})
    response["Content-Length"] = str(len(response.content))
    return response


urlpatterns = [path("hello", hello)]
application = get_wsgi_application()

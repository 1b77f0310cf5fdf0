"""The menu API."""

import gzip
import hashlib
from functools import lru_cache
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.catalog.document import menu_document
from apps.catalog.queries import menu_snapshot
from apps.core.facade import InvalidError, NotFoundError
from apps.stores.facade import actor_of, store_by_id


class MenuView(APIView):
    """A store's menu."""

    permission_classes = [AllowAny]

    @extend_schema(
        responses=OpenApiTypes.OBJECT, parameters=[OpenApiParameter("store", OpenApiTypes.UUID, required=False)]
    )
    def get(self, request: Request) -> HttpResponse:
        """Say the whole active menu in one document, with an ETag."""
        store_id = _asked_store(request)
        store = store_by_id(store_id)
        if store is None:
            raise NotFoundError("Esta loja não existe.")
        now = timezone.now()
        body = orjson.dumps(menu_document(menu_snapshot(store_id), store, now))
        return _answer(request._request, body)  # noqa: SLF001 - DRF offers no public name


def _asked_store(request: Request) -> UUID:
    """Return the store asked for; a device's own when it asks for none."""
    asked = request.query_params.get("store")
    actor = actor_of(request)
    if asked is None and actor is not None and actor.only_store():
        asked = str(actor.only_store())
    try:
        return UUID(asked or "")
    except ValueError:
        error = {"field": "store", "code": "invalid", "detail": "Informe o id de uma loja."}
        raise InvalidError("Confira os campos indicados.", errors=[error]) from None


def _answer(request: HttpRequest, body: bytes) -> HttpResponse:
    etag = f'"{hash_of(body)}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(gzipped(body), content_type="application/json", headers={"Content-Encoding": "gzip"})
    else:
        response = HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Vary"] = "Accept-Encoding, Authorization, Cookie"
    response["Cache-Control"] = "no-cache"
    return response


def hash_of(body: bytes) -> str:
    """Return the name of these bytes."""
    return hashlib.blake2b(body, digest_size=12).hexdigest()


@lru_cache(maxsize=32)
def gzipped(body: bytes) -> bytes:
    """Compress once for all kiosks that ask for the same bytes."""
    return gzip.compress(body, 6, mtime=0)

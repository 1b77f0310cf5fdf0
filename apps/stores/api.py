"""The devices API."""

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.facade import StrictCharField, StrictSerializer
from apps.stores import cookies, services


class PairSerializer(StrictSerializer):
    """A pairing code as somebody typed it."""

    code = StrictCharField(max_length=20)


class PairView(APIView):
    """Pair a device."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(request=PairSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        """Exchange a code for a token, in the answer and in the browser's cookie."""
        asked = PairSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        device, token = services.pair(code=asked.validated_data["code"], at=timezone.now())
        response = Response({"token": token, "kind": device.kind, "store": str(device.store_id)})
        response["Cache-Control"] = "no-store"
        cookies.remember(request._request, response, kind=device.kind, token=token)  # noqa: SLF001 - DRF has no public name
        return response

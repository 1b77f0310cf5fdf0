"""The devices API, and signing in."""

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.facade import Limit, Role, StrictCharField, StrictSerializer, iso, limits, refuses
from apps.stores import answers, cookies, services, sign_in, tokens
from apps.stores.authentication import caller
from apps.stores.pages import page_version
from apps.stores.permissions import may

A_QUARTER_SECONDS = 15 * 60


class PairSerializer(StrictSerializer):
    """A pairing code as somebody typed it."""

    code = StrictCharField(max_length=20)


class PairView(APIView):
    """Pair a device."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="pair_device",
        summary="Pair a device",
        request=PairSerializer,
        responses={200: answers.Paired},
        extensions=refuses("pairing_refused", "throttled"),
    )
    def post(self, request: Request) -> Response:
        """Exchange a code for a token, in the answer and in the browser's cookie."""
        asked = PairSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        now, address = timezone.now(), limits.client_address(request._request)  # noqa: SLF001 - DRF has no public name
        limits.hit([Limit("pair.address", address, settings.LIMIT_PAIR_PER_QUARTER_HOUR, A_QUARTER_SECONDS)], at=now)
        device, token = services.pair(code=asked.validated_data["code"], at=now)
        response = Response({"token": token, "kind": device.kind, "store": str(device.store_id)})
        response["Cache-Control"] = "no-store"
        cookies.remember(request._request, response, kind=device.kind, token=token)  # noqa: SLF001 - DRF has no public name
        return response


class HeartbeatSerializer(StrictSerializer):
    """How a device is: the version of its page, and what its clock says."""

    version = StrictCharField(max_length=40, allow_blank=True, default="")
    clock = serializers.DateTimeField(required=False)


class HeartbeatView(APIView):
    """A device says that it is alive."""

    permission_classes = [may(Role.KIOSK, Role.BOARD, Role.PANEL)]

    @extend_schema(
        operation_id="send_heartbeat",
        summary="Report that a device is alive",
        request=HeartbeatSerializer,
        responses={200: answers.Heard},
    )
    def post(self, request: Request) -> Response:
        """Remember it, and say the time and whether the page is to be loaded anew."""
        asked = HeartbeatSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        now, version, device_id = timezone.now(), asked.validated_data["version"], caller(request).id
        if device_id is None:
            raise NotAuthenticated
        services.hear_from_device(device_id=device_id, version=version, clock=asked.validated_data.get("clock"), at=now)
        return Response({"now": iso(now), "reload": bool(version and page_version() and version != page_version())})


class SignInSerializer(StrictSerializer):
    """Who wants to come in."""

    email = StrictCharField(max_length=254)
    password = StrictCharField(max_length=256, trim_whitespace=False)


class RenewSerializer(StrictSerializer):
    """A refresh token as it was given."""

    refresh = StrictCharField(max_length=2000)


class SignInView(APIView):
    """Sign in without a browser."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="sign_in",
        summary="Sign in without a browser",
        request=SignInSerializer,
        responses={200: answers.Tokens},
        extensions=refuses("not_authenticated", "throttled"),
    )
    def post(self, request: Request) -> Response:
        """Exchange e-mail and password for tokens; wrong ones a few times in a quarter of an hour."""
        asked = SignInSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        told, now, django_request = asked.validated_data, timezone.now(), request._request  # noqa: SLF001 - DRF has no public name
        who = {"email": told["email"], "address": limits.client_address(django_request), "at": now}
        sign_in.count_try(**who)
        pair = tokens.sign_in(django_request, email=told["email"], password=told["password"])
        sign_in.forget_try(**who)
        return _tokens(pair)


class RenewView(APIView):
    """Stay signed in."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="renew_tokens",
        summary="Stay signed in",
        request=RenewSerializer,
        responses={200: answers.Tokens},
        extensions=refuses("not_authenticated"),
    )
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair."""
        asked = RenewSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return _tokens(tokens.renew(asked.validated_data["refresh"]))


def _tokens(pair: tokens.Pair) -> Response:
    response = Response({"access": pair.access, "refresh": pair.refresh, "expires_in": pair.expires_in_seconds})
    response["Cache-Control"] = "no-store"
    return response

"""The customers API. No answer says whether a CPF or e-mail is known, except to staff."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.facade import Role, limits
from apps.customers import guards, services
from apps.customers.errors import MalformedDocumentError
from apps.customers.queries import masked_document
from apps.customers.rules import Source, masked_email, masked_phone, parse_document
from apps.customers.serializers import (
    CustomerSerializer,
    LookupSerializer,
    RegisteredSerializer,
    RegisterSerializer,
    TicketSerializer,
)
from apps.stores.facade import actor_of, caller, may

COUNTER = (Role.CASHIER, Role.MANAGER, Role.OWNER)
SOURCE_OF = {"device": Source.KIOSK, "staff": Source.COUNTER}


class PrivateView(APIView):
    """Answers that no cache may keep, refusals included."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Mark the answer."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class UsersView(PrivateView):
    """Become known."""

    permission_classes = [AllowAny]

    @extend_schema(request=RegisterSerializer, responses={201: RegisteredSerializer})
    def post(self, request: Request) -> Response:
        """Register; a known CPF or e-mail is answered exactly like a new one."""
        now, actor = timezone.now(), actor_of(request)
        asked = RegisterSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        address = limits.client_address(request._request)  # noqa: SLF001 - DRF offers no public name
        limits.hit(guards.of_registration(address), at=now)
        told = asked.registration()
        claim = services.register_customer(
            told=told,
            source=SOURCE_OF.get(actor.kind, Source.WEB) if actor else Source.WEB,
            store_id=actor.only_store() if actor else None,
            at=now,
        )
        answer = {
            "name": told.name,
            "cpf": told.document.masked if told.document else None,
            "email": masked_email(told.email) or None,
            "phone": masked_phone(told.phone) or None,
            "consents": sorted(told.consents),
            "claim": claim,
        }
        return Response(answer, status=201)


class LookupView(PrivateView):
    """Say who is buying, at a kiosk."""

    permission_classes = [may(Role.KIOSK)]

    @extend_schema(request=LookupSerializer, responses=TicketSerializer)
    def post(self, request: Request) -> Response:
        """Exchange a CPF for a ticket, known or not."""
        now, device = timezone.now(), caller(request)
        if device.id is None:
            raise NotAuthenticated
        limits.hit(guards.of_device_lookup(device), at=now)
        asked = LookupSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        document = asked.document()
        ticket = services.issue_ticket(document=document, device_id=device.id, at=now)
        return Response({"customer": ticket, "cpf": document.masked})


class CustomerByCpfView(PrivateView):
    """Find a customer at the counter."""

    permission_classes = [may(*COUNTER)]

    @extend_schema(responses=CustomerSerializer)
    def get(self, request: Request, cpf: str) -> Response:
        """Say who has this CPF or CNPJ, masked."""
        now, actor = timezone.now(), caller(request)
        limits.hit(guards.of_staff_lookup(actor), at=now)
        document = parse_document(cpf)
        if document is None:
            raise MalformedDocumentError
        customer = services.look_up_customer(document=document, by=actor, at=now)
        return Response(
            {
                "id": str(customer.id),
                "name": customer.name,
                "cpf": masked_document(customer),
                "phone": masked_phone(customer.phone) or None,
                "orders": None,  # orders stand above customers; who may see them asks there
            }
        )

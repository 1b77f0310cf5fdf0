"""The customers API. No answer says whether a CPF or e-mail is known, except to staff."""

import logging
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.facade import Actor, LimitedError, Role, count_refused_lookup, iso, limits, refuses
from apps.customers import answers, guards, queries, services
from apps.customers.errors import CustomerNotFoundError, MalformedDocumentError
from apps.customers.queries import masked_document
from apps.customers.rules import Source, masked_email, masked_phone, parse_document
from apps.customers.serializers import (
    ClaimSerializer,
    LookupSerializer,
    ProfileChangeSerializer,
    RegisterSerializer,
)
from apps.stores.facade import actor_of, caller, may

logger = logging.getLogger(__name__)

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

    @extend_schema(
        operation_id="register_customer",
        summary="Become known",
        request=RegisterSerializer,
        responses={201: answers.Registered},
        extensions=refuses("throttled"),
    )
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


class ClaimView(PrivateView):
    """Make the account that a registration asked for."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="claim_account",
        summary="Make the account that a registration asked for",
        request=ClaimSerializer,
        responses={204: None},
        extensions=refuses("claim_refused", "throttled"),
    )
    def post(self, request: Request) -> Response:
        """Take the code that was sent to the customer; wrong, used and too old are answered alike."""
        now = timezone.now()
        asked = ClaimSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        address = limits.client_address(request._request)  # noqa: SLF001 - DRF offers no public name
        limits.hit(guards.of_claiming(address), at=now)
        services.claim_account(token=asked.validated_data["claim"], code=asked.validated_data["code"], at=now)
        return Response(status=204)


class MeView(PrivateView):
    """What we hold about whoever has signed in."""

    permission_classes = [may(Role.CUSTOMER)]

    @extend_schema(
        operation_id="get_profile",
        summary="Read one's own data",
        responses={200: answers.Profile},
        extensions=refuses("not_found"),
    )
    def get(self, request: Request) -> Response:
        """Say it; the CPF masked."""
        return Response(_profile(_own_id(caller(request))))

    @extend_schema(
        operation_id="change_profile",
        summary="Change one's own data and consents",
        request=ProfileChangeSerializer,
        responses={200: answers.Profile},
        extensions=refuses("not_found"),
    )
    def patch(self, request: Request) -> Response:
        """Change some of it, and what is allowed."""
        own = _own_id(caller(request))
        asked = ProfileChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.change_profile(customer_id=own, change=asked.change(), source=Source.WEB, at=timezone.now())
        return Response(_profile(own))

    @extend_schema(
        operation_id="erase_profile",
        summary="Erase one's own data",
        responses={204: None},
        extensions=refuses("not_found"),
    )
    def delete(self, request: Request) -> Response:
        """Erase the person for good, the login with it."""
        services.erase_customer(customer_id=_own_id(caller(request)), by=caller(request), at=timezone.now())
        return Response(status=204)


class MeExportView(PrivateView):
    """Everything about whoever has signed in."""

    permission_classes = [may(Role.CUSTOMER)]

    @extend_schema(
        operation_id="export_profile",
        summary="Export all that is held about oneself",
        responses={200: answers.Held},
        extensions=refuses("not_found", "throttled"),
    )
    def get(self, request: Request) -> Response:
        """Say all of it, the CPF whole, what was allowed and what was ordered."""
        now, own = timezone.now(), caller(request)
        limits.hit(guards.of_export(own), at=now)
        return Response(services.export_customer(customer_id=_own_id(own), by=own, at=now))


class LookupView(PrivateView):
    """Say who is buying, at a kiosk."""

    permission_classes = [may(Role.KIOSK)]

    @extend_schema(
        operation_id="look_up_guest",
        summary="Exchange a CPF for a ticket, at a kiosk",
        request=LookupSerializer,
        responses={200: answers.Ticket},
        extensions=refuses("throttled"),
    )
    def post(self, request: Request) -> Response:
        """Exchange a CPF for a ticket, known or not."""
        now, device = timezone.now(), caller(request)
        if device.id is None:
            raise NotAuthenticated
        try:
            limits.hit(guards.of_device_lookup(device), at=now)
        except LimitedError:
            count_refused_lookup()
            logger.warning("device %s of store %s looks up more CPFs than it may", device.id, device.only_store())
            raise
        asked = LookupSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        document = asked.document()
        ticket = services.issue_ticket(document=document, device_id=device.id, at=now)
        return Response({"customer": ticket, "cpf": document.masked})


class CustomerByCpfView(PrivateView):
    """Find a customer at the counter."""

    permission_classes = [may(*COUNTER)]

    @extend_schema(
        operation_id="find_customer_by_cpf",
        summary="Find a customer at the counter",
        responses={200: answers.Customer},
        extensions=refuses("throttled"),
    )
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


def _own_id(actor: Actor) -> UUID:
    """Return which customer has signed in."""
    if actor.id is None:
        raise NotAuthenticated
    return actor.id


def _profile(own: UUID) -> dict[str, Any]:
    customer = queries.profile_of(own)
    if customer is None:
        raise CustomerNotFoundError  # erased since the token was read
    return {
        "id": str(customer.id),
        "name": customer.name,
        "cpf": masked_document(customer) or None,
        "email": customer.email or None,
        "phone": customer.phone or None,
        "address": customer.address or None,
        "consents": sorted(queries.granted_purposes(customer.id)),
        "created_at": iso(customer.created_at),
    }

"""The orders API: parse, call one function, say the answer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.facade import Actor, InvalidError, Role, claim_from, page
from apps.orders import checkout, documents, guards, preparation, queries, services
from apps.orders.models import Order
from apps.orders.rules import Status, status_of
from apps.orders.serializers import (
    CancelSerializer,
    CheckoutSerializer,
    MoveSerializer,
    NarrowingSerializer,
    QuoteSerializer,
)
from apps.stores.facade import caller, may

STAFF = (Role.CASHIER, Role.MANAGER, Role.OWNER)
KITCHEN = (Role.BOARD, Role.KITCHEN, *STAFF)
SECONDS_BETWEEN_POLLS = {True: 5, False: 30}
IDEMPOTENCY_KEY = OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True)


def store_of(actor: Actor) -> UUID:
    """Return the one store an actor speaks for.

    Raises:
        InvalidError: the actor works at several stores, so the request cannot be placed.
    """
    store_id = actor.only_store()
    if store_id is None:
        raise InvalidError("Escolha uma loja: esta conta vale em várias.")
    return store_id


class QuoteView(APIView):
    """Price a cart."""

    permission_classes = [may(Role.KIOSK, *STAFF)]

    @extend_schema(request=QuoteSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        """Say lines, discounts and total as checkout would charge them."""
        asked = QuoteSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(
            checkout.quote(
                store_id=store_of(caller(request)), items=asked.asked(), coupon=asked.validated_data["coupon"]
            )
        )


class CheckoutView(APIView):
    """Place an order."""

    permission_classes = [may(Role.KIOSK, *STAFF)]

    @extend_schema(request=CheckoutSerializer, responses={201: OpenApiTypes.OBJECT}, parameters=[IDEMPOTENCY_KEY])
    def post(self, request: Request) -> HttpResponse:
        """Place it, or answer a repeat with the same bytes."""
        claim = claim_from(
            request.headers.get("Idempotency-Key"), principal=caller(request).principal, body=request.data
        )
        asked = CheckoutSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        answer = checkout.place_order(
            cart=asked.cart(),
            store_id=store_of(caller(request)),
            by=caller(request),
            claim=claim,
            limit=guards.per_minute(caller(request)),
        )
        response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
        if answer.replayed:
            response["Idempotent-Replayed"] = "true"
        return response


class OrdersView(APIView):
    """The board of a store, or its orders by time."""

    permission_classes = [may(Role.KIOSK, Role.PANEL, Role.AUDITOR, *KITCHEN)]

    @extend_schema(
        responses=OpenApiTypes.OBJECT,
        parameters=[
            OpenApiParameter("status", OpenApiTypes.STR, many=True),
            OpenApiParameter("since", OpenApiTypes.DATETIME),
            OpenApiParameter("cursor", OpenApiTypes.STR),
            OpenApiParameter("page_size", OpenApiTypes.INT),
        ],
    )
    def get(self, request: Request) -> Response:
        """List what is being made: ready, in preparation, received; each in its place.

        With ``status`` or ``since`` the orders of the store instead, the newest first, a page at a time.
        """
        actor, now = caller(request), timezone.now()
        store_id = store_of(actor)
        if not {"status", "since", "cursor"} & request.query_params.keys():
            is_panel = Role.PANEL in actor.roles_at(store_id)
            orders = queries.panel(store_id, now) if is_panel else queries.board(store_id, now)
            return Response({"results": _listed(actor, store_id, orders), "next": None, "previous": None})
        asked = NarrowingSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        statuses = [status for status in Status if status.code in asked.validated_data.get("status", ())]
        since = asked.validated_data.get("since")
        placed = queries.placed(store_id, actor, statuses=statuses, since=since)
        found = page(request, placed, "placed_at", "id", newest_first=True)
        results = _listed(actor, store_id, found.rows)
        return Response({"results": results, "next": found.next, "previous": found.previous})


class OrderView(APIView):
    """One order."""

    def get_permissions(self) -> list[Any]:
        """Let whoever may see it read, and its kiosk and the counter take it back."""
        roles = (Role.KIOSK, *STAFF) if self.request.method == "DELETE" else (Role.KIOSK, Role.AUDITOR, *KITCHEN)
        return [may(*roles)()]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, order_id: UUID) -> Response:
        """Say it in the detail its reader may see."""
        order = queries.order_for(order_id, caller(request))
        return Response(_document_for(caller(request), order))

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def delete(self, request: Request, order_id: UUID) -> Response:
        """Cancel it, as ``POST …/cancel`` does."""
        return _cancel(request, order_id)


class OrderCancelView(APIView):
    """Take an order back."""

    permission_classes = [may(Role.KIOSK, *STAFF)]

    @extend_schema(request=CancelSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, order_id: UUID) -> Response:
        """Cancel an unpaid order: the kiosk that placed it, or the counter."""
        CancelSerializer(data=request.data).is_valid(raise_exception=True)
        return _cancel(request, order_id)


class OrderStatusView(APIView):
    """Where an order stands."""

    def get_permissions(self) -> list[Any]:
        """Let whoever may see it read, and kitchen and counter move."""
        roles = KITCHEN if self.request.method == "PATCH" else (Role.KIOSK, Role.AUDITOR, *KITCHEN)
        return [may(*roles)()]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, order_id: UUID) -> Response:
        """Say only that, cheaply; ``Retry-After`` tells when to ask again."""
        order = queries.narrow_order_for(order_id, caller(request))
        response = Response(documents.narrow_document(order))
        response["Retry-After"] = str(SECONDS_BETWEEN_POLLS[order.status <= Status.READY])
        return response

    @extend_schema(request=MoveSerializer, responses=OpenApiTypes.OBJECT)
    def patch(self, request: Request, order_id: UUID) -> Response:
        """Move it a step; the step it already made is answered and not written again."""
        asked = MoveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        to = status_of(asked.validated_data["status"])
        if to is None:
            error = {"field": "status", "code": "invalid_choice", "detail": "Situação desconhecida."}
            raise InvalidError("Confira os campos indicados.", errors=[error])
        services.move_order(order_id=order_id, to=to, by=caller(request), at=timezone.now())
        return Response(_document_for(caller(request), queries.order_for(order_id, caller(request))))


class OrderRecallView(APIView):
    """Back to the kitchen."""

    permission_classes = [may(*KITCHEN)]

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, order_id: UUID) -> Response:
        """Bring a ready order back to its old place."""
        services.recall_order(order_id=order_id, by=caller(request), at=timezone.now())
        return Response(_document_for(caller(request), queries.order_for(order_id, caller(request))))


class ItemBumpView(APIView):
    """One item is made."""

    permission_classes = [may(*KITCHEN)]

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, order_id: UUID, item_id: UUID) -> Response:
        """Say that everything of it is made; the first one starts the order, the last makes it ready."""
        preparation.bump_item(order_id=order_id, item_id=item_id, by=caller(request), at=timezone.now())
        return Response(_document_for(caller(request), queries.order_for(order_id, caller(request))))


class ItemRecallView(APIView):
    """One item is not made after all."""

    permission_classes = [may(*KITCHEN)]

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, order_id: UUID, item_id: UUID) -> Response:
        """Take it back into preparation, and a ready order with it to its old place."""
        preparation.recall_item(order_id=order_id, item_id=item_id, by=caller(request), at=timezone.now())
        return Response(_document_for(caller(request), queries.order_for(order_id, caller(request))))


class OrderUndoView(APIView):
    """The slip of a finger."""

    permission_classes = [may(*KITCHEN)]

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, order_id: UUID) -> Response:
        """Take the last step back within ten seconds."""
        services.undo_move(order_id=order_id, by=caller(request), at=timezone.now())
        return Response(_document_for(caller(request), queries.order_for(order_id, caller(request))))


class OrderHistoryView(APIView):
    """What became of an order."""

    permission_classes = [may(Role.KIOSK, Role.AUDITOR, *KITCHEN)]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, order_id: UUID) -> Response:
        """List its steps, first to last."""
        changes, names = queries.history_of(queries.narrow_order_for(order_id, caller(request)))
        return Response({"results": [documents.history_document(change, names) for change in changes]})


def _cancel(request: Request, order_id: UUID) -> Response:
    services.cancel_unpaid(order_id=order_id, by=caller(request), at=timezone.now())
    return Response(_document_for(caller(request), queries.order_for(order_id, caller(request))))


def _listed(actor: Actor, store_id: UUID, orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Say orders to staff with their money, to a panel as numbers, to other devices as the kitchen sees them."""
    if actor.kind == "staff":
        return [documents.stored_order_document(order) for order in orders]
    say = documents.panel_document if Role.PANEL in actor.roles_at(store_id) else documents.board_document
    return [say(order) for order in orders]


def _document_for(actor: Actor, order: Any) -> dict[str, Any]:
    """Say an order without money to a board, whole to everybody else who may see it."""
    if Role.BOARD in actor.roles_at(order.store_id):
        return documents.board_document(order)
    return documents.stored_order_document(order)

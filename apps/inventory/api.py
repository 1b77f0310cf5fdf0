"""The inventory API: parse, call one function, say the answer."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.facade import (
    Actor,
    NotFoundError,
    Role,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    iso,
    page,
    refuses,
)
from apps.inventory import answers, queries, services
from apps.inventory.models import Reason, StockLevel, StockMovement
from apps.stores.facade import caller, may

MANAGERS = (Role.MANAGER, Role.OWNER)
MOST = 1_000_000
PAGING = [OpenApiParameter("cursor", OpenApiTypes.STR), OpenApiParameter("page_size", OpenApiTypes.INT)]
WASTED_BY = frozenset({Role.KITCHEN})
SIGN = {Reason.PURCHASE: 1, Reason.RETURN: 1, Reason.WASTE: -1}


class CountSerializer(StrictSerializer):
    """What was counted on the shelf, in the item's unit."""

    item = serializers.UUIDField()
    on_hand = StrictIntegerField(min_value=0, max_value=MOST)
    note = StrictCharField(max_length=140, allow_blank=True, default="")


class MovementSerializer(StrictSerializer):
    """What came or went, in the item's unit; ``quantity`` is never negative, the reason says which way."""

    item = serializers.UUIDField()
    quantity = StrictIntegerField(min_value=1, max_value=MOST)
    reason = serializers.ChoiceField(choices=[reason.value for reason in SIGN])
    note = StrictCharField(max_length=140, allow_blank=True, default="")


class ItemsView(APIView):
    """What a store has."""

    def get_permissions(self) -> list[Any]:
        """Let the kitchen look and managers count."""
        roles = (Role.KITCHEN, Role.AUDITOR, *MANAGERS) if self.request.method == "GET" else MANAGERS
        return [may(*roles)()]

    @extend_schema(
        operation_id="list_stock",
        summary="List what a store has",
        responses={200: answers.StockLevels},
        extensions=refuses("not_found"),
    )
    def get(self, request: Request) -> Response:
        """List every item with what is on hand, reserved and free."""
        results = [_level_document(level) for level in queries.levels_of(_store_of(caller(request)))]
        return Response({"results": results, "next": None, "previous": None})

    @extend_schema(
        operation_id="count_stock",
        summary="Record a count of an item",
        request=CountSerializer,
        responses={200: answers.StockMovement},
        extensions=refuses("not_found", "out_of_stock"),
    )
    def patch(self, request: Request) -> Response:
        """Record a count."""
        asked = CountSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        told = asked.validated_data
        movement = services.count(
            store_id=_store_of(caller(request)),
            item_id=told["item"],
            on_hand=told["on_hand"],
            note=told["note"],
            by=caller(request),
            at=timezone.now(),
        )
        return Response(_movement_document(movement))


class MovementsView(APIView):
    """Stock that came or went."""

    permission_classes = [may(Role.KITCHEN, *MANAGERS)]

    @extend_schema(
        operation_id="record_stock_movement",
        summary="Record what came or went of an item",
        request=MovementSerializer,
        responses={201: answers.StockMovement},
        extensions=refuses("not_found", "out_of_stock"),
    )
    def post(self, request: Request) -> Response:
        """Record one movement; the kitchen may only record waste."""
        asked = MovementSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        told, actor = asked.validated_data, caller(request)
        store_id, reason = _store_of(actor), Reason(told["reason"])
        if reason != Reason.WASTE and actor.roles_at(store_id) <= WASTED_BY:
            self.permission_denied(request, "A cozinha só registra perdas.")
        movement = services.adjust(
            store_id=store_id,
            item_id=told["item"],
            delta=SIGN[reason] * told["quantity"],
            reason=reason,
            note=told["note"],
            by=actor,
            at=timezone.now(),
        )
        return Response(_movement_document(movement), status=201)


class ItemMovementsView(APIView):
    """The story of one item."""

    permission_classes = [may(Role.KITCHEN, Role.AUDITOR, *MANAGERS)]

    @extend_schema(
        operation_id="list_stock_movements",
        summary="List what came and went of an item",
        responses={200: answers.StockMovements},
        parameters=PAGING,
    )
    def get(self, request: Request, item_id: UUID) -> Response:
        """List its movements, newest first, a page at a time."""
        movements = queries.movements_of(_store_of(caller(request)), item_id)
        found = page(request, movements, "id", newest_first=True)
        results = [_movement_document(movement) for movement in found.rows]
        return Response({"results": results, "next": found.next, "previous": found.previous})


def _store_of(actor: Actor) -> UUID:
    store_id = actor.only_store()
    if store_id is None:
        raise NotFoundError("Escolha uma loja: esta conta vale em várias.")
    return store_id


def _level_document(level: StockLevel) -> dict[str, Any]:
    return {
        "id": str(level.item_id),
        "name": level.item.name,
        "unit": level.item.unit,
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "available": level.on_hand - level.reserved,
    }


def _movement_document(movement: StockMovement) -> dict[str, Any]:
    return {
        "id": str(movement.id),
        "item": str(movement.item_id),
        "delta": movement.delta,
        "reason": movement.reason,
        "note": movement.note,
        "order": str(movement.order_id) if movement.order_id else None,
        "at": iso(movement.at),
    }

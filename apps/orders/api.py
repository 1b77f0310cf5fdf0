"""The orders API: parse, call one function, say the answer."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.facade import (
    IDEMPOTENCY_KEY,
    REPLAYED,
    Actor,
    InvalidError,
    NotFoundError,
    Role,
    claim_from,
    page,
    refuses,
)
from apps.orders import answers, cancel, checkout, documents, guards, preparation, queries, reading, releasing, services
from apps.orders.models import Order
from apps.orders.rules import CUSTOMER, AskedItem, Status
from apps.orders.serializers import (
    CancelSerializer,
    CheckoutSerializer,
    ListedStoreSerializer,
    MoveSerializer,
    NarrowingSerializer,
    QuoteSerializer,
    ReleaseSerializer,
    VoidSerializer,
)
from apps.stores.facade import INTEGRATOR, caller, may, store_by_id

STAFF = (Role.CASHIER, Role.MANAGER, Role.OWNER)
KITCHEN = (Role.BOARD, Role.KITCHEN, *STAFF)
BUYERS = frozenset({Role.KIOSK, Role.CUSTOMER, *STAFF})
READERS = frozenset({Role.KIOSK, Role.CUSTOMER, Role.AUDITOR, Role.ORDERS_READ, *KITCHEN})
LISTERS = READERS | {Role.PANEL}
Say = Callable[[Order], dict[str, Any]]
MINIMAL = "return=minimal"
PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=f"`{MINIMAL}` asks for no more than where the order stands now (RFC 7240).",
)
PREFERENCE_APPLIED = OpenApiParameter(
    "Preference-Applied",
    {"type": "string", "enum": [MINIMAL]},
    OpenApiParameter.HEADER,
    description="There when the answer is as short as was asked for.",
    response=[200],
)
SECONDS_BETWEEN_POLLS = {True: 5, False: 30}
RETRY_AFTER = OpenApiParameter(
    "Retry-After",
    OpenApiTypes.INT,
    OpenApiParameter.HEADER,
    description="Seconds until the next question.",
    response=[200],
)


def own_store(actor: Actor, roles: frozenset[Role]) -> UUID | None:
    """Return the one store where an actor holds the roles; None for somebody of several."""
    stores = actor.stores_with(roles)
    return next(iter(stores)) if stores is not None and len(stores) == 1 else None


def store_of(actor: Actor, roles: frozenset[Role], named: UUID | None) -> UUID:
    """Return the store a request is for: the one where its caller holds the roles, or the one of several they name.

    Raises:
        InvalidError: no store named by somebody of several, or one named by somebody who has their own.
        NotFoundError: no such store, or none of the caller's.
    """
    own = own_store(actor, roles)
    if own is not None:
        if named is not None:
            raise _refused_store("unknown_field", "A loja é a desta credencial; não a envie.")
        return own
    stores = actor.stores_with(roles)
    if named is None:
        raise _refused_store("required", "Escolha uma loja: esta conta vale em várias.")
    if (stores is not None and named not in stores) or store_by_id(named) is None:
        raise NotFoundError("Loja não encontrada.")
    return named


def _named_store(request: Request) -> UUID | None:
    """Return the store a list is asked for; of whoever has their own nothing is read."""
    if own_store(caller(request), LISTERS) is not None:
        return None
    asked = ListedStoreSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    store_id: UUID | None = asked.validated_data.get("store")
    return store_id


def _refused_store(code: str, detail: str) -> InvalidError:
    return InvalidError(detail, errors=[{"field": "store", "code": code, "detail": detail}])


def _read_quote(request: Request) -> tuple[tuple[AskedItem, ...], str, str, UUID | None]:
    asked = QuoteSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    told = asked.validated_data
    return asked.asked(), told["coupon"], told["dining_option"], told.get("store")


def _read_cart(request: Request) -> tuple[checkout.Cart, UUID | None]:
    asked = CheckoutSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return asked.cart(), asked.validated_data.get("store")


class QuoteView(APIView):
    """Price a cart."""

    permission_classes = [may(*BUYERS)]

    @extend_schema(
        operation_id="quote_order",
        summary="Price a cart",
        request=QuoteSerializer,
        responses={200: answers.Quote},
        extensions=refuses("not_found", "store_closed", "item_unavailable"),
    )
    def post(self, request: Request) -> Response:
        """Say lines, discounts and total as checkout would charge them."""
        items, coupon, dining_option, named = reading.quote(request.data) or _read_quote(request)
        store_id = store_of(caller(request), BUYERS, named)
        told = checkout.quote(store_id=store_id, items=items, coupon=coupon, dining_option=dining_option)
        return Response(told)


class CheckoutView(APIView):
    """Place an order."""

    permission_classes = [may(*BUYERS)]

    @extend_schema(
        operation_id="checkout_order",
        summary="Place an order",
        request=CheckoutSerializer,
        responses={201: answers.Order},
        parameters=[IDEMPOTENCY_KEY, REPLAYED],
        extensions=refuses(
            "not_found",
            "store_closed",
            "item_unavailable",
            "out_of_stock",
            "price_changed",
            "idempotency_conflict",
            "idempotency_key_reused",
            "throttled",
        ),
    )
    def post(self, request: Request) -> HttpResponse:
        """Place it, or answer a repeat with the same bytes."""
        by = caller(request)
        claim = claim_from(request.headers.get("Idempotency-Key"), principal=by.principal, body=request.data)
        cart, named = reading.checkout(request.data) or _read_cart(request)
        answer = checkout.place_order(
            cart=cart, store_id=store_of(by, BUYERS, named), by=by, claim=claim, limit=guards.per_minute(by)
        )
        response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
        if answer.replayed:
            response["Idempotent-Replayed"] = "true"
        return response


class OrdersView(APIView):
    """The board of a store, or its orders by time."""

    permission_classes = [may(*LISTERS)]

    @extend_schema(
        operation_id="list_orders",
        summary="List the board of a store, or orders by time",
        responses={200: answers.Orders},
        parameters=[
            OpenApiParameter("store", OpenApiTypes.UUID),
            OpenApiParameter("status", OpenApiTypes.STR, many=True, enum=answers.STATUSES),
            OpenApiParameter("since", OpenApiTypes.DATETIME),
            OpenApiParameter("cursor", OpenApiTypes.STR),
            OpenApiParameter("page_size", OpenApiTypes.INT),
        ],
        extensions=refuses("not_found"),
    )
    def get(self, request: Request) -> Response:
        """List what is being made: ready, in preparation, received; each in its place.

        With ``status`` or ``since`` the orders of the store instead, the newest first, a page at a time. A customer's are
        always their own, at every store; another system's are always by time. Who has several stores names one.
        """
        actor, now = caller(request), timezone.now()
        asked = NarrowingSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        if actor.kind == CUSTOMER:
            return self._by_time(request, queries.of_customer(actor.id), asked, documents.stored_order_document)
        store_id = store_of(actor, LISTERS, _named_store(request))
        say = _said_to(actor, store_id)
        if actor.kind != INTEGRATOR and not {"status", "since", "cursor"} & request.query_params.keys():
            orders = (
                queries.board(store_id, now)
                if say is documents.panel_document
                else queries.board_with_lines(store_id, now)
            )
            return Response({"results": [say(order) for order in orders], "next": None, "previous": None})
        return self._by_time(request, queries.placed_at(store_id, actor), asked, say)

    def _by_time(self, request: Request, orders: QuerySet[Order], asked: NarrowingSerializer, say: Say) -> Response:
        told = asked.validated_data
        statuses = [status for status in Status if status.code in told.get("status", ())]
        orders = queries.narrowed(orders, statuses=statuses, since=told.get("since"))
        found = page(request, orders, "placed_at", "id", newest_first=True)
        return Response(
            {"results": [say(order) for order in found.rows], "next": found.next, "previous": found.previous}
        )


class OrderView(APIView):
    """One order."""

    def get_permissions(self) -> list[Any]:
        """Let whoever may see it read, and who placed it and the counter take it back."""
        roles = BUYERS if self.request.method == "DELETE" else READERS
        return [may(*roles)()]

    @extend_schema(
        operation_id="get_order",
        summary="Read an order",
        responses={200: answers.OrderForReader},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """Say it in the detail its reader may see."""
        order = queries.order_for(order_id, caller(request))
        return Response(_document_for(caller(request), order))

    @extend_schema(
        operation_id="delete_order",
        summary="Cancel an order",
        request=CancelSerializer,
        responses={200: answers.Order, 202: answers.Order},
        extensions=refuses("invalid_transition"),
    )
    def delete(self, request: Request, order_id: UUID) -> Response:
        """Cancel it, as ``POST …/cancel`` does."""
        return _cancel(request, order_id)


class OrderCancelView(APIView):
    """Take an order back."""

    permission_classes = [may(*BUYERS)]

    @extend_schema(
        operation_id="cancel_order",
        summary="Cancel an order",
        request=CancelSerializer,
        responses={200: answers.Order, 202: answers.Order},
        extensions=refuses("invalid_transition"),
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Cancel it: an unpaid one its kiosk or the counter, a paid one the counter; 202 while money is on its way back."""
        return _cancel(request, order_id)


class OrderReleaseView(APIView):
    """An order with something that is not sold to everybody."""

    permission_classes = [may(*STAFF)]

    @extend_schema(
        operation_id="release_order",
        summary="Let an order be paid, or refuse it",
        request=ReleaseSerializer,
        responses={200: answers.Order},
        extensions=refuses("invalid_transition"),
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Let it be paid once the guest's age is checked, or refuse it: it is cancelled then."""
        asked = ReleaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        decide = releasing.release_order if asked.validated_data["release"] else releasing.refuse_release
        decide(order_id=order_id, by=caller(request), at=timezone.now())
        return Response(_document_for(caller(request), queries.order_for(order_id, caller(request))))


class OrderItemVoidView(APIView):
    """One item out of a paid order."""

    permission_classes = [may(*STAFF)]

    @extend_schema(
        operation_id="void_item",
        summary="Take an item out of a paid order",
        request=VoidSerializer,
        responses={200: answers.Order},
        extensions=refuses("invalid_transition", "last_item"),
    )
    def post(self, request: Request, order_id: UUID, item_id: UUID) -> Response:
        """Void an item nobody has begun to make; the guest gets its share back."""
        asked = VoidSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        cancel.void_item(
            order_id=order_id, line_id=item_id, by=caller(request), at=timezone.now(), **asked.validated_data
        )
        return Response(_document_for(caller(request), queries.order_for(order_id, caller(request))))


class OrderStatusView(APIView):
    """Where an order stands."""

    def get_permissions(self) -> list[Any]:
        """Let whoever may see it read, and kitchen and counter move."""
        roles = KITCHEN if self.request.method == "PATCH" else READERS
        return [may(*roles)()]

    @extend_schema(
        operation_id="get_order_status",
        summary="See where an order stands",
        responses={200: answers.OrderStatus},
        parameters=[RETRY_AFTER],
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """Say only that, cheaply; ``Retry-After`` tells when to ask again."""
        order = queries.standing_for(order_id, caller(request))
        response = Response(documents.narrow_document(order))
        response["Retry-After"] = str(SECONDS_BETWEEN_POLLS[order.status <= Status.READY])
        return response

    @extend_schema(
        operation_id="move_order",
        summary="Move an order a step",
        request=MoveSerializer,
        responses={200: answers.MovedOrder},
        parameters=[PREFER, PREFERENCE_APPLIED],
        extensions=refuses("invalid_transition"),
    )
    def patch(self, request: Request, order_id: UUID) -> Response:
        """Move it a step; the step it already made is answered and not written again."""
        asked = MoveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        to = Status[asked.validated_data["status"].upper()]
        order = services.move_order(order_id=order_id, to=to, by=caller(request), at=timezone.now())
        return _moved(request, order)


class OrderRecallView(APIView):
    """Back to the kitchen."""

    permission_classes = [may(*KITCHEN)]

    @extend_schema(
        operation_id="recall_order",
        summary="Bring a ready order back to the kitchen",
        request=None,
        responses={200: answers.MovedOrder},
        parameters=[PREFER, PREFERENCE_APPLIED],
        extensions=refuses("invalid_transition"),
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Bring a ready order back to its old place."""
        order = services.recall_order(order_id=order_id, by=caller(request), at=timezone.now())
        return _moved(request, order)


class ItemBumpView(APIView):
    """One item is made."""

    permission_classes = [may(*KITCHEN)]

    @extend_schema(
        operation_id="bump_item",
        summary="Mark an item as made",
        request=None,
        responses={200: answers.MovedOrder},
        parameters=[PREFER, PREFERENCE_APPLIED],
        extensions=refuses("invalid_transition"),
    )
    def post(self, request: Request, order_id: UUID, item_id: UUID) -> Response:
        """Say that everything of it is made; the first one starts the order, the last makes it ready."""
        order = preparation.bump_item(order_id=order_id, item_id=item_id, by=caller(request), at=timezone.now())
        return _moved(request, order)


class ItemRecallView(APIView):
    """One item is not made after all."""

    permission_classes = [may(*KITCHEN)]

    @extend_schema(
        operation_id="recall_item",
        summary="Take an item back into preparation",
        request=None,
        responses={200: answers.MovedOrder},
        parameters=[PREFER, PREFERENCE_APPLIED],
        extensions=refuses("invalid_transition"),
    )
    def post(self, request: Request, order_id: UUID, item_id: UUID) -> Response:
        """Take it back into preparation, and a ready order with it to its old place."""
        order = preparation.recall_item(order_id=order_id, item_id=item_id, by=caller(request), at=timezone.now())
        return _moved(request, order)


class OrderAcknowledgeView(APIView):
    """A cancelled order on the board."""

    permission_classes = [may(*KITCHEN)]

    @extend_schema(
        operation_id="acknowledge_cancellation",
        summary="Note that the kitchen knows of a cancelled order",
        request=None,
        responses={200: answers.OrderForKitchen},
        extensions=refuses("invalid_transition"),
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Say that the kitchen has seen that it was cancelled; its ticket leaves the board."""
        preparation.acknowledge_cancellation(order_id=order_id, by=caller(request), at=timezone.now())
        return Response(_document_for(caller(request), queries.order_for(order_id, caller(request))))


class ItemAcknowledgeView(APIView):
    """A voided item on the board."""

    permission_classes = [may(*KITCHEN)]

    @extend_schema(
        operation_id="acknowledge_void",
        summary="Note that the kitchen knows of a voided item",
        request=None,
        responses={200: answers.OrderForKitchen},
        extensions=refuses("invalid_transition"),
    )
    def post(self, request: Request, order_id: UUID, item_id: UUID) -> Response:
        """Say that the kitchen has seen that it was voided; it leaves its ticket."""
        preparation.acknowledge_void(order_id=order_id, item_id=item_id, by=caller(request), at=timezone.now())
        return Response(_document_for(caller(request), queries.order_for(order_id, caller(request))))


class OrderUndoView(APIView):
    """The slip of a finger."""

    permission_classes = [may(*KITCHEN)]

    @extend_schema(
        operation_id="undo_move",
        summary="Take an order's last step back",
        request=None,
        responses={200: answers.MovedOrder},
        parameters=[PREFER, PREFERENCE_APPLIED],
        extensions=refuses("invalid_transition"),
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Take the last step back within ten seconds."""
        order = services.undo_move(order_id=order_id, by=caller(request), at=timezone.now())
        return _moved(request, order)


class OrderHistoryView(APIView):
    """What became of an order."""

    permission_classes = [may(*READERS)]

    @extend_schema(
        operation_id="get_order_history",
        summary="Read what became of an order",
        responses={200: answers.OrderHistory},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """List its steps, first to last; who made them is named inside the shop alone."""
        changes, names = queries.history_of(queries.narrow_order_for(order_id, caller(request)))
        if caller(request).kind not in ("device", "staff"):
            names = {}
        return Response({"results": [documents.history_document(change, names) for change in changes]})


def _cancel(request: Request, order_id: UUID) -> Response:
    asked = CancelSerializer(data={} if request.data is None else request.data)
    asked.is_valid(raise_exception=True)
    cancel.cancel_order(
        order_id=order_id,
        by=caller(request),
        at=timezone.now(),
        reason=asked.validated_data["reason"],
        restock=asked.restock(),
    )
    document = _document_for(caller(request), queries.order_for(order_id, caller(request)))
    return Response(document, status=202 if cancel.steps_open(order_id) else 200)


def _moved(request: Request, order: Order) -> Response:
    """Say an order that was just moved, without reading it a second time; only where it stands if the caller prefers that."""
    if MINIMAL in (each.strip() for each in request.headers.get("Prefer", "").split(",")):
        return Response(documents.narrow_document(order), headers={"Preference-Applied": MINIMAL})
    actor = caller(request)
    (queries.read_lines if Role.BOARD in actor.roles_at(order.store_id) else queries.read_all)([order])
    return Response(_document_for(actor, order))


def _said_to(actor: Actor, store_id: UUID) -> Say:
    """Return how a list says orders: to staff with money, to a panel as numbers, to other devices as the kitchen sees them."""
    if actor.kind == INTEGRATOR:
        return documents.integrator_document
    if actor.kind == "staff":
        return documents.stored_order_document
    return documents.panel_document if Role.PANEL in actor.roles_at(store_id) else documents.board_document


def _document_for(actor: Actor, order: Any) -> dict[str, Any]:
    """Say an order without money to a board, without its guest to another system, whole to everybody else who may see it."""
    if actor.kind == INTEGRATOR:
        return documents.integrator_document(order)
    if Role.BOARD in actor.roles_at(order.store_id):
        return documents.board_document(order)
    return documents.stored_order_document(order)

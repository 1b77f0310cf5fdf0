"""The menu API: the finished menu, and the products and categories behind it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog import answers, door, services
from apps.catalog.askers import askers, credential_of
from apps.catalog.document import product_document
from apps.catalog.finished import AWAY, language_of, shelf
from apps.catalog.models import Category, Product
from apps.catalog.queries import product_snapshots, products_on_offer
from apps.catalog.serializers import (
    CategorySerializer,
    ListQuerySerializer,
    PauseSerializer,
    ProductSerializer,
    StoreTermsSerializer,
)
from apps.core.facade import (
    Actor,
    InvalidError,
    LimitedError,
    NotFoundError,
    Role,
    from_domain,
    iso,
    page,
    refuses,
)
from apps.stores.facade import actor_of, caller, may, may_everywhere

STORE = OpenApiParameter("store", OpenApiTypes.UUID, required=False)
LISTING = [
    STORE,
    OpenApiParameter("q", OpenApiTypes.STR),
    OpenApiParameter("category", OpenApiTypes.STR),
    OpenApiParameter("cursor", OpenApiTypes.STR),
    OpenApiParameter("page_size", OpenApiTypes.INT),
]
ETAG = OpenApiParameter("ETag", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200, 304])
STALE = OpenApiParameter(
    "X-Menu-Stale",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="There when it is only the last known menu.",
    response=[200, 304],
)
PAUSERS = (Role.BOARD, Role.KITCHEN, Role.MANAGER, Role.OWNER)


class MenuView(APIView):
    """A store's menu."""

    permission_classes = [AllowAny]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer what memory holds before DRF, which costs more than the answer; all else goes the usual way."""
        credential = credential_of(request)
        if wait := door.wait_seconds(request, credential):
            return from_domain(LimitedError(wait))
        known = door.at_hand(request, credential) if request.method == "GET" else None
        return door.answer(request, *known) if known is not None else super().dispatch(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """Ask who calls only when the store depends on it: a menu is public."""

    @extend_schema(
        operation_id="get_menu",
        summary="Read a store's menu",
        responses={200: answers.Menu, 304: None},
        parameters=[STORE, OpenApiParameter("lang", OpenApiTypes.STR), ETAG, STALE],
        extensions=refuses("not_found", "throttled"),
    )
    def get(self, request: Request) -> HttpResponse:
        """Say the whole active menu in one document, with an ETag; ``X-Menu-Stale`` when it is only the last known."""
        store_id = _asked_store(request)
        menu, stale = shelf.menu(store_id, language_of(request.query_params.get("lang", "")), timezone.now())
        return door.answer(request._request, menu, stale)  # noqa: SLF001 - DRF offers no public name


class ProductsView(APIView):
    """The products of the chain."""

    def get_permissions(self) -> list[Any]:
        """Let anybody read and the chain's owners add."""
        return [AllowAny() if self.request.method == "GET" else may_everywhere(Role.OWNER)()]

    @extend_schema(
        operation_id="list_products",
        summary="List the products",
        responses={200: answers.Products},
        parameters=LISTING,
    )
    def get(self, request: Request) -> Response:
        """List them by name: of one category, with some words, or as one store sells them."""
        return _product_list(request)

    @extend_schema(
        operation_id="create_product",
        summary="Add a product to the chain",
        request=ProductSerializer,
        responses={201: answers.Product},
    )
    def post(self, request: Request) -> Response:
        """Add one to the chain."""
        asked = ProductSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        product = services.create_product(terms=asked.validated_data, by=caller(request), at=timezone.now())
        return Response(_product(product.id, None), status=201)


class ProductsOfCategoryView(APIView):
    """The products of one category."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="list_products_of_category",
        summary="List the products of a category",
        responses={200: answers.Products},
        parameters=LISTING,
    )
    def get(self, request: Request, slug: str) -> Response:
        """List them as ``/products?category=`` does."""
        if not Category.objects.filter(slug=slug, archived_at=None).exists():
            raise NotFoundError("Esta categoria não existe.")
        return _product_list(request, slug)


class ProductView(APIView):
    """One product."""

    def get_permissions(self) -> list[Any]:
        """Let anybody read, the chain's owners change its fields, and managers those of their own store."""
        if self.request.method == "GET":
            return [AllowAny()]
        own_store = self.request.method == "PATCH" and "store" in self.request.query_params
        return [may(Role.OWNER, Role.MANAGER)() if own_store else may_everywhere(Role.OWNER)()]

    @extend_schema(
        operation_id="get_product",
        summary="Read a product",
        responses={200: answers.Product},
        parameters=[STORE],
    )
    def get(self, request: Request, product_id: UUID) -> Response:
        """Say it as one store sells it, or with the chain's own values."""
        return Response(_product(product_id, _query(request).get("store")))

    @extend_schema(
        operation_id="replace_product",
        summary="Replace the fields of a product",
        request=ProductSerializer,
        responses={200: answers.Product},
    )
    def put(self, request: Request, product_id: UUID) -> Response:
        """Say all its fields anew; what is left out takes its default, only the slug stays."""
        return self._change(request, product_id, partial=False)

    @extend_schema(
        operation_id="change_product",
        summary="Change some fields of a product",
        request=ProductSerializer,
        responses={200: answers.ChangedProduct},
        parameters=[STORE],
    )
    def patch(self, request: Request, product_id: UUID) -> Response:
        """Change some fields of the chain; with ``store`` the price and assortment of that store."""
        if "store" not in request.query_params:
            return self._change(request, product_id, partial=True)
        store_id = _query(request).get("store")
        if store_id is None:
            raise _refused("store", "Diga o id de uma loja.")
        asked = StoreTermsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = services.set_store_terms(
            product_id=product_id, store_id=store_id, terms=asked.validated_data, by=caller(request), at=timezone.now()
        )
        return Response({**_product(product_id, store_id if row.sold_here else None), "sold_here": row.sold_here})

    @extend_schema(
        operation_id="archive_product",
        summary="Archive a product",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, product_id: UUID) -> Response:
        """Archive it."""
        services.archive_product(product_id=product_id, by=caller(request), at=timezone.now())
        return Response(status=204)

    def _change(self, request: Request, product_id: UUID, *, partial: bool) -> Response:
        if "store" in request.query_params:
            raise _refused("store", "Com loja, use PATCH.")
        asked = ProductSerializer(data=request.data, partial=partial)
        asked.is_valid(raise_exception=True)
        services.change_product(
            product_id=product_id, terms=asked.validated_data, by=caller(request), at=timezone.now()
        )
        return Response(_product(product_id, None))


class CategoriesView(APIView):
    """The categories of the chain."""

    def get_permissions(self) -> list[Any]:
        """Let anybody read and the chain's owners add."""
        return [AllowAny() if self.request.method == "GET" else may_everywhere(Role.OWNER)()]

    @extend_schema(
        operation_id="list_categories",
        summary="List the categories",
        responses={200: answers.Categories},
        parameters=LISTING[3:],
    )
    def get(self, request: Request) -> Response:
        """List them in the order of the menu."""
        found = page(request, Category.objects.filter(archived_at=None), "position", "id")
        return _listed([_category(row) for row in found.rows], found.next, found.previous)

    @extend_schema(
        operation_id="create_category",
        summary="Add a category to the chain",
        request=CategorySerializer,
        responses={201: answers.Category},
    )
    def post(self, request: Request) -> Response:
        """Add one to the chain."""
        asked = CategorySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = services.create_category(terms=asked.validated_data, by=caller(request), at=timezone.now())
        return Response(_category(row), status=201)


class CategoryView(APIView):
    """One category."""

    def get_permissions(self) -> list[Any]:
        """Let anybody read and the chain's owners change."""
        return [AllowAny() if self.request.method == "GET" else may_everywhere(Role.OWNER)()]

    @extend_schema(
        operation_id="get_category",
        summary="Read a category",
        responses={200: answers.Category},
    )
    def get(self, request: Request, category_id: UUID) -> Response:
        """Say it."""
        row = Category.objects.filter(id=category_id, archived_at=None).first()
        if row is None:
            raise NotFoundError("Esta categoria não existe.")
        return Response(_category(row))

    @extend_schema(
        operation_id="replace_category",
        summary="Replace the fields of a category",
        request=CategorySerializer,
        responses={200: answers.Category},
    )
    def put(self, request: Request, category_id: UUID) -> Response:
        """Say all its fields anew; only the slug stays when it is left out."""
        return self._change(request, category_id, partial=False)

    @extend_schema(
        operation_id="change_category",
        summary="Change some fields of a category",
        request=CategorySerializer,
        responses={200: answers.Category},
    )
    def patch(self, request: Request, category_id: UUID) -> Response:
        """Change some of its fields."""
        return self._change(request, category_id, partial=True)

    @extend_schema(
        operation_id="archive_category",
        summary="Archive a category",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, category_id: UUID) -> Response:
        """Archive it; its products leave every menu with it."""
        services.archive_category(category_id=category_id, by=caller(request), at=timezone.now())
        return Response(status=204)

    def _change(self, request: Request, category_id: UUID, *, partial: bool) -> Response:
        asked = CategorySerializer(data=request.data, partial=partial)
        asked.is_valid(raise_exception=True)
        row = services.change_category(
            category_id=category_id, terms=asked.validated_data, by=caller(request), at=timezone.now()
        )
        return Response(_category(row))


class ProductPauseView(APIView):
    """A product that cannot be had for a while ("86")."""

    permission_classes = [may(*PAUSERS)]

    @extend_schema(
        operation_id="pause_product",
        summary="Pause a product at a store",
        request=PauseSerializer,
        responses={200: answers.Availability},
        parameters=[STORE],
    )
    def post(self, request: Request, product_id: UUID) -> Response:
        """Pause it at the caller's store; the kiosks hear of it at once."""
        store_id, by, at = _store_to_pause(request), caller(request), timezone.now()
        asked = PauseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = services.pause_product(product_id=product_id, store_id=store_id, until=asked.end(at), by=by, at=at)
        return Response(_pause(product_id, row))

    @extend_schema(
        operation_id="resume_product",
        summary="Sell a product again",
        request=None,
        responses={200: answers.Availability},
        parameters=[STORE],
    )
    def delete(self, request: Request, product_id: UUID) -> Response:
        """Sell it again now."""
        store_id, by, at = _store_to_pause(request), caller(request), timezone.now()
        row = services.pause_product(product_id=product_id, store_id=store_id, until=None, by=by, at=at)
        return Response(_pause(product_id, row))


class OptionPauseView(APIView):
    """An option that cannot be had for a while."""

    permission_classes = [may(*PAUSERS)]

    @extend_schema(
        operation_id="pause_option",
        summary="Pause an option at a store",
        request=PauseSerializer,
        responses={200: answers.Availability},
        parameters=[STORE],
    )
    def post(self, request: Request, option_id: UUID) -> Response:
        """Pause it at the caller's store, in every product that offers it."""
        store_id, by, at = _store_to_pause(request), caller(request), timezone.now()
        asked = PauseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = services.pause_option(option_id=option_id, store_id=store_id, until=asked.end(at), by=by, at=at)
        return Response(_pause(option_id, row))

    @extend_schema(
        operation_id="resume_option",
        summary="Sell an option again",
        request=None,
        responses={200: answers.Availability},
        parameters=[STORE],
    )
    def delete(self, request: Request, option_id: UUID) -> Response:
        """Offer it again now."""
        store_id, by, at = _store_to_pause(request), caller(request), timezone.now()
        row = services.pause_option(option_id=option_id, store_id=store_id, until=None, by=by, at=at)
        return Response(_pause(option_id, row))


def _asked_store(request: Request) -> UUID:
    """Return the store asked for; a caller's own when it asks for none."""
    asked = request.query_params.get("store")
    try:
        store_id = UUID(asked) if asked is not None else _own_store(request)
    except ValueError:
        store_id = None
    if store_id is None:
        raise _refused("store", "Informe o id de uma loja.")
    return store_id


def _own_store(request: Request) -> UUID | None:
    """Return the caller's one store; while the database is away, the one its credential last had."""
    credential = credential_of(request._request)  # noqa: SLF001 - DRF offers no public name
    try:
        actor = actor_of(request)
    except AWAY:
        store_id = askers.last_store_of(credential)
        if store_id is None:
            raise
        return store_id
    store_id = actor.only_store() if actor else None
    if actor is not None and actor.kind == "device" and store_id is not None:
        askers.remember(credential, store_id)
    return store_id


def _query(request: Request) -> dict[str, Any]:
    asked = ListQuerySerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    told: dict[str, Any] = asked.validated_data
    return told


def _product_list(request: Request, category: str = "") -> Response:
    asked = _query(request)
    store_id = asked.get("store")
    wanted = products_on_offer(category=category or asked["category"], words=asked["q"], store_id=store_id)
    found = page(request, wanted, "name", "id")
    return _listed(_products(found.rows, store_id), found.next, found.previous)


def _products(rows: list[Product], store_id: UUID | None) -> list[dict[str, Any]]:
    at, found = timezone.now(), product_snapshots(rows, store_id)
    return [
        {**product_document(found[row.id], at), "category": str(row.category_id)} for row in rows if row.id in found
    ]


def _product(product_id: UUID, store_id: UUID | None) -> dict[str, Any]:
    found = _products(list(products_on_offer(store_id=store_id).filter(id=product_id)), store_id)
    if not found:
        raise NotFoundError("Este produto não existe ou não é vendido nesta loja.")
    return found[0]


def _category(row: Category) -> dict[str, Any]:
    return {"id": str(row.id), "slug": row.slug, "name": row.name, "position": row.position}


def _listed(results: list[dict[str, Any]], following: str | None, previous: str | None) -> Response:
    return Response({"results": results, "next": following, "previous": previous})


def _store_to_pause(request: Request) -> UUID:
    """Return the store a pause is for: the caller's only one, else the one asked for; the service checks that it is theirs."""
    by: Actor = caller(request)
    store_id: UUID | None = _query(request).get("store") or by.only_store()
    if store_id is None:
        raise _refused("store", "Escolha uma loja: esta conta vale em várias.")
    return store_id


def _pause(subject: UUID, row: Any) -> dict[str, Any]:
    return {
        "id": str(subject),
        "store": str(row.store_id),
        "available": row.paused_until is None,
        "unavailable_until": iso(row.paused_until),
    }


def _refused(field: str, detail: str) -> InvalidError:
    return InvalidError("Confira os campos indicados.", errors=[{"field": field, "code": "invalid", "detail": detail}])

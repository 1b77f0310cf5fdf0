"""The outermost check of a request: what no view should have to think about, and problem documents for whatever fails."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import TYPE_CHECKING

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request

from apps.core.errors import DomainError, InvalidError
from apps.core.parsing import TooLargeError, check_charset
from apps.core.problems import PROBLEM_JSON, from_domain, problem, wants_problem

if TYPE_CHECKING:  # DRF's views read this module while they are being imported
    from rest_framework.views import APIView

MOST_PARAMETERS = 50
LONGEST_PARAMETER = 512
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


class UnsupportedEncodingError(DomainError):
    """The body is compressed."""

    code = "unsupported_media_type"
    status = 415
    title = "Tipo de conteúdo não aceito"


class IncompleteError(DomainError):
    """The body did not come whole."""

    code = "incomplete_body"
    status = 400
    title = "Pedido incompleto"


class EdgeMiddleware:
    """Refuses what cannot be meant well, and sees that an API path never answers an error in HTML.

    The body of an API call is read here, whole and once, however it is framed: a server gives Django nothing of a body sent
    in chunks, which would make it an empty one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on, or refuse it."""
        if not wants_problem(request):
            if "\0" in request.path_info or has_nul(request):
                raise BadRequest
            return self.get_response(request)
        try:
            check_line(request)
            read_body(request)
        except DomainError as error:
            return from_domain(error)
        response = self.get_response(request)
        if response.status_code >= 400 and response.headers.get("Content-Type") != PROBLEM_JSON:  # noqa: PLR2004
            return _as_problem(response)
        return response


class StreamEdgeMiddleware:
    """The same for the stream process, which has no pages: a body is never read, and every error is a problem document."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on, or refuse it."""
        try:
            check_line(request)
        except DomainError as error:
            return from_domain(error)
        response = await self.get_response(request)
        if response.status_code >= 400 and response.headers.get("Content-Type") != PROBLEM_JSON:  # noqa: PLR2004
            return _as_problem(response)
        return response


class NoMetadata(BaseMetadata):
    """Answers OPTIONS with the methods and nothing about the program."""

    def determine_metadata(self, request: Request, view: "APIView") -> dict[str, list[str]]:
        """Say what ``Allow`` says."""
        return {"methods": list(view.allowed_methods)}


def check_line(request: HttpRequest) -> None:
    """Check path, query and the headers that say how the body is to be read.

    Raises:
        InvalidError: too many or too long parameters, a null character, an encoding other than UTF-8.
        UnsupportedEncodingError: the body is compressed.
    """
    if "\0" in request.path_info or has_nul(request):
        raise InvalidError("O endereço tem um caractere nulo.")
    check_charset(request.META.get("CONTENT_TYPE", ""))
    query = request.META.get("QUERY_STRING", "")
    if query.count("&") >= MOST_PARAMETERS:
        raise InvalidError(f"O endereço tem mais de {MOST_PARAMETERS} parâmetros.")
    if len(query) > LONGEST_PARAMETER and any(
        len(text) > LONGEST_PARAMETER for name, values in request.GET.lists() for text in (name, *values)
    ):
        raise InvalidError(f"Um parâmetro do endereço passa de {LONGEST_PARAMETER} caracteres.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedEncodingError("Envie o corpo sem compressão.")


def has_nul(request: HttpRequest) -> bool:
    """Tell whether the query holds a character that Postgres has no room for."""
    query = request.META.get("QUERY_STRING", "")
    return "%00" in query or "\0" in query


def read_body(request: HttpRequest) -> None:
    """Read the body, at most one byte more than allowed.

    Raises:
        TooLargeError: there is more.
        IncompleteError: the client stopped before the end it had announced.
    """
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    announced = _announced_length(request)
    if announced > limit:
        raise TooLargeError
    try:
        if "HTTP_TRANSFER_ENCODING" in request.META:
            body = request.META["wsgi.input"].read(limit + 1)
        else:
            body = request.body if announced else b""
    except RequestDataTooBig:
        raise TooLargeError from None
    except Exception:  # noqa: BLE001 - each server has its own errors for a body that breaks off or has no valid chunks
        raise IncompleteError("O corpo do pedido não chegou inteiro.") from None
    if len(body) > limit:
        raise TooLargeError
    if len(body) < announced:
        raise IncompleteError("O corpo do pedido não chegou inteiro.")
    request.META["CONTENT_LENGTH"] = str(len(body)) if body else ""
    request._body, request._stream = body, BytesIO(body)  # noqa: SLF001 - what Django does


def _announced_length(request: HttpRequest) -> int:
    try:
        return max(int(request.META.get("CONTENT_LENGTH") or 0), 0)
    except ValueError:
        raise InvalidError("Content-Length não é um número.") from None


def _as_problem(response: HttpResponseBase) -> HttpResponse:
    replaced = problem(status=response.status_code)
    for name in KEPT_HEADERS:
        if name in response.headers:
            replaced[name] = response.headers[name]
    replaced.cookies = response.cookies
    return replaced

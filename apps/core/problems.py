"""Errors as ``application/problem+json`` (RFC 9457)."""

import logging
from collections.abc import Iterator
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from psycopg.errors import IdleInTransactionSessionTimeout, LockNotAvailable, ReadOnlySqlTransaction
from rest_framework import exceptions

from apps.core import request_ids
from apps.core.errors import DatabaseUnavailableError, DomainError

logger = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
CHALLENGE = "Device, Bearer"  # who is asked for a credential is told which kinds there are (RFC 9110, 11.6.1)
TITLES = {
    400: "Pedido inválido",
    401: "Identificação necessária",
    403: "Sem permissão",
    404: "Não encontrado",
    405: "Método não permitido",
    406: "Formato não disponível",
    413: "Conteúdo grande demais",
    415: "Tipo de conteúdo não aceito",
    429: "Muitas tentativas",
    500: "Erro interno",
    503: "Um instante",
}
CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "throttled",
    500: "internal_error",
    503: "unavailable",
}


def problem(
    *,
    status: int,
    code: str = "",
    title: str = "",
    detail: str = "",
    errors: list[dict[str, Any]] | None = None,
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """Build one problem document."""
    code = code or CODES.get(status, "error")
    document = {
        "type": f"urn:breadmate:problem:{code}",
        "title": title or TITLES.get(status, "Erro"),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_ids.current.get(),
        "errors": errors or [],
        **(extra or {}),
    }
    body = orjson.dumps(document)
    headers = {"Content-Type": PROBLEM_JSON, "Content-Length": str(len(body))}
    if status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = CHALLENGE
    return HttpResponse(body, status=status, headers=headers)


def from_domain(error: DomainError) -> HttpResponse:
    """Say a refusal of the domain."""
    response = problem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        errors=error.errors,
        extra=error.extra,
    )
    if error.retry_after_seconds is not None:
        response["Retry-After"] = str(error.retry_after_seconds)
    return response


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: every refusal becomes a problem document, everything unknown goes on to Django's 500."""
    if isinstance(exc, DomainError):
        return from_domain(exc)
    if is_database_away(exc):
        return database_problem(exc)
    if isinstance(exc, Http404):
        return problem(status=404)
    if isinstance(exc, PermissionDenied):
        return problem(status=403)
    if not isinstance(exc, exceptions.APIException):
        return None
    errors = list(field_errors(exc.detail)) if isinstance(exc, exceptions.ValidationError) else []
    detail = "Confira os campos indicados." if errors else str(exc.detail)
    response = problem(status=exc.status_code, detail=detail, errors=errors)
    for header in ("WWW-Authenticate", "Retry-After"):
        value = getattr(exc, "auth_header" if header == "WWW-Authenticate" else "wait", None)
        if value is not None:
            response[header] = str(value if isinstance(value, str) else int(value) + 1)
    return response


def is_database_away(exc: Exception) -> bool:
    """Tell whether the database cannot do it now but could soon; psycopg files two such cases among faults of ours.

    They are a replica that is not the primary yet, or no longer, and a transaction that was cut because nobody went on with it.
    """
    if isinstance(exc, InternalError):
        return isinstance(exc.__cause__, (ReadOnlySqlTransaction, IdleInTransactionSessionTimeout))
    return isinstance(exc, (OperationalError, InterfaceError))


def database_problem(exc: Exception) -> HttpResponse:
    """Say that the database is away, or that a row was not free in time: try again, nothing was changed."""
    logger.warning("database refused: %r", exc)
    waited = isinstance(exc.__cause__, LockNotAvailable)
    detail = (
        "O sistema está ocupado; tente de novo." if waited else "O banco de dados não respondeu; nada foi alterado."
    )
    return from_domain(DatabaseUnavailableError(detail))


def field_errors(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Flatten DRF's nested error detail; a field inside a list is ``items[0].quantity``."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            if isinstance(name, int):  # DRF names the bad members of a list by their position
                yield from field_errors(inner, f"{path}[{name}]")
                continue
            own = "" if name == "non_field_errors" else str(name)
            yield from field_errors(inner, f"{path}.{own}" if path and own else path or own)
    elif isinstance(detail, list) and any(isinstance(inner, (dict, list)) for inner in detail):
        for position, inner in enumerate(detail):
            yield from field_errors(inner, f"{path}[{position}]")
    elif isinstance(detail, list):
        for inner in detail:
            yield from field_errors(inner, path)
    else:
        yield {"field": path, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def wants_problem(request: HttpRequest) -> bool:
    """Tell whether the caller speaks the API rather than reads pages."""
    return request.path.startswith("/api/") or request.path == "/api"

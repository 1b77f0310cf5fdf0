"""Errors that a caller may see."""

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal with a stable code; becomes a problem document in the API and a message in pages.

    ``detail`` is for people, in pt-BR. ``errors`` are api.md's field errors, ``extra`` further members of the document.
    """

    code: ClassVar[str] = "invalid"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "Pedido inválido"
    retry_after_seconds: int | None = None

    def __init__(
        self, detail: str, *, errors: list[dict[str, Any]] | None = None, extra: dict[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []
        self.extra = extra or {}


class InvalidError(DomainError):
    """The request cannot be understood or breaks a limit."""


class NotFoundError(DomainError):
    """No such thing, or not for this caller: both look the same from outside."""

    code = "not_found"
    status = 404
    title = "Não encontrado"


class DatabaseUnavailableError(DomainError):
    """The database did not answer in time; nothing was changed."""

    code = "database_unavailable"
    status = 503
    title = "Um instante"
    retry_after_seconds = 2


class OverloadedError(DomainError):
    """More is asked of this server than it can do; what matters least is refused first."""

    code = "overloaded"
    status = 503
    title = "Um instante"
    retry_after_seconds = 2

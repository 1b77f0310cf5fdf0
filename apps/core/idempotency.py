"""Answering a repeated request with the bytes of the first answer (api.md, "Checkout")."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, OperationalError, connection
from psycopg.errors import LockNotAvailable

from apps.core import limits, prepared
from apps.core.errors import DomainError, InvalidError
from apps.core.limits import Limit, LimitedError
from apps.core.models import IdempotencyKey

LONGEST_KEY = 64

ANSWER_OR_COUNT = f"""
    WITH known AS (
        SELECT request_hash, status, body FROM core_idempotencykey
        WHERE principal = %(principal)s AND key = %(idempotency)s
    ), {limits.EARLIER}, counted AS (
        {limits.COUNT_ONE.format(unless="AND NOT EXISTS (SELECT FROM known)")}
    )
    SELECT known.request_hash, known.status, known.body, counted.count
    FROM (VALUES (true)) AS one LEFT JOIN known ON true LEFT JOIN counted ON true
"""  # noqa: S608 - of our own texts


class KeyReusedError(DomainError):
    """The key came before with another body."""

    code = "idempotency_key_reused"
    status = 422
    title = "Chave já usada"


class RivalRunningError(DomainError):
    """Another request with this key is still at work."""

    code = "idempotency_conflict"
    status = 409
    title = "Pedido em andamento"
    retry_after_seconds = 2


@dataclass(frozen=True, slots=True)
class Claim:
    """One key of one principal with the hash of the body it came with."""

    principal: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What was, or is to be, answered."""

    status: int
    body: bytes
    replayed: bool = False


def claim_from(header: str | None, *, principal: str, body: Any) -> Claim:
    """Check the header and tie it to the body.

    Raises:
        InvalidError: no key, longer than 64 characters, or not printable ASCII.
    """
    if not header:
        raise InvalidError(
            "Envie o cabeçalho Idempotency-Key.",
            errors=[{"field": "Idempotency-Key", "code": "required", "detail": ""}],
        )
    if len(header) > LONGEST_KEY or not header.isascii() or not header.isprintable():
        raise InvalidError(
            "Idempotency-Key deve ter de 1 a 64 caracteres ASCII visíveis.",
            errors=[{"field": "Idempotency-Key", "code": "invalid", "detail": ""}],
        )
    # Not orjson: it refuses numbers beyond 64 bits and lone surrogates, which are the serializer's to refuse.
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).digest()
    return Claim(principal=principal, key=header, request_hash=digest)


def stored_answer(claim: Claim) -> Answer | None:
    """Return the stored answer, or None when the key is new.

    Raises:
        KeyReusedError: the body differs from the first one's.
    """
    row = prepared.read_one(IdempotencyKey, "WHERE principal = %s AND key = %s", [claim.principal, claim.key])
    return None if row is None else _replay(claim, row.request_hash, row.status, row.body)


def answered_or_counted(claim: Claim, limit: Limit, *, at: datetime) -> Answer | None:
    """Return the stored answer; or None when the key is new, and the call is counted then. One statement.

    Raises:
        KeyReusedError: the body differs from the first one's.
        LimitedError: the key is new and the limit used up.

    Locks: the limit's present window; commits by itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            ANSWER_OR_COUNT, {**limits.parameters(limit, at), "principal": claim.principal, "idempotency": claim.key}
        )
        request_hash, status, body, count = cursor.fetchone()
    if request_hash is not None:
        return _replay(claim, request_hash, status, body)
    if count is None:
        raise LimitedError(limits.wait_seconds(limit, at))
    return None


def _replay(claim: Claim, request_hash: bytes | memoryview, status: int, body: bytes | memoryview) -> Answer:
    if bytes(request_hash) != claim.request_hash:
        raise KeyReusedError("Esta Idempotency-Key já foi usada com outro conteúdo.")
    return Answer(status=status, body=bytes(body), replayed=True)


class RivalWonError(Exception):
    """Somebody else stored an answer under this key first; roll back, then ask for the ``stored_answer``."""


def keep_answer(claim: Claim, answer: Answer) -> None:
    """Keep the answer in the caller's transaction, so that it stands or falls with the change.

    Waits for a rival that holds the same key, at most ``lock_timeout``.

    Raises:
        RivalWonError: the rival committed.
        RivalRunningError: the rival was still at work when the wait was over.
    """
    try:
        prepared.insert(
            IdempotencyKey(
                principal=claim.principal,
                key=claim.key,
                request_hash=claim.request_hash,
                status=answer.status,
                body=answer.body,
            )
        )
    except IntegrityError as clash:
        raise RivalWonError from clash
    except OperationalError as error:
        if waited_for_key(error):
            raise RivalRunningError("Este pedido já está sendo feito.") from error
        raise


def waited_for_key(error: OperationalError) -> bool:
    """Tell whether a statement gave up because a rival held its key, and not some other row."""
    cause = error.__cause__
    return isinstance(cause, LockNotAvailable) and "core_idempotencykey" in (cause.diag.context or "")


def correct_answer(claim: Claim, answer: Answer) -> None:
    """Replace the answer kept earlier in this same transaction; nobody has seen it yet."""
    IdempotencyKey.objects.filter(principal=claim.principal, key=claim.key).update(
        status=answer.status, body=answer.body
    )


def forget_answers(principal: str) -> None:
    """Delete every answer kept for one principal; a repeat of theirs is then a new request."""
    IdempotencyKey.objects.filter(principal=principal).delete()

"""Reading JSON that a stranger wrote: one meaning or none.

Python's reader takes the last of two equal keys, ``NaN``, numbers of any length and half characters, and fails with a
``RecursionError`` on two kilobytes of ``[``. Here each of these is refused before anything looks at the content.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import JSONParser

from apps.core.errors import DomainError, InvalidError

DEEPEST = 32
MOST_DIGITS = 20
LONGEST_FRACTION = 40
BOM = b"\xef\xbb\xbf"
UTF8_NAMES = frozenset({"utf-8", "utf8"})

# A string is eaten whole, closed or not, and never given back: the search stays linear whatever it is fed.
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_OPENING = frozenset({b"[", b"{"})
_CLOSING = frozenset({b"]", b"}"})


class TooLargeError(DomainError):
    """The body is longer than anything we ask for."""

    code = "too_large"
    status = 413
    title = "Conteúdo grande demais"

    def __init__(self) -> None:
        super().__init__(f"O corpo passa de {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KiB.")


class StrictJSONParser(JSONParser):
    """The only parser of the API: a UTF-8 JSON object within bounds.

    It stays a ``JSONParser`` because DRF hands the body over a second time only to those.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object.

        Raises:
            UnsupportedMediaType: the body does not say it is JSON.
            InvalidError: the bytes are not exactly one acceptable JSON object.
            TooLargeError: there are more of them than allowed.
        """
        if (media_type or "").partition(";")[0].strip().lower() != self.media_type:  # DRF lets a wildcard pass
            raise UnsupportedMediaType(media_type or "")
        check_charset(media_type or "")
        raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLargeError
        return load_object(raw)


def check_charset(content_type: str) -> None:
    """Refuse a ``Content-Type`` that names an encoding other than UTF-8, be it only that of another parameter (RFC 2231).

    Raises:
        InvalidError: it does.
    """
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        name = name.strip().lower()
        if name.endswith("*") or (name == "charset" and value.strip().strip('"').lower() not in UTF8_NAMES):
            raise InvalidError("O corpo deve estar em UTF-8.")


def load_object(raw: bytes) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        InvalidError: it is anything else, or breaks one of the bounds of this module.
    """
    if raw.startswith(BOM):
        raise InvalidError("O JSON não pode começar com a marca BOM.")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise InvalidError("O corpo não está em UTF-8 válido.") from None
    _check_depth(raw)
    try:
        found = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise InvalidError(f"O corpo não é um JSON válido (linha {error.lineno}, coluna {error.colno}).") from None
    if not isinstance(found, dict):
        raise InvalidError("O corpo deve ser um objeto JSON.")
    if b"\\u" in raw:  # raw ones were refused by the decoder and by the reader
        _check_characters(found)
    return found


def _check_depth(raw: bytes) -> None:
    depth = 0
    for token in _STRUCTURE.finditer(raw):
        if token[0] in _OPENING:
            depth += 1
            if depth > DEEPEST:
                raise InvalidError(f"O JSON tem mais de {DEEPEST} níveis.")
        elif token[0] in _CLOSING:
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidError("O JSON repete um campo dentro do mesmo objeto.")
    return found


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS:
        raise InvalidError(f"O JSON tem um número com mais de {MOST_DIGITS} dígitos.")
    return int(digits)


def _fraction(digits: str) -> float:
    value = float(digits)
    if len(digits) > LONGEST_FRACTION or not math.isfinite(value):
        raise InvalidError("O JSON tem um número grande ou longo demais.")
    return value


def _constant(name: str) -> NoReturn:
    raise InvalidError(f"{name} não é um valor JSON.")


def _check_characters(found: dict[str, Any]) -> None:
    for text in _texts(found):
        if "\0" in text:
            raise InvalidError("O JSON tem um texto com o caractere nulo.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidError("O JSON tem um texto com metade de um caractere.") from None


def _texts(found: Any) -> Iterator[str]:
    """Return every string, keys too; the depth is known to be small."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for key, inner in found.items():
            yield key
            yield from _texts(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from _texts(inner)
